import Diagnostics
import Kernels

/// What a computation that may take long is given: threads to use, somebody who hears how far it is, and who stops it.
public struct WorkContext {
  public let pool: ThreadPool
  public let progress: any ProgressSink
  public let cancellation: Cancellation
  /// Called at every step; may wait.
  private let pause: () throws -> Void

  public init(
    pool: ThreadPool, progress: any ProgressSink = SilentProgress(), cancellation: Cancellation = Cancellation(),
    pause: @escaping () throws -> Void = {}
  ) {
    self.pool = pool
    self.progress = progress
    self.cancellation = cancellation
    self.pause = pause
  }

  /// The same for a part of the work, whose progress is told by the whole.
  public var quiet: WorkContext { WorkContext(pool: pool, cancellation: cancellation, pause: pause) }

  /// To be called at every step.
  ///
  /// - Throws: `CompressError` of kind `.cancelled` once stopping was requested.
  public func step() throws {
    try cancellation.check()
    try pause()
  }
}
