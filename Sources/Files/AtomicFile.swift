#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif
import Diagnostics

/// Files that appear whole or not at all, even when the machine stops in between.
///
/// The content is written beside the target, flushed to the disk and renamed over it. On an error up to then the
/// temporary file is removed and the target is what it was before; only flushing the folder comes later.
public enum AtomicFile {
  /// Writes `[UInt8]`, `Data`, `UnsafeRawBufferPointer`, a string's `utf8` …
  ///
  /// - Throws: `CompressError` with the file and what the system said (disk full, read-only …).
  public static func write(_ bytes: some Collection<UInt8>, to path: String) throws {
    try write(to: path) { try $0.write(bytes) }
  }

  /// Writes what `body` hands to the writer. An error thrown by `body` abandons the file.
  public static func write(to path: String, _ body: (FileWriter) throws -> Void) throws {
    let folder = Folders.parent(of: path)
    let temporary = "\(folder)/.compress-\(String(UInt64.random(in: 0...(.max)), radix: 36)).tmp"
    do {
      let file = try FileDescriptor(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o666, action: "write")
      let writer = FileWriter(descriptor: file.number, path: path)
      try body(writer)
      try writer.flush()
      guard retrying({ fsync(file.number) }) == 0 else { throw CompressError.system("write", path) }
      guard rename(temporary, path) == 0 else { throw CompressError.system("write", path) }
    } catch {
      unlink(temporary)
      guard var failure = error as? CompressError else { throw error }
      if failure.file == temporary { failure.file = path }
      throw failure
    }
    try flush(folder: folder)
  }

  /// Makes the renaming itself last; file systems that cannot flush a folder (EINVAL) are taken as they are.
  private static func flush(folder: String) throws {
    let directory = try FileDescriptor(folder, O_RDONLY | O_DIRECTORY, action: "open folder")
    guard retrying({ fsync(directory.number) }) == 0 || errno == EINVAL else {
      throw CompressError.system("write folder", folder)
    }
  }
}
