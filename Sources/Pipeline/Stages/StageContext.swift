import Analysis
import Diagnostics
import Kernels

/// What a stage may use while it runs.
public struct StageContext {
  /// For what stages have others compute.
  public let work: WorkContext
  /// Shared with the other processes that work on a sweep; nil for a run of its own.
  public let slot: MeasuringSlot?
  /// Where the stage under way may write down how far it is; nil when its result will not be stored either.
  var checkpoint: StageCheckpoint?

  public var pool: ThreadPool { work.pool }
  public var progress: any ProgressSink { work.progress }
  public var cancellation: Cancellation { work.cancellation }

  public init(
    pool: ThreadPool, progress: any ProgressSink = SilentProgress(), cancellation: Cancellation = Cancellation(),
    slot: MeasuringSlot? = nil
  ) {
    work = WorkContext(pool: pool, progress: progress, cancellation: cancellation) {
      try slot?.yield { try cancellation.check() }
    }
    self.slot = slot
  }

  /// To be called at every step: waits while another process measures.
  ///
  /// - Throws: `CompressError` of kind `.cancelled` once stopping was requested.
  func step() throws { try work.step() }

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
