import Diagnostics
import Files
import Foundation
import GRDB

/// Every run this user made, in one SQLite file: what was asked for, where it ran, what came out.
///
/// Any number of processes may read it while others write; a record is there whole or not at all.
public final class RunStore {
  public let path: String
  let database: DatabasePool

  /// The user's: `$XDG_DATA_HOME/compress/runs.sqlite`, or `~/.local/share/compress/runs.sqlite`.
  ///
  /// - Throws: `CompressError` when the user has no home, or as `init(_:)` does.
  public static func ofUser() throws -> RunStore {
    guard let folder = Folders.data else {
      throw CompressError("there is no folder for the run store", kind: .system, hint: "set XDG_DATA_HOME")
    }
    let store = try RunStore(folder + "/runs.sqlite")
    // Sweeps lie beside it, and their commands tell as much.
    try Folders.keepPrivate(folder)
    return store
  }

  /// Opens the file, making it or bringing it up to date if need be.
  ///
  /// - Throws: `CompressError` with the file when the system refuses, it is no run store, or a newer program made it.
  public init(_ path: String) throws {
    self.path = path
    do {
      try Folders.create(Folders.parent(of: path), mode: 0o700)
      // Two processes that come at once would both make the tables.
      let lock = try FileLock(path + ".lock", mode: 0o600)
      try lock.lock(.exclusive)
      try Self.keepPrivate(path)
      database = try DatabasePool(path: path, configuration: Self.configuration)
      let migrator = RunStoreSchema.migrator
      guard try !database.read(migrator.hasBeenSuperseded) else {
        throw CompressError("is of a newer version of this program", kind: .input)
      }
      try migrator.migrate(database)
    } catch {
      throw Self.described(error, path)
    }
  }

  /// What was run, where and with what is nobody else's to read. SQLite gives the files beside the database the
  /// permissions that it has.
  private static func keepPrivate(_ path: String) throws {
    try Folders.makePrivateFile(path)
    for ending in ["-wal", "-shm", ".lock"] where Folders.isFile(path + ending) {
      try Folders.keepPrivate(path + ending)
    }
  }

  private static var configuration: Configuration {
    var configuration = Configuration()
    // Writers take turns; each is done in milliseconds.
    configuration.busyMode = .timeout(30)
    // What was recorded stays, also when the power goes.
    configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
    return configuration
  }

  func read<R>(_ body: (Database) throws -> R) throws -> R {
    do { return try database.read(body) } catch { throw Self.described(error, path) }
  }

  func write<R>(_ body: (Database) throws -> R) throws -> R {
    do { return try database.write(body) } catch { throw Self.described(error, path) }
  }

  /// Outside of any transaction.
  func writeOutside(_ body: (Database) throws -> Void) throws {
    do { try database.writeWithoutTransaction(body) } catch { throw Self.described(error, path) }
  }

  /// What SQLite said, as an error of this program.
  private static func described(_ error: any Error, _ path: String) -> CompressError {
    if let error = error as? CompressError { return error.at(file: path) }
    guard let error = error as? DatabaseError else { return CompressError("\(error)", kind: .system).at(file: path) }
    let what =
      switch error.resultCode {
      case .SQLITE_FULL: "cannot write: the disk is full"
      case .SQLITE_NOTADB: "is no run store"
      case .SQLITE_CORRUPT: "is damaged"
      case .SQLITE_READONLY: "cannot be written"
      case .SQLITE_BUSY: "is held by another process for too long"
      default: "\(error.message ?? "SQLite error \(error.resultCode.rawValue)")"
      }
    let isInput = error.resultCode == .SQLITE_NOTADB || error.resultCode == .SQLITE_CORRUPT
    return CompressError(what, kind: isInput ? .input : .system).at(file: path)
  }
}
