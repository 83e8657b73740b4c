import GRDB

extension RunStore {
  /// How long stages took that were computed before: what a guess of others goes by.
  public struct Durations: Sendable {
    fileprivate var byLabel: [String: Double] = [:]
    fileprivate var byKind: [String: Double] = [:]

    /// Seconds: the mean of stages of that kind and label, or else of that kind; nil where there was none.
    public func seconds(kind: String, label: String) -> Double? { byLabel["\(kind) \(label)"] ?? byKind[kind] }
  }

  public func durations() throws -> Durations {
    try read { db in
      var durations = Durations()
      let labels = try Row.fetchAll(
        db, sql: "SELECT kind, label, avg(seconds) AS mean FROM stages GROUP BY kind, label")
      for row in labels {
        let kind: String = try row.checked("kind"), label: String = try row.checked("label")
        durations.byLabel["\(kind) \(label)"] = try row.checked("mean", as: Double.self)
      }
      for row in try Row.fetchAll(db, sql: "SELECT kind, avg(seconds) AS mean FROM stages GROUP BY kind") {
        durations.byKind[try row.checked("kind")] = try row.checked("mean", as: Double.self)
      }
      return durations
    }
  }
}
