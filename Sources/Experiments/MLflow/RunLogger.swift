import Runs

/// Takes the records of runs to a server.
public protocol RunLogger: AnyObject {
  /// - Parameter folder: where the run's files are; nil logs none.
  func log(_ run: RunRecord, files folder: String?) throws
}

extension MLflowClient: RunLogger {}
