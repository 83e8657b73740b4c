#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif
import Diagnostics
import Foundation

/// Folders: making them, and where this user's cache and data are.
public enum Folders {
  /// The same path from the root, without `.` and `..`; symbolic links stay, as they do in what a person reads of it.
  public static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }

  /// The folder a path lies in; `.` for a bare name.
  public static func parent(of path: String) -> String {
    let slash = UInt8(ascii: "/")
    var head = path.utf8[...]
    while head.count > 1, head.last == slash { head.removeLast() }
    guard let end = head.lastIndex(of: slash) else { return "." }
    let folder = head[..<end]
    return folder.isEmpty ? "/" : String(decoding: folder, as: UTF8.self)
  }

  /// Makes the folder and those above it that are missing; one that exists already is fine.
  ///
  /// - Parameter mode: the permissions of the last of them; those above have the usual ones.
  /// - Throws: `CompressError` when something else has that name, or the system refuses.
  public static func create(_ path: String, mode: UInt16 = 0o777) throws {
    guard !exists(path) else { return }
    if mkdir(path, mode_t(mode)) == 0 { return }
    if errno == ENOENT {
      let above = parent(of: path)
      guard above != path, above != "." else { throw CompressError.system("make folder", path) }
      try create(above)
      if mkdir(path, mode_t(mode)) == 0 { return }
    }
    // Another process may have made it in the meantime.
    guard errno == EEXIST, exists(path) else { throw CompressError.system("make folder", path) }
  }

  /// Takes a file or folder of this user's away from everybody else. Another user's stays as it is.
  ///
  /// - Throws: `CompressError` with the path when the system refuses.
  public static func keepPrivate(_ path: String) throws {
    let item = try FileDescriptor(path, O_RDONLY | O_NONBLOCK, action: "open")
    let status = try item.status()
    let wanted = status.st_mode & 0o700
    guard status.st_uid == geteuid(), status.st_mode & 0o777 != wanted else { return }
    guard fchmod(item.number, wanted) == 0 else { throw CompressError.system("change the permissions of", path) }
  }

  /// Makes an empty file that is this user's alone, or takes one that is there away from everybody else.
  ///
  /// - Throws: `CompressError` with the path when it is no regular file, or the system refuses.
  public static func makePrivateFile(_ path: String) throws {
    let file = try FileDescriptor(path, O_RDWR | O_CREAT | O_NONBLOCK, mode: 0o600, action: "open")
    guard try file.status().st_mode & S_IFMT == S_IFREG else {
      throw CompressError("not a regular file", kind: .input).at(file: path)
    }
    try keepPrivate(path)
  }

  /// Makes the folder if need be and sees to it that files can be made there, before work is spent on them.
  ///
  /// - Throws: `CompressError` when something else has that name, or the system refuses.
  public static func prepare(_ path: String) throws {
    try create(path)
    guard access(path, W_OK | X_OK) == 0 else { throw CompressError.system("write into folder", path) }
  }

  /// Whether the path is a folder (or a link to one).
  public static func exists(_ path: String) -> Bool { mode(of: path) == S_IFDIR }

  /// Whether the path itself is a symbolic link.
  public static func isLink(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  /// Whether the path is a regular file (or a link to one).
  public static func isFile(_ path: String) -> Bool { mode(of: path) == S_IFREG }

  /// Bytes of a regular file.
  ///
  /// - Throws: `CompressError` with the path when there is none.
  public static func size(ofFile path: String) throws -> Int { Int(try FileDescriptor.reading(path).status().st_size) }

  /// Makes a regular file count as changed just now; false when there is none or it cannot be done.
  public static func touch(_ path: String) -> Bool {
    // By a descriptor: a confined process may change the times of what it may open only.
    guard let file = try? FileDescriptor.reading(path) else { return false }
    return futimens(file.number, nil) == 0
  }

  private static func mode(of path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }

  /// `$XDG_CACHE_HOME/compress`, or `~/.cache/compress` when that is unset or, as the XDG base directory
  /// specification says, relative; nil when the user has no home either.
  public static var cache: String? { cache(environment: environment) }

  static func cache(environment: (String) -> String?) -> String? {
    if let base = environment("XDG_CACHE_HOME"), base.hasPrefix("/") { return base + "/compress" }
    guard let home = environment("HOME"), home.hasPrefix("/") else { return nil }
    return home + "/.cache/compress"
  }

  /// `$XDG_DATA_HOME/compress`, or `~/.local/share/compress`: what must not be lost when caches are emptied.
  public static var data: String? { data(environment: environment) }

  static func data(environment: (String) -> String?) -> String? {
    if let base = environment("XDG_DATA_HOME"), base.hasPrefix("/") { return base + "/compress" }
    guard let home = environment("HOME"), home.hasPrefix("/") else { return nil }
    return home + "/.local/share/compress"
  }

  /// The value of an environment variable; nil when unset or empty.
  public static func environment(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
  }
}
