import CLuaBridge
import Diagnostics

/// A sandboxed Lua state. It has one owner and runs on one thread at a time.
///
/// What scripts can reach is in docs/sandbox.md; limits are those of `LuaLimits`. For example:
///
///     let state = LuaState(seed: 3, random: { SeededRandom(seed: $0) })
///     state.define("double") { arguments in [.number(2 * (try arguments.number(0)))] }
///     let chunk = try state.load("return double(21)", name: "answer.lua")
///     let answer = try chunk.call()[0].number
public final class LuaState {
  /// A function scripts can call. What it throws becomes a Lua error at the caller's line.
  public typealias Body = (LuaArguments) throws -> [LuaValue]

  /// `5.4.6`, say.
  public static let version = "\(LUA_VERSION_MAJOR).\(LUA_VERSION_MINOR).\(LUA_VERSION_RELEASE)"

  public let limits: LuaLimits
  /// Stops the running call from another thread.
  public let interrupt: LuaInterrupt
  /// Bytes of the Lua heap in use.
  public var memoryBytes: Int { Int(clua_memory_used(L)) }

  let L: OpaquePointer
  let released = ReleasedReferences()
  let native: NativeMemory
  /// Everything that was defined for scripts, in that order.
  public internal(set) var definitions: [LuaDefinition] = []
  var classes: [ObjectIdentifier: ClassEntry] = [:]
  var chunks: [String: Chunk] = [:]
  var raised = RaisedErrors()
  var generator: any RandomNumberGenerator
  /// How long a call has been running.
  public struct Lasting: Sendable, Hashable {
    public let script: String
    public let line: Int
    /// Of the script's own time, which the engine's work is not.
    public let seconds: Double
  }

  /// Told now and then while a call's own time lasts, on the thread that runs it, and with nil once that call has
  /// ended. It may not use the state. What it takes is the script's time.
  public var onLasting: ((Lasting?) -> Void)?
  private var hasTold = false
  private var depth = 0
  private var budget = 0
  private var work: Cancellation?

  /// - Parameters:
  ///   - seed: What `math.random` starts from.
  ///   - random: Makes the generator behind `math.random` from a seed.
  ///   - print: Receives the text of each `print`, unescaped.
  ///   - patience: Seconds after which `onLasting` is told, and between which.
  ///   - stalled: Runs on the watchdog's thread, with the name of what is running, instead of ending the process.
  public init(
    limits: LuaLimits = LuaLimits(),
    seed: UInt64,
    random: @escaping (UInt64) -> any RandomNumberGenerator,
    print: @escaping (String) throws -> Void = { Swift.print($0) },
    patience: Double = 1,
    stalled: (@Sendable (String) -> Void)? = nil
  ) {
    self.limits = limits
    generator = random(seed)
    native = NativeMemory(limit: limits.nativeBytes)
    let callbacks = clua_callbacks(context: nil, call: runHostFunction, release: releaseBox, lasts: tellLasting)
    // Without memory for an empty state there is nothing to be told about it either.
    guard let L = clua_open(callbacks, max(limits.memoryBytes, LuaState.leastMemoryBytes)) else {
      preconditionFailure("no memory for a Lua state")
    }
    self.L = L
    interrupt = LuaInterrupt(L)
    clua_set_context(L, Unmanaged.passUnretained(self).toOpaque())
    startWatchdog(stalled, patience)
    definePrint(print)
    defineRandom(seed: seed, random: random)
    defineUndefinedGlobals()
  }

  deinit {
    interrupt.close()
    clua_close(L)
  }

  /// What the libraries themselves need, with some room to report errors.
  static let leastMemoryBytes = 128 << 10

  // MARK: Running

  /// Compiles a chunk of Lua text; calling the function runs it.
  ///
  /// - Parameters:
  ///   - name: The file name used in messages.
  ///   - environment: Where its global variables live; a new one when nil.
  /// - Throws: a `CompressError` with script and line when the text is not Lua.
  public func load(_ source: String, name: String, environment: LuaEnvironment? = nil) throws -> LuaFunction {
    giveBackReferences()
    // Editors of some systems begin files with a byte order mark.
    let source = source.unicodeScalars.first == "\u{FEFF}" ? String(source.unicodeScalars.dropFirst()) : source
    var text = source.first == "#" ? "--" + source : source  // a #! line
    let status = text.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) { clua_load(L, $0.baseAddress, $0.count, "@" + name) }
    }
    if status == LUA_ERRMEM {
      clua_pop(L, 1)
      throw memoryError().at(script: name, line: nil)
    }
    chunks[name] = Chunk(source: source, shortName: Chunk.shortName(name))
    guard status == LUA_OK else { throw located(popText()).at(script: name, line: nil) }
    try push((environment ?? makeEnvironment()).table)
    if lua_setupvalue(L, -2, 1) == nil { clua_pop(L, 1) }
    return LuaFunction(LuaReference(popping: self))
  }

  /// Calls a function.
  ///
  /// - Parameter instructions: A budget for this call alone; without one a nested call uses that of the call around it.
  /// - Throws: a `CompressError`: the one a host function threw, or one made of the Lua error, with script and line.
  public func call(
    _ function: LuaFunction, _ arguments: [LuaValue] = [], instructions: Int? = nil
  ) throws -> [LuaValue] {
    giveBackReferences()
    let base = lua_gettop(L)
    defer { lua_settop(L, base) }
    try reserveStack(arguments.count + 2)
    try function.push(on: self)
    for argument in arguments { try push(argument) }
    var outcome = clua_outcome()
    let outer = budget
    let own = instructions ?? (depth == 0 ? limits.instructions : 0)
    if own > 0 { budget = own }
    defer { budget = outer }
    if depth == 0 { work = interrupt.begin() }
    depth += 1
    Cancellation.$current.withValue(work) { clua_call(L, Int32(arguments.count), Int64(own), &outcome) }
    depth -= 1
    if depth == 0 {
      interrupt.end()
      if hasTold { onLasting?(nil) }
      hasTold = false
    }
    guard outcome.status == LUA_OK else { throw error(from: outcome, instructions: budget) }
    try reserveStack(4)
    return (base + 1..<lua_gettop(L) + 1).map { value(at: $0) }
  }

  /// The Lua line that called the running host function, for instance to record where a stage was declared.
  public func callerLocation() -> (script: String, line: Int)? {
    var line: Int32 = 0
    var source = [CChar](repeating: 0, count: 512)
    guard clua_where(L, &source, source.count, &line) else { return nil }
    return (source.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }, Int(line))
  }

  /// Frees what scripts no longer reach.
  public func collectGarbage() {
    giveBackReferences()
    clua_collect(L)
  }

  func giveBackReferences() {
    for id in released.takeAll() { clua_unref(L, id) }
  }

  /// Runs work of the engine that the script asked for: its time and memory are not the script's own.
  public func engineWork<R>(_ body: () throws -> R) rethrows -> R {
    let was = clua_set_engine_works(L, true)
    defer { _ = clua_set_engine_works(L, was) }
    return try body()
  }

  /// Makes the running host function count for so many instructions more.
  public func charge(_ instructions: Int) { clua_owe(L, max(0, instructions)) }

  // MARK: Set-up

  func lasts(_ lasting: Lasting) {
    hasTold = true
    onLasting?(lasting)
  }

  private func startWatchdog(_ stalled: (@Sendable (String) -> Void)?, _ patience: Double) {
    let watcher = Watcher(interrupt: interrupt, stalled: stalled)
    self.watcher = watcher
    var watch = clua_watch()
    watch.seconds = limits.seconds
    watch.growth = limits.growthBytes
    watch.patience = patience
    watch.context = Unmanaged.passUnretained(watcher).toOpaque()
    watch.overdue = { context in
      guard let context else { return }
      Unmanaged<Watcher>.fromOpaque(context).takeUnretainedValue().interrupt.stopHostFunctions()
    }
    if stalled != nil {
      watch.stuck = { context, what in
        guard let context, let what else { return }
        Unmanaged<Watcher>.fromOpaque(context).takeUnretainedValue().stalled?(String(cString: what))
      }
    }
    clua_start_watchdog(L, watch)
  }

  private var watcher: Watcher?

  /// What the watchdog's thread calls.
  private final class Watcher: Sendable {
    let interrupt: LuaInterrupt
    let stalled: (@Sendable (String) -> Void)?

    init(interrupt: LuaInterrupt, stalled: (@Sendable (String) -> Void)?) {
      self.interrupt = interrupt
      self.stalled = stalled
    }
  }
}
