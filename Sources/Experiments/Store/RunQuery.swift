import Diagnostics
import Foundation
import GRDB
import Reports
import Runs

/// Which rows of the run store are wanted, and in what order.
public struct RunQuery: Sendable {
  /// Which variants of a run are rows of their own.
  public enum Variants: Sendable {
    /// The last one: what a script ends with.
    case last
    case named(String)
    case all
  }

  public var filters: [RunFilter] = []
  public var variants = Variants.last
  /// A column, metric or param; nil: the newest run first.
  public var sort: String?
  /// Otherwise the greatest come first.
  public var isAscending = false
  /// Most rows; nil: all.
  public var limit: Int?

  public init() {}
}

/// A run, and one of its variants.
public struct RunRow: Sendable {
  public let id: Int64
  public let uid: String
  public let sweep: Int64?
  public let point: Int?
  public let script: String
  public let seed: UInt64
  public let threads: Int
  public let status: RunRecord.Status
  public let error: String?
  public let started: Date
  public let seconds: Double
  public let folder: String?
  public let name: String?
  public let note: String?
  public var tags: [String] = []
  public var params: [String: ParamValue] = [:]
  /// Nil for a run that compared nothing.
  public let variant: RunRecord.Variant?
}

extension RunStore {
  /// - Throws: `CompressError` when a filter or the order names something that no run has.
  public func rows(_ query: RunQuery) throws -> [RunRow] {
    try read { db in
      var rows: [RunRow] = []
      try Self.forEachRow(query, db) { rows.append($0) }
      return rows
    }
  }

  /// The rows one by one, as they come out of the file.
  public func forEachRow(_ query: RunQuery, _ body: (RunRow) throws -> Void) throws {
    try read { try Self.forEachRow(query, $0, body) }
  }

  /// How many rows there are, whatever the limit.
  public func count(_ query: RunQuery) throws -> Int {
    try read { db in
      let (from, arguments) = try Self.source(query, db)
      return try Int.fetchOne(db, sql: "SELECT count(*) \(from)", arguments: arguments) ?? 0
    }
  }

  /// Names of all params that runs have.
  public func paramNames() throws -> [String] { try read(Self.paramNames) }

  /// One index look-up a name, however many runs there are.
  private static func paramNames(_ db: Database) throws -> [String] {
    try String.fetchAll(
      db,
      sql: """
        WITH RECURSIVE names (name) AS (
          SELECT min(name) FROM params
          UNION ALL SELECT (SELECT min(name) FROM params WHERE name > names.name) FROM names WHERE names.name IS NOT NULL)
        SELECT name FROM names WHERE name IS NOT NULL
        """)
  }

  private static let columns =
    """
    r.id, r.uid, r.sweep, r.point, r.script, r.seed, r.threads, r.status, r.error, r.started, r.seconds, r.folder,
    r.name, r.note, v.name AS variant, 
    """ + Metric.allCases.map { "v.\($0.name)" }.joined(separator: ", ")

  private static func source(_ query: RunQuery, _ db: Database) throws -> (sql: String, arguments: StatementArguments) {
    var arguments = StatementArguments()
    let join: String
    switch query.variants {
    case .last: join = "LEFT JOIN variants v ON v.run = r.id AND v.is_last"
    case .named(let name):
      join = "JOIN variants v ON v.run = r.id AND v.name = ?"
      arguments += [name]
    case .all: join = "LEFT JOIN variants v ON v.run = r.id"
    }
    var conditions: [String] = []
    for filter in query.filters {
      try check(filter.name, db)
      let (condition, values) = try filter.sql
      conditions.append(condition)
      arguments += values
    }
    let filter = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
    return ("FROM runs r \(join)\(filter)", arguments)
  }

  private static func check(_ name: String, _ db: Database) throws {
    guard case .param(let param) = RunFilter.Subject(name) else { return }
    let isKnown = try Bool.fetchOne(
      db, sql: "SELECT EXISTS (SELECT 1 FROM params WHERE name = ?)", arguments: [param])!
    guard !isKnown else { return }
    let columns = ["status", "script", "seed", "sweep", "seconds", "name", "tag", "note"]
    // A param may be called as a metric is.
    let names = Set(try paramNames(db) + Metric.allCases.map(\.name) + columns).sorted()
    throw CompressError("no run has \"\(name.escapedForTerminal)\"" + Suggestion.text(for: name, among: names))
  }

  private static func forEachRow(_ query: RunQuery, _ db: Database, _ body: (RunRow) throws -> Void) throws {
    var (sql, arguments) = try source(query, db)
    var order = "r.id DESC"
    if let sort = query.sort {
      try check(sort, db)
      let (column, values) = RunFilter.Subject(sort).sqlAndArguments
      // What has no value comes last.
      order = "\(column) \(query.isAscending ? "ASC" : "DESC") NULLS LAST, r.id DESC"
      arguments += values
    }
    sql = "SELECT \(columns) \(sql) ORDER BY \(order), v.position"
    if let limit = query.limit {
      sql += " LIMIT ?"
      arguments += [limit]
    }
    let params = try db.makeStatement(sql: "SELECT name, value FROM params WHERE run = ?")
    let tags = try db.makeStatement(sql: "SELECT tag FROM tags WHERE run = ? ORDER BY tag")
    let rows = try Row.fetchCursor(db, sql: sql, arguments: arguments)
    while let row = try rows.next() {
      var run = try RunRow(row)
      let cursor = try Row.fetchCursor(params, arguments: [run.id])
      while let param = try cursor.next() {
        run.params[try param.checked("name")] = ParamValue(param["value"] as DatabaseValue)?.withoutSecrets
      }
      run.tags = try String.fetchAll(tags, arguments: [run.id])
      try body(run)
    }
  }
}

extension RunRow {
  init(_ row: Row) throws {
    id = try row.checked("id")
    uid = try row.checked("uid")
    sweep = try row.checked("sweep", as: Int64.self)
    point = try row.checked("point", as: Int.self)
    script = try row.checked("script")
    seed = UInt64(bitPattern: try row.checked("seed", Int64.self))
    threads = try row.checked("threads")
    status = RunRecord.Status(rawValue: try row.checked("status")) ?? .failed
    // Records of earlier versions may hold some.
    error = try row.checked("error", as: String.self).map(Secrets.removed)
    started = Date(timeIntervalSince1970: try row.checked("started"))
    seconds = try row.checked("seconds")
    folder = try row.checked("folder", as: String.self)
    name = try row.checked("name", as: String.self)
    note = try row.checked("note", as: String.self)
    variant = try row.checked("variant", as: String.self).map { try RunRecord.Variant(name: $0, row: row) }
  }
}

extension RunRecord.Variant {
  /// - Parameter row: has a column for each metric.
  init(name: String, row: Row) throws {
    let values = try Metric.allCases.compactMap { metric in
      try row.checked(metric.name, as: Double.self).map { (metric, $0) }
    }
    self.init(name: name, metrics: Dictionary(uniqueKeysWithValues: values))
  }
}
