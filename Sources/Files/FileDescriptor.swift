#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif
import Diagnostics

/// An open file that closes itself.
struct FileDescriptor: ~Copyable {
  let number: Int32
  let path: String

  init(_ path: String, _ flags: Int32, mode: mode_t = 0, action: String) throws {
    let number = retrying { open(path, flags | O_CLOEXEC, mode) }
    guard number >= 0 else { throw CompressError.system(action, path) }
    self.number = number
    self.path = path
  }

  /// Takes over what is open already.
  init(_ number: Int32, _ path: String) {
    self.number = number
    self.path = path
  }

  deinit { close(number) }

  /// Opens for reading; anything but a regular file (folder, pipe, device) is refused, without blocking on it.
  static func reading(_ path: String) throws -> FileDescriptor {
    let file = try FileDescriptor(path, O_RDONLY | O_NONBLOCK, action: "read")
    guard try file.status().st_mode & S_IFMT == S_IFREG else {
      throw CompressError("not a regular file", kind: .input).at(file: path)
    }
    return file
  }

  func status() throws -> stat {
    var status = stat()
    guard fstat(number, &status) == 0 else { throw CompressError.system("read", path) }
    return status
  }

  /// Reads until the buffer is full or the file ends; returns the bytes read.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    var filled = 0
    while filled < buffer.count {
      let space = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      let count = readBytes(number, space)
      guard count >= 0 else { throw CompressError.system("read", path) }
      if count == 0 { break }
      filled += count
    }
    return filled
  }
}
