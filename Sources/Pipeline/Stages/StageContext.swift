import Diagnostics
import Kernels
import Synchronization

/// What a stage may use while it runs.
public struct StageContext {
  public let pool: ThreadPool
  public let progress: any ProgressSink
  public let cancellation: Cancellation

  public init(pool: ThreadPool, progress: any ProgressSink = SilentProgress(), cancellation: Cancellation = Cancellation()) {
    self.pool = pool
    self.progress = progress
    self.cancellation = cancellation
  }
}

/// A request to stop, made from a signal handler or another thread and heard at the next step.
public final class Cancellation: Sendable {
  private let requested = Atomic<Bool>(false)

  public init() {}

  public func request() { requested.store(true, ordering: .relaxed) }
  public var isRequested: Bool { requested.load(ordering: .relaxed) }

  /// - Throws: `CompressError` of kind `.cancelled` once stopping was requested.
  public func check() throws {
    if isRequested { throw CompressError("stopped on request; finished stages are kept", kind: .cancelled) }
  }
}
