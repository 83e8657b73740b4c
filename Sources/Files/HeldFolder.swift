#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif
import Diagnostics

/// A folder held open, in which names are reached from the folder itself and never through a symbolic link.
///
/// For folders that were made by somebody else and are gone on with here. Whoever prepared one may have put anything
/// under the names that are to be read or written: links that lead elsewhere, second names of other files, pipes that
/// make a reader wait. None of them is followed, written through or waited for.
public final class HeldFolder: Sendable {
  public let path: String
  private let descriptor: FileDescriptor

  /// - Parameter path: as the user named it: links on the way there are the user's own.
  /// - Throws: `CompressError` with the path when there is no such folder.
  public convenience init(_ path: String) throws {
    try self.init(path, FileDescriptor(path, O_RDONLY | O_DIRECTORY, action: "open folder"))
  }

  private init(_ path: String, _ descriptor: consuming FileDescriptor) {
    self.path = path
    self.descriptor = descriptor
  }

  /// A folder inside, any number of levels below.
  ///
  /// - Parameters:
  ///   - name: relative, without `..`.
  ///   - isMade: whether folders that are missing are made.
  /// - Throws: `CompressError` with its path when it is missing, or something on the way is a link or no folder.
  public func folder(_ name: String, isMade: Bool = false) throws -> HeldFolder {
    var found = self
    for part in try Self.parts(name) { found = try found.child(part, isMade: isMade) }
    return found
  }

  private func child(_ name: String, isMade: Bool) throws -> HeldFolder {
    let path = "\(path)/\(name)"
    if isMade, mkdirat(descriptor.number, name, 0o777) != 0, errno != EEXIST {
      throw CompressError.system("make folder", path)
    }
    return HeldFolder(path, try open(name, O_RDONLY | O_DIRECTORY, action: "open folder"))
  }

  /// - Throws: `CompressError` when a part of it is empty, `.` or `..`, or it is absolute.
  private static func parts(_ name: String) throws -> [String] {
    let parts = name.splitByBytes(at: "/")
    guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." && !$0.contains("\0") }) else {
      throw CompressError("\"\(name.escapedForTerminal.shortened(to: 200))\" is no name inside a folder", kind: .input)
    }
    return parts
  }

  /// The folder that a file lies in, and its name there.
  private func place(_ name: String, isMade: Bool = false) throws -> (folder: HeldFolder, name: String) {
    let parts = try Self.parts(name)
    guard parts.count > 1 else { return (self, name) }
    return (try folder(parts.dropLast().joined(separator: "/"), isMade: isMade), parts.last!)
  }

  private func open(_ name: String, _ flags: Int32, mode: mode_t = 0, action: String) throws -> FileDescriptor {
    let path = "\(path)/\(name)"
    let number = retrying { openat(descriptor.number, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode) }
    guard number >= 0 else {
      // What O_NOFOLLOW meets says "too many levels of symbolic links", or of folders that they are none.
      guard errno != ELOOP, !(errno == ENOTDIR && isLink(name)) else {
        throw CompressError("cannot \(action): it is a symbolic link", kind: .input).at(file: path)
      }
      throw CompressError.system(action, path)
    }
    return FileDescriptor(number, path)
  }

  private func mode(of name: String) -> mode_t? {
    var status = stat()
    return fstatat(descriptor.number, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status.st_mode & S_IFMT : nil
  }

  private func isLink(_ name: String) -> Bool { mode(of: name) == S_IFLNK }

  /// Whether the name is there, whatever it is.
  public func has(_ name: String) -> Bool {
    guard let (folder, name) = try? place(name) else { return false }
    return folder.mode(of: name) != nil
  }

  /// The names in the folder, in order.
  public var names: [String] { Leftovers.names(in: path).sorted() }

  // MARK: Reading

  /// The content of a file; nil when nothing has that name.
  ///
  /// - Parameter limit: bytes; more are refused before any is read.
  /// - Throws: `CompressError` with its path when it is a link, no regular file, has a second name somewhere, or is
  ///   larger than the limit.
  public func contents(_ name: String, limit: Int) throws -> [UInt8]? {
    var folder = self, parts = try Self.parts(name)
    let last = parts.removeLast()
    for part in parts {
      guard folder.mode(of: part) != nil else { return nil }
      folder = try folder.child(part, isMade: false)
    }
    guard folder.mode(of: last) != nil else { return nil }
    return try folder.content(folder.open(last, O_RDONLY, action: "read"), limit)
  }

  /// The last bytes of a file, at most so many, however long it is.
  ///
  /// - Throws: `CompressError` with its path when it is not there, a link or no regular file.
  public func end(of name: String, bytes count: Int) throws -> [UInt8] {
    let (folder, name) = try place(name)
    let file = try folder.open(name, O_RDONLY, action: "read")
    let status = try file.status()
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw CompressError("not a regular file", kind: .input).at(file: file.path)
    }
    guard lseek(file.number, max(0, status.st_size - off_t(count)), SEEK_SET) >= 0 else {
      throw CompressError.system("read", file.path)
    }
    return try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
    }
  }

  private func content(_ file: borrowing FileDescriptor, _ limit: Int) throws -> [UInt8] {
    let status = try file.status(), path = file.path
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw CompressError("not a regular file", kind: .input).at(file: path)
    }
    guard status.st_nlink == 1 else {
      throw CompressError("a file of \(status.st_nlink) names: it may be anybody's", kind: .input).at(file: path)
    }
    let size = Int(status.st_size)
    guard size <= limit else {
      throw CompressError("the file has \(size) bytes; the limit is \(limit)", kind: .limit).at(file: path)
    }
    var bytes = [UInt8](repeating: 0, count: size)
    let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
    guard count == size else { throw CompressError("changed while it was read", kind: .input).at(file: path) }
    return bytes
  }

  // MARK: Writing

  /// Writes a file whole or not at all, in place of whatever has its name; folders on the way are made.
  ///
  /// - Parameter mode: its permissions.
  /// - Throws: `CompressError` with its path when a folder on the way is a link, or the system refuses.
  public func write(_ bytes: some Collection<UInt8>, to name: String, mode: mode_t = 0o666) throws {
    let (folder, name) = try place(name, isMade: true)
    try folder.replace(name, with: bytes, mode: mode)
  }

  private func replace(_ name: String, with bytes: some Collection<UInt8>, mode: mode_t) throws {
    let target = "\(path)/\(name)"
    AtomicFile.removeLeftovers(in: path)
    let temporary = AtomicFile.temporaryName()
    let file = try open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: mode, action: "write")
    do {
      // Held, so that it is not taken for what a killed process left.
      _ = retrying { flock(file.number, LOCK_EX) }
      let writer = FileWriter(descriptor: file.number, path: target)
      try writer.write(bytes)
      try writer.flush()
      guard retrying({ fsync(file.number) }) == 0,
        renameat(descriptor.number, temporary, descriptor.number, name) == 0
      else { throw CompressError.system("write", target) }
    } catch {
      unlinkat(descriptor.number, temporary, 0)
      throw error
    }
    guard retrying({ fsync(descriptor.number) }) == 0 || errno == EINVAL else {
      throw CompressError.system("write folder", path)
    }
  }

  /// Begins a file anew and hands out its descriptor, which the caller closes. What had the name before is removed,
  /// not written over.
  ///
  /// - Throws: `CompressError` with its path when the system refuses.
  public func begin(_ name: String) throws -> Int32 {
    let (folder, name) = try place(name)
    if unlinkat(folder.descriptor.number, name, 0) != 0, errno != ENOENT {
      throw CompressError.system("write", "\(folder.path)/\(name)")
    }
    let file = try folder.open(name, O_WRONLY | O_CREAT | O_EXCL, mode: 0o666, action: "write")
    let copy = fcntl(file.number, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else { throw CompressError.system("write", file.path) }
    // Nothing can be there to wait for: it is a file, and new.
    _ = fcntl(copy, F_SETFL, fcntl(copy, F_GETFL) & ~O_NONBLOCK)
    return copy
  }

  /// Removes a name that is no folder's.
  ///
  /// - Throws: `CompressError` with its path when the system refuses, or nothing has that name.
  public func remove(_ name: String) throws {
    let (folder, name) = try place(name)
    guard unlinkat(folder.descriptor.number, name, 0) == 0 else {
      throw CompressError.system("remove", "\(folder.path)/\(name)")
    }
  }

  /// A lock by the name of a file in the folder, which is made if need be.
  ///
  /// - Throws: `CompressError` with its path when the name is that of a link or anything but a file.
  public func lock(_ name: String) throws -> FileLock {
    let (folder, name) = try place(name)
    let file = try folder.open(name, O_RDWR | O_CREAT, mode: 0o666, action: "open")
    guard try file.status().st_mode & S_IFMT == S_IFREG else {
      throw CompressError("not a regular file", kind: .input).at(file: "\(folder.path)/\(name)")
    }
    return FileLock(file)
  }

  // MARK: All of it

  /// Looks through everything below, without following anything.
  ///
  /// - Throws: `CompressError` naming the first thing that is neither a folder nor a regular file, or what lies deeper
  ///   than `depth` folders.
  public func checkPlain(depth: Int = 8) throws {
    for name in names {
      let path = "\(path)/\(name)"
      switch mode(of: name) {
      case S_IFREG, nil: continue
      case S_IFDIR:
        guard depth > 0 else { throw CompressError("a folder too deep inside", kind: .input).at(file: path) }
        try child(name, isMade: false).checkPlain(depth: depth - 1)
      case S_IFLNK:
        throw CompressError(
          "a symbolic link, where only files and folders are expected", kind: .input,
          hint: "a folder that was prepared by somebody else may lead elsewhere; remove the link to go on"
        ).at(file: path)
      default: throw CompressError("neither a file nor a folder", kind: .input).at(file: path)
      }
    }
  }
}
