#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif
import Diagnostics
import Synchronization

/// Files that appear whole or not at all, even when the machine stops in between.
///
/// The content is written beside the target, flushed to the disk and renamed over it. On an error up to then the
/// temporary file is removed and the target is what it was before; only flushing the folder comes later. A killed
/// process cannot remove its own: the next one to write into the folder does.
public enum AtomicFile {
  /// Writes `[UInt8]`, `Data`, `UnsafeRawBufferPointer`, a string's `utf8` …
  ///
  /// - Throws: `CompressError` with the file and what the system said (disk full, read-only …).
  public static func write(_ bytes: some Collection<UInt8>, to path: String) throws {
    try write(to: path) { try $0.write(bytes) }
  }

  /// Writes what `body` hands to the writer. An error thrown by `body` abandons the file.
  ///
  /// - Parameter limit: bytes; more abandon the file with an error of kind `.limit`.
  public static func write(to path: String, limit: Int = .max, _ body: (FileWriter) throws -> Void) throws {
    let folder = Folders.parent(of: path)
    try checkReplaceable(path)
    removeLeftovers(in: folder)
    do {
      let file = try temporary(in: folder)
      do {
        let writer = FileWriter(descriptor: file.number, path: path, limit: limit)
        try body(writer)
        try writer.flush()
        guard retrying({ fsync(file.number) }) == 0 else { throw CompressError.system("write", path) }
        guard rename(file.path, path) == 0 else { throw CompressError.system("write", path) }
      } catch {
        unlink(file.path)
        throw error
      }
    } catch var failure as CompressError {
      if let file = failure.file, isTemporary(file) { failure.file = path }
      throw failure
    }
    try flush(folder: folder)
  }

  /// A device or a pipe of that name would be a file from then on.
  private static func checkReplaceable(_ path: String) throws {
    var status = stat()
    // The system itself refuses to put a file where a folder is.
    guard lstat(path, &status) == 0, ![S_IFREG, S_IFLNK, S_IFDIR].contains(status.st_mode & S_IFMT) else { return }
    throw CompressError("is no regular file, and is left as it is", kind: .system).at(file: path)
  }

  private static let prefix = ".compress-", suffix = ".tmp"

  private static func isTemporary(_ path: String) -> Bool {
    let name = path.splitByBytes(at: "/").last ?? ""
    return name.hasPrefix(prefix) && name.hasSuffix(suffix)
  }

  /// A name that no other file has.
  static func temporaryName() -> String { prefix + String(UInt64.random(in: 0...(.max)), radix: 36) + suffix }

  /// A new file, locked so that it is not taken for what a killed process left.
  private static func temporary(in folder: String) throws -> FileDescriptor {
    while true {
      let file = try FileDescriptor(
        "\(folder)/\(temporaryName())", O_WRONLY | O_CREAT | O_EXCL, mode: 0o666,
        action: "write")
      if Leftovers.claim(file.number, file.path) { return file }
    }
  }

  private static let swept = Mutex<Set<String>>([])

  /// Removes what killed processes left in a folder; once in a process. Every write begins with it.
  public static func removeLeftovers(in folder: String) {
    guard swept.withLock({ $0.insert(folder).inserted }) else { return }
    Leftovers.sweep(folder, where: isTemporary) { unlink($0) }
  }

  /// Makes the renaming itself last; file systems that cannot flush a folder (EINVAL) are taken as they are.
  static func flush(folder: String) throws {
    let directory = try FileDescriptor(folder, O_RDONLY | O_DIRECTORY, action: "open folder")
    guard retrying({ fsync(directory.number) }) == 0 || errno == EINVAL else {
      throw CompressError.system("write folder", folder)
    }
  }
}
