import Diagnostics

/// What runs the points of a sweep: processes on this machine, or a cluster's jobs.
public protocol SweepWorkers: AnyObject {
  /// How many more points it takes now.
  var room: Int { get }
  /// Points that are at work, by number.
  var running: [Int] { get }
  /// Begins with points whose jobs are written; no more than there is room for.
  func start(_ points: [SweepDefinition.Point]) throws
  /// Points that ended since it was asked last, one way or another.
  func ended() throws -> [(point: Int, ending: WorkerEnding)]
  /// Asks all to stop, and waits until they have.
  func stop()
}

/// How a worker ended.
public enum WorkerEnding: Sendable, Equatable {
  case exited(Int32)
  /// By a signal from outside, or the machine went away: it may be tried again.
  case lost(String)
  /// By a signal of its own making.
  case crashed(Int32)
}
