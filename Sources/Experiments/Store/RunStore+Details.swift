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
    let labels = try RunRecord.Labels(
      name: row.checked("name", as: String.self), tags: tags, note: row.checked("note", as: String.self))
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
    let command: String = try row.checked("command")
    var record = try RunRecord(
      uid: row.checked("uid"), script: row.checked("script"), seed: UInt64(bitPattern: row.checked("seed", Int64.self)),
      threads: row.checked("threads"), started: Date(timeIntervalSince1970: row.checked("started")),
      folder: row.checked("folder", as: String.self),
      command: (try? JSONDecoder().decode([String].self, from: Data(command.utf8))) ?? [],
      environment: RunRecord.Environment(
        cpu: row.checked("cpu"), cores: row.checked("cores"), isa: row.checked("isa"), system: row.checked("system"),
        program: row.checked("program"), lua: row.checked("lua")))
    record.scriptDigest = try row.checked("script_sha256", as: String.self)
    record.status = RunRecord.Status(rawValue: try row.checked("status")) ?? .failed
    record.error = try row.checked("error", as: String.self).map(Secrets.removed)
    record.seconds = try row.checked("seconds")
    for param in try Row.fetchAll(db, sql: "SELECT name, value FROM params WHERE run = ?", arguments: [id]) {
      record.params[try param.checked("name")] = ParamValue(param["value"] as DatabaseValue)
    }
    for plugin in try Row.fetchAll(db, sql: "SELECT name, sha256 FROM plugins WHERE run = ?", arguments: [id]) {
      record.plugins[try plugin.checked("name")] = try plugin.checked("sha256", String.self)
    }
    record.variants = try Row.fetchAll(
      db, sql: "SELECT * FROM variants WHERE run = ? ORDER BY position", arguments: [id]
    ).map { try RunRecord.Variant(name: $0.checked("name"), row: $0) }
    record.stages = try Row.fetchAll(
      db,
      sql: """
        SELECT s.key, s.kind, s.label, s.seconds, r.computed FROM run_stages r JOIN stages s ON s.id = r.stage
        WHERE r.run = ? ORDER BY r.position
        """, arguments: [id]
    ).map {
      try RunRecord.Stage(
        key: $0.checked("key"), kind: $0.checked("kind"), label: $0.checked("label"), seconds: $0.checked("seconds"),
        isComputed: $0.checked("computed"))
    }
    record.artifacts = try Row.fetchAll(
      db, sql: "SELECT path, bytes, sha256 FROM artifacts WHERE run = ? ORDER BY path", arguments: [id]
    ).map { try RunRecord.Artifact(path: $0.checked("path"), bytes: $0.checked("bytes"), sha256: $0.checked("sha256")) }
    record.labels = try labels(of: id, db)
    return StoredRun(
      id: id, sweep: try row.checked("sweep", as: Int64.self), point: try row.checked("point", as: Int.self),
      record: record)
  }
}
