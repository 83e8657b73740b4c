import Files
import Foundation
import GRDB
import Runs

extension RunStore {
  /// Which runs are to be forgotten; a run goes when any of it holds.
  public struct Unwanted: Sendable {
    public var olderThan: Date?
    public var failed = false
    /// Runs with a folder that is no longer there.
    public var withoutFolder = false

    public init() {}
  }

  public struct Removal: Sendable {
    public internal(set) var runs = 0
    public internal(set) var sweeps = 0
    /// What the file became smaller by.
    public internal(set) var bytes = 0
  }

  /// Forgets runs, and what no other run needs. Files of runs stay where they are.
  ///
  /// - Parameter isTried: all of it is undone again: only what would be forgotten is counted.
  public func collect(_ unwanted: Unwanted, isTried: Bool = false) throws -> Removal {
    let before = (try? Folders.size(ofFile: path)) ?? 0
    var removal = Removal()
    try writeOutside { db in
      try db.inTransaction {
        removal = try Self.forget(unwanted, db)
        return isTried ? .rollback : .commit
      }
    }
    if removal.runs > 0, !isTried {
      try writeOutside { try $0.execute(sql: "VACUUM") }
      // A reader may be in the way; then the file shrinks at the next chance.
      try? writeOutside { _ = try $0.checkpoint(.truncate) }
    }
    removal.bytes = max(0, before - ((try? Folders.size(ofFile: path)) ?? 0))
    return removal
  }

  private static func forget(_ unwanted: Unwanted, _ db: Database) throws -> Removal {
    var removal = Removal()
    func delete(_ condition: String, _ arguments: StatementArguments = []) throws {
      try db.execute(sql: "DELETE FROM runs WHERE \(condition)", arguments: arguments)
      removal.runs += db.changesCount
    }
    if let date = unwanted.olderThan { try delete("started < ?", [date.timeIntervalSince1970]) }
    if unwanted.failed { try delete("status <> ?", [RunRecord.Status.done.rawValue]) }
    if unwanted.withoutFolder {
      let folders = try String.fetchAll(db, sql: "SELECT DISTINCT folder FROM runs WHERE folder IS NOT NULL")
      for folder in folders where !Folders.exists(folder) { try delete("folder = ?", [folder]) }
    }
    // A young sweep may be about to record its first point.
    try db.execute(
      sql: "DELETE FROM sweeps WHERE started < ? AND NOT EXISTS (SELECT 1 FROM runs WHERE sweep = sweeps.id)",
      arguments: [Date().timeIntervalSince1970 - 86_400])
    removal.sweeps = db.changesCount
    try db.execute(sql: "DELETE FROM stages WHERE id NOT IN (SELECT stage FROM run_stages)")
    try db.execute(sql: "DELETE FROM environments WHERE id NOT IN (SELECT environment FROM runs)")
    return removal
  }
}
