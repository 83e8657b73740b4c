import Diagnostics
import Foundation
import GRDB
import Pipeline
import Reports
import Runs

extension RunStore {
  /// Which sweep a run belongs to.
  public struct Membership: Sendable {
    public let sweep: Int64
    public let point: Int

    public init(sweep: Int64, point: Int) {
      self.sweep = sweep
      self.point = point
    }
  }

  /// Notes a sweep, or finds it again.
  ///
  /// - Returns: its number in this store.
  public func record(sweep uid: String, folder: String, definition: String, started: Date) throws -> Int64 {
    try write { db in
      try db.execute(
        sql: """
          INSERT INTO sweeps (uid, folder, definition, started) VALUES (?, ?, ?, ?)
          ON CONFLICT (uid) DO UPDATE SET folder = excluded.folder
          """, arguments: [uid, folder, definition, started.timeIntervalSince1970])
      return try Int64.fetchOne(db, sql: "SELECT id FROM sweeps WHERE uid = ?", arguments: [uid])!
    }
  }

  /// Records a run; one that was recorded under the same name before is replaced and keeps its number.
  @discardableResult
  public func record(_ run: RunRecord, in membership: Membership? = nil) throws -> Int64 {
    try record([(run, membership)])[0]
  }

  /// Records several, all or none.
  @discardableResult
  public func record(_ runs: [(run: RunRecord, membership: Membership?)]) throws -> [Int64] {
    try write { db in try runs.map { try Self.insert($0.run, $0.membership, db) } }
  }

  private static func insert(_ run: RunRecord, _ membership: Membership?, _ db: Database) throws -> Int64 {
    let environment = try id(of: run.environment, db)
    let old = try Int64.fetchOne(db, sql: "SELECT id FROM runs WHERE uid = ?", arguments: [run.uid])
    if let old { try db.execute(sql: "DELETE FROM runs WHERE id = ?", arguments: [old]) }
    let command = String(decoding: try JSONEncoder().encode(run.command), as: UTF8.self)
    try db.cachedStatement(
      sql: """
        INSERT INTO runs (id, uid, sweep, point, script, script_sha256, seed, threads, status, error, started, seconds,
          folder, command, environment, name, note)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      old, run.uid, membership?.sweep, membership?.point, run.script, run.scriptDigest, Int64(bitPattern: run.seed),
      run.threads, run.status.rawValue, run.error, run.started.timeIntervalSince1970, run.seconds, run.folder, command,
      environment, run.labels?.name, run.labels?.note,
    ])
    let id = db.lastInsertedRowID
    try insert(tags: run.labels?.tags ?? [], of: id, db)
    for (name, value) in run.params {
      try db.cachedStatement(sql: "INSERT INTO params VALUES (?, ?, ?)").execute(arguments: [id, name, value.stored])
    }
    for (position, variant) in run.variants.enumerated() {
      let metrics = Metric.allCases.map { variant[$0]?.databaseValue ?? .null }
      try db.cachedStatement(sql: insertVariant).execute(
        arguments: [id, position, position == run.variants.count - 1, variant.name] + StatementArguments(metrics))
    }
    for (position, stage) in run.stages.enumerated() {
      try db.cachedStatement(
        sql: "INSERT INTO stages (key, kind, label, seconds) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO NOTHING"
      ).execute(arguments: [stage.key, stage.kind, stage.label, stage.seconds])
      try db.cachedStatement(sql: "INSERT INTO run_stages SELECT ?, ?, id, ? FROM stages WHERE key = ?")
        .execute(arguments: [id, position, stage.isComputed, stage.key])
    }
    for (name, digest) in run.plugins {
      try db.cachedStatement(sql: "INSERT INTO plugins VALUES (?, ?, ?)").execute(arguments: [id, name, digest])
    }
    for artifact in run.artifacts {
      try db.cachedStatement(sql: "INSERT INTO artifacts VALUES (?, ?, ?, ?)")
        .execute(arguments: [id, artifact.path, artifact.bytes, artifact.sha256])
    }
    return id
  }

  private static func insert(tags: [String], of run: Int64, _ db: Database) throws {
    for tag in tags {
      try db.cachedStatement(sql: "INSERT INTO tags VALUES (?, ?) ON CONFLICT DO NOTHING").execute(arguments: [
        run, tag,
      ])
    }
  }

  /// Says something else of a run.
  ///
  /// - Parameter name: as in `run(_:)`.
  /// - Returns: its number, and what is said of it now.
  @discardableResult
  public func label(
    _ name: String, _ change: (RunRecord.Labels) throws -> RunRecord.Labels
  ) throws -> (id: Int64, labels: RunRecord.Labels) {
    try write { db in
      let id = try Self.id(of: name, db)
      let labels = try change(try Self.labels(of: id, db) ?? RunRecord.Labels())
      try db.execute(
        sql: "UPDATE runs SET name = ?, note = ? WHERE id = ?", arguments: [labels.name, labels.note, id])
      try db.execute(sql: "DELETE FROM tags WHERE run = ?", arguments: [id])
      try Self.insert(tags: labels.tags, of: id, db)
      return (id, labels)
    }
  }

  private static let insertVariant =
    "INSERT INTO variants (run, position, is_last, name, "
    + Metric.allCases.map(\.name).joined(separator: ", ") + ") VALUES (?, ?, ?, ?"
    + String(repeating: ", ?", count: Metric.allCases.count) + ")"

  private static func id(of environment: RunRecord.Environment, _ db: Database) throws -> Int64 {
    let values: StatementArguments = [
      environment.cpu, environment.cores, environment.isa, environment.system, environment.program, environment.lua,
    ]
    try db.cachedStatement(
      sql: """
        INSERT INTO environments (cpu, cores, isa, system, program, lua) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT DO NOTHING
        """
    ).execute(arguments: values)
    return try Int64.fetchOne(
      db,
      sql: """
        SELECT id FROM environments WHERE cpu = ? AND cores = ? AND isa = ? AND system = ? AND program = ? AND lua = ?
        """, arguments: values)!
  }
}

extension ParamValue {
  /// A number is stored as REAL, true and false as INTEGER, so that the type comes back.
  var stored: DatabaseValue {
    switch self {
    case .bool(let value): Int64(value ? 1 : 0).databaseValue
    case .number(let value): value.databaseValue
    case .string(let value): value.databaseValue
    }
  }

  init?(_ stored: DatabaseValue) {
    switch stored.storage {
    case .int64(let value): self = .bool(value != 0)
    case .double(let value): self = .number(value)
    case .string(let value): self = .string(value)
    case .null, .blob: return nil
    }
  }
}
