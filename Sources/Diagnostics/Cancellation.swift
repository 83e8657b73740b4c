import Synchronization

/// A request to stop, made from a signal handler or another thread.
///
/// Work that can throw asks `check()` at every step. Work that cannot, a long loop inside a tensor operation or a
/// kernel, asks `isRequested` of the `current` one about ten times a second and returns early with whatever it has;
/// who made it current drops that result and throws. For example:
///
///     let products = try Cancellation.$current.withValue(cancellation) {
///       let result = multiply(a, b)
///       try cancellation.check()
///       return result
///     }
public final class Cancellation: Sendable {
  /// What the running work is to ask; nil when nobody can stop it. Threads of a pool do not inherit it: whoever splits
  /// work over them reads it first.
  @TaskLocal public static var current: Cancellation?

  /// 1 once stopping was requested; memory of its own, so that C can look at it while it works.
  private nonisolated(unsafe) let requested: UnsafeMutablePointer<Atomic<UInt8>>
  private let handlers = Mutex<[ObjectIdentifier: Handler]>([:])

  private final class Handler: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  public init() {
    requested = .allocate(capacity: 1)
    requested.initialize(to: Atomic(0))
  }

  deinit {
    requested.deinitialize(count: 1)
    requested.deallocate()
  }

  public func request() {
    requested.pointee.store(1, ordering: .relaxed)
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

  public var isRequested: Bool { requested.pointee.load(ordering: .relaxed) != 0 }

  /// A byte that is 0 until stopping is requested, for C loops to look at atomically. It lives as long as the request.
  public var flag: UnsafePointer<UInt8> { UnsafeRawPointer(requested).assumingMemoryBound(to: UInt8.self) }

  /// - Throws: `CompressError` of kind `.cancelled` once stopping was requested.
  public func check() throws {
    if isRequested { throw Self.error }
  }

  public static var error: CompressError {
    CompressError("stopped on request; finished stages are kept", kind: .cancelled)
  }
}
