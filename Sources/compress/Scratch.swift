import Confinement
import Files
import Foundation

/// The one folder for files in passing that a confined process has: all others in `$TMPDIR` are out of its reach.
enum Scratch {
  /// Held for its lock, as long as the process lives. Set once, before there are threads.
  nonisolated(unsafe) private static var folder: ScratchFolder?

  /// Makes it and puts it in the place of `$TMPDIR`. The broker removes it after the process has ended.
  static func begin() throws -> String {
    let folder = try ScratchFolder(in: Folders.absolute(Folders.environment("TMPDIR") ?? "/tmp"))
    try Broker.remove(afterwards: folder.path)
    setenv("TMPDIR", folder.path, 1)
    Self.folder = folder
    return folder.path
  }
}
