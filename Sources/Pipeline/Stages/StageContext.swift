import Diagnostics
import Kernels
import Synchronization

/// What a stage may use while it runs.
public struct StageContext {
  public let pool: ThreadPool
  public let progress: any ProgressSink
  public let cancellation: Cancellation
  /// Shared with the other processes that work on a sweep; nil for a run of its own.
  public let slot: MeasuringSlot?
  /// Where the stage under way may write down how far it is; nil when its result will not be stored either.
  var checkpoint: StageCheckpoint?

  public init(
    pool: ThreadPool, progress: any ProgressSink = SilentProgress(), cancellation: Cancellation = Cancellation(),
    slot: MeasuringSlot? = nil
  ) {
    self.pool = pool
    self.progress = progress
    self.cancellation = cancellation
    self.slot = slot
  }

  /// To be called at every step: waits while another process measures.
  ///
  /// - Throws: `CompressError` of kind `.cancelled` once stopping was requested.
  func step() throws {
    try cancellation.check()
    try slot?.yield { try cancellation.check() }
  }

  /// Runs `body` while no other process of the sweep computes.
  func measuring<R>(_ body: () throws -> R) throws -> R {
    guard let slot else { return try body() }
    return try slot.alone(waiting: { try cancellation.check() }, body)
  }

  /// Runs `body`, which only waits.
  func waiting<R>(_ body: () throws -> R) throws -> R {
    guard let slot else { return try body() }
    return try slot.outside({ try cancellation.check() }, body)
  }
}

/// A request to stop, made from a signal handler or another thread and heard at the next step.
public final class Cancellation: Sendable {
  private let requested = Atomic<Bool>(false)
  private let handlers = Mutex<[ObjectIdentifier: Handler]>([:])

  private final class Handler: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  public init() {}

  public func request() {
    requested.store(true, ordering: .relaxed)
    handlers.withLock { for handler in $0.values { handler.body() } }
  }

  /// Runs `body`; a request that comes meanwhile, or came before, also runs `handler`, on any thread. For what waits
  /// where it cannot ask.
  public func withHandler<R>(_ handler: @escaping @Sendable () -> Void, _ body: () throws -> R) rethrows -> R {
    let handler = Handler(handler)
    handlers.withLock { $0[ObjectIdentifier(handler)] = handler }
    defer { handlers.withLock { $0[ObjectIdentifier(handler)] = nil } }
    if isRequested { handler.body() }
    return try body()
  }

  public var isRequested: Bool { requested.load(ordering: .relaxed) }

  /// - Throws: `CompressError` of kind `.cancelled` once stopping was requested.
  public func check() throws {
    if isRequested { throw Self.error }
  }

  public static var error: CompressError {
    CompressError("stopped on request; finished stages are kept", kind: .cancelled)
  }
}
