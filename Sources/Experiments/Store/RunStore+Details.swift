import Diagnostics
import Foundation
import GRDB
import Reports
import Runs

/// A run with its number in the store.
public struct StoredRun: Sendable {
  public let id: Int64
  public let sweep: Int64?
  public let point: Int?
  public let record: RunRecord
}

extension RunStore {
  /// Everything about one run.
  ///
  /// - Parameter name: its number, the name it was given, or its hexadecimal one, or so much of the name's beginning that only one run has it.
  /// - Throws: `CompressError` when there is none, or more than one.
  public func run(_ name: String) throws -> StoredRun {
    try read { db in try Self.run(try Self.id(of: name, db), db) }
  }

  static func labels(of id: Int64, _ db: Database) throws -> RunRecord.Labels? {
    let row = try Row.fetchOne(db, sql: "SELECT name, note FROM runs WHERE id = ?", arguments: [id])!
    let tags = try String.fetchAll(db, sql: "SELECT tag FROM tags WHERE run = ? ORDER BY tag", arguments: [id])
    let labels = try RunRecord.Labels(name: row["name"], tags: tags, note: row["note"])
    return labels.isEmpty ? nil : labels
  }

  static func id(of name: String, _ db: Database) throws -> Int64 {
    // A number is meant unless it is long enough to be the beginning of a name.
    if name.count < 8, let number = Int64(name) {
      guard try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM runs WHERE id = ?)", arguments: [number])! else {
        throw CompressError("there is no run \(number)", hint: "compress runs list")
      }
      return number
    }
    let named = try Int64.fetchAll(
      db, sql: "SELECT id FROM runs WHERE name = ? ORDER BY id DESC", arguments: [name])
    guard named.count <= 1 else {
      let numbers = named.prefix(5).map { "\($0)" }.joined(separator: ", ") + (named.count > 5 ? " …" : "")
      throw CompressError(
        "\(named.count) runs have the name \"\(name.escapedForTerminal)\"", hint: "give a number: \(numbers)")
    }
    if let id = named.first { return id }
    let found = try Int64.fetchAll(
      db, sql: "SELECT id FROM runs WHERE uid >= ? AND uid < ? LIMIT 2", arguments: [name, name + "\u{10FFFF}"])
    guard let first = found.first else {
      throw CompressError("there is no run \"\(name.escapedForTerminal)\"", hint: "compress runs list")
    }
    guard found.count == 1 else {
      throw CompressError("more than one run's name begins with \"\(name.escapedForTerminal)\"")
    }
    return first
  }

  private static func run(_ id: Int64, _ db: Database) throws -> StoredRun {
    let row = try Row.fetchOne(
      db, sql: "SELECT e.*, r.* FROM runs r JOIN environments e ON e.id = r.environment WHERE r.id = ?",
      arguments: [id])!
    let command: String = row["command"]
    var record = RunRecord(
      uid: row["uid"], script: row["script"], seed: UInt64(bitPattern: row["seed"]), threads: row["threads"],
      started: Date(timeIntervalSince1970: row["started"]), folder: row["folder"],
      command: (try? JSONDecoder().decode([String].self, from: Data(command.utf8))) ?? [],
      environment: RunRecord.Environment(
        cpu: row["cpu"], cores: row["cores"], isa: row["isa"], system: row["system"], program: row["program"],
        lua: row["lua"]))
    record.scriptDigest = row["script_sha256"]
    record.status = RunRecord.Status(rawValue: row["status"]) ?? .failed
    record.error = (row["error"] as String?).map(Secrets.removed)
    record.seconds = row["seconds"]
    for param in try Row.fetchAll(db, sql: "SELECT name, value FROM params WHERE run = ?", arguments: [id]) {
      record.params[param[0]] = ParamValue(param[1] as DatabaseValue)
    }
    for plugin in try Row.fetchAll(db, sql: "SELECT name, sha256 FROM plugins WHERE run = ?", arguments: [id]) {
      record.plugins[plugin[0]] = plugin[1]
    }
    record.variants = try Row.fetchAll(
      db, sql: "SELECT * FROM variants WHERE run = ? ORDER BY position", arguments: [id]
    ).map { RunRecord.Variant(name: $0["name"], row: $0) }
    record.stages = try Row.fetchAll(
      db,
      sql: """
        SELECT s.key, s.kind, s.label, s.seconds, r.computed FROM run_stages r JOIN stages s ON s.id = r.stage
        WHERE r.run = ? ORDER BY r.position
        """, arguments: [id]
    ).map { RunRecord.Stage(key: $0[0], kind: $0[1], label: $0[2], seconds: $0[3], isComputed: $0[4]) }
    record.artifacts = try Row.fetchAll(
      db, sql: "SELECT path, bytes, sha256 FROM artifacts WHERE run = ? ORDER BY path", arguments: [id]
    ).map { RunRecord.Artifact(path: $0[0], bytes: $0[1], sha256: $0[2]) }
    record.labels = try labels(of: id, db)
    return StoredRun(id: id, sweep: row["sweep"], point: row["point"], record: record)
  }
}
