import Diagnostics
import Files
import Foundation
import LuaHost
import Pipeline
import Runs
import Scripting

/// What a sweep is: the script, its points, and how each is run. `sweep.json` in the sweep's folder.
public struct SweepDefinition: Codable, Sendable, Equatable {
  public static let version = 1

  public struct Setting: Codable, Sendable, Equatable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  public struct Point: Codable, Sendable, Equatable {
    /// From 1.
    public var number: Int
    public var settings: [Setting]
    public var seed: UInt64

    public init(number: Int, settings: [Setting], seed: UInt64) {
      self.number = number
      self.settings = settings
      self.seed = seed
    }

    /// `sparsity=0.8 strategy=global_magnitude`.
    public var text: String { settings.map { "\($0.name)=\($0.value)" }.joined(separator: " ") }
  }

  /// What each run is given besides its point. Paths are absolute: workers may be started elsewhere.
  public struct Run: Codable, Sendable, Equatable {
    public var data: String?
    public var plugins: [String]
    public var limits: LuaLimits
    public var dataMemory: Int
    public var usesCache: Bool
    public var keepsModels: Bool
    /// Nil in sweeps of older versions: the standard ones.
    public var output: OutputLimits?

    public init(
      data: String?, plugins: [String], limits: LuaLimits, dataMemory: Int, usesCache: Bool, keepsModels: Bool,
      output: OutputLimits = OutputLimits()
    ) {
      self.data = data
      self.plugins = plugins
      self.limits = limits
      self.dataMemory = dataMemory
      self.usesCache = usesCache
      self.keepsModels = keepsModels
      self.output = output
    }

    /// The options that are others there, as `--data a (now b)`.
    func differences(from now: Run) -> [String] {
      let mine = output ?? OutputLimits(), theirs = now.output ?? OutputLimits()
      func list(_ folders: [String]) -> String { folders.isEmpty ? "none" : folders.joined(separator: ", ") }
      func mebibytes(_ bytes: Int) -> String { "\(bytes >> 20)" }
      let options: [(name: String, was: String, now: String)] = [
        ("--data", data ?? "none", now.data ?? "none"),
        ("--plugins", list(plugins), list(now.plugins)),
        ("--lua-memory", mebibytes(limits.memoryBytes), mebibytes(now.limits.memoryBytes)),
        ("--lua-instructions", "\(limits.instructions)", "\(now.limits.instructions)"),
        ("--lua-seconds", SweepAxis.text(limits.seconds), SweepAxis.text(now.limits.seconds)),
        ("--tensor-memory", mebibytes(limits.nativeBytes), mebibytes(now.limits.nativeBytes)),
        ("--data-memory", mebibytes(dataMemory), mebibytes(now.dataMemory)),
        ("--no-cache", usesCache ? "not given" : "given", now.usesCache ? "not given" : "given"),
        ("--no-models", keepsModels ? "not given" : "given", now.keepsModels ? "not given" : "given"),
        ("--out-size", mebibytes(mine.savedBytes), mebibytes(theirs.savedBytes)),
        ("--out-files", "\(mine.savedFiles)", "\(theirs.savedFiles)"),
        ("--print-size", mebibytes(mine.printedBytes), mebibytes(theirs.printedBytes)),
        ("--store-size", mebibytes(mine.storedBytes), mebibytes(theirs.storedBytes)),
      ]
      let found = options.filter { $0.was != $0.now }.map { "\($0.name) \($0.was) (now \($0.now))" }
      // Whatever the options above do not tell apart.
      return found.isEmpty && (limits != now.limits || mine != theirs) ? ["other limits for scripts"] : found
    }
  }

  public var format = "compress sweep"
  public var version = Self.version
  public var uid: String
  public var started: Date
  public var script: String
  /// SHA-256 of the script's text.
  public var scriptDigest: String
  /// The names of what is swept over, in the order it was given.
  public var axes: [String]
  /// Params that are the same in every run.
  public var fixed: [Setting]
  /// Of a search, those with the least budget.
  public var points: [Point]
  /// What a search aims at; nil for a plain sweep.
  public var goal: SweepGoal?
  public var run: Run
  /// Threads of each run.
  public var threads: Int

  public init(
    script: String, scriptDigest: String, axes: [String], fixed: [Setting], points: [Point], goal: SweepGoal? = nil,
    run: Run,
    threads: Int
  ) {
    uid = RunRecord.newID()
    started = Date()
    self.script = script
    self.scriptDigest = scriptDigest
    self.axes = axes
    self.fixed = fixed
    self.points = points
    self.goal = goal
    self.run = run
    self.threads = threads
  }

  /// SHA-256 of what it is apart from when it began, where, and with how many threads.
  public var identity: String {
    get throws {
      var copy = self
      (copy.uid, copy.started, copy.threads) = ("", .distantPast, 0)
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      return Digest.of([UInt8](try encoder.encode(copy)))
    }
  }

  /// What names a point's run everywhere.
  func uid(of point: Point) -> String { "\(uid)-\(point.number)" }

  /// Whether it is a definition that this program could have written. What it says beyond that is believed of nobody:
  /// whoever goes on with a sweep says again what it is, and both must agree (`check(isResumedBy:)`).
  ///
  /// - Throws: `CompressError` saying what cannot be.
  func check() throws {
    func need(_ condition: Bool, _ what: @autoclosure () -> String) throws {
      guard condition else { throw CompressError("is no sweep: \(what())", kind: .input) }
    }
    try need(format == "compress sweep" && version >= 1, "it is of another format")
    guard version <= Self.version else { throw CompressError("is of a newer version of this program", kind: .input) }
    try need(
      uid.utf8.count == 16 && uid.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }, "its name is no name")
    try need((0...253_402_300_799).contains(started.timeIntervalSince1970), "it began at no time")
    try need((1...4096).contains(threads), "\(threads) threads")
    try need(points.count <= SweepAxis.mostValues, "\(points.count) points")
    try need(Set(points.map(\.number)).count == points.count, "a point is there twice")
    for point in points { try need((1...2 * SweepAxis.mostValues).contains(point.number), "point \(point.number)") }
    let most = 1 << 50
    for (what, bytes) in [
      ("Lua memory", run.limits.memoryBytes), ("tensor memory", run.limits.nativeBytes),
      ("data memory", run.dataMemory),
      ("instructions", run.limits.instructions >> 12),
    ] { try need((0...most).contains(bytes), "\(bytes) of \(what)") }
    try need((0...1e6).contains(run.limits.seconds), "\(run.limits.seconds) seconds")
    if let output = run.output {
      for number in [output.savedBytes, output.savedFiles, output.printedBytes, output.storedBytes] {
        try need((0...most).contains(number), "\(number) of output")
      }
    }
    if let goal {
      try need((2...100).contains(goal.factor), "one of \(goal.factor) points goes on")
      if let budget = goal.budget {
        try need(
          budget.least > 0 && budget.full > budget.least && budget.full.isFinite && budget.full / budget.least < 1e12,
          "a budget from \(budget.least) to \(budget.full)")
      }
    }
  }

  /// - Throws: `CompressError` saying all that differs, unless both describe the same work.
  func check(isResumedBy now: SweepDefinition) throws {
    var differing: [String] = []
    if script != now.script { differing.append("it is a sweep of \(script) (now \(now.script))") }
    if script == now.script, scriptDigest != now.scriptDigest { differing.append("the script has changed since") }
    if axes != now.axes || points != now.points { differing.append("it has other points: \(differentPoints(now))") }
    if fixed != now.fixed {
      func text(_ settings: [Setting]) -> String {
        settings.isEmpty ? "none" : settings.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
      }
      differing.append("other params were set: \(text(fixed)) (now \(text(now.fixed)))")
    }
    if goal != now.goal {
      differing.append(
        "it searches for something else: \(goal?.text ?? "nothing") (now \(now.goal?.text ?? "nothing"))")
    }
    differing += run.differences(from: now.run).map { "its runs have \($0)" }
    if threads != now.threads { differing.append("its runs have \(threads) threads each (now \(now.threads))") }
    guard differing.isEmpty else {
      // What the sweep's file says may be somebody else's work.
      let text = differing.map { Secrets.removed(from: $0).escapedForTerminal.shortened(to: 300) }.joined(
        separator: "; ")
      throw CompressError("cannot go on with this sweep: \(text)", hint: "begin a new one with another --out")
    }
  }

  /// By axis and for the seeds, the values there and those asked for now, where they are not the same.
  private func differentPoints(_ now: SweepDefinition) -> String {
    func distinct(_ values: [String]) -> String {
      var seen = Set<String>()
      let kept = values.filter { seen.insert($0).inserted }
      return kept.isEmpty ? "none" : kept.prefix(6).joined(separator: ",") + (kept.count > 6 ? ",…" : "")
    }
    func values(_ points: [Point], _ axis: String) -> String {
      distinct(points.compactMap { point in point.settings.first { $0.name == axis }?.value })
    }
    var parts: [String] = []
    for axis in axes + now.axes.filter({ !axes.contains($0) }) {
      let (mine, theirs) = (values(points, axis), values(now.points, axis))
      if mine != theirs { parts.append("\(axis)=\(mine) (now \(theirs))") }
    }
    let seeds = (distinct(points.map { "\($0.seed)" }), distinct(now.points.map { "\($0.seed)" }))
    if seeds.0 != seeds.1 { parts.append("seeds \(seeds.0) (now \(seeds.1))") }
    if points.count != now.points.count || parts.isEmpty {
      parts.append("\(points.count) points (now \(now.points.count))")
    }
    return parts.joined(separator: ", ")
  }

  /// What a point's run is given.
  func sessionOptions(_ point: Point, out: String) -> ScriptSession.Options {
    var options = ScriptSession.Options(script: script)
    options.seed = point.seed
    options.settings = (fixed + point.settings).map { ($0.name, $0.value) }
    options.data = run.data
    options.plugins = run.plugins
    options.out = out
    options.limits = run.limits
    options.dataMemory = run.dataMemory
    options.output = run.output ?? OutputLimits()
    return options
  }

  /// The arguments that repeat a point by itself, the program's name first, without the credentials of addresses.
  func command(_ point: Point, out: String) -> [String] {
    var command = ["compress", "run", script]
    for setting in fixed + point.settings { command += ["--set", "\(setting.name)=\(setting.value)"] }
    command += ["--seed", String(point.seed), "--threads", String(threads), "--out", out]
    if let data = run.data { command += ["--data", data] }
    for folder in run.plugins { command += ["--plugins", folder] }
    if !run.usesCache { command.append("--no-cache") }
    return command.map(Secrets.removed)
  }
}
