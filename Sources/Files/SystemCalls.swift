#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif
import Diagnostics

extension CompressError {
  /// What a failed system call said, for example `cannot write: No space left on device`.
  ///
  /// A file that is not there, or is something else, is the user's to mend (`.input`); all else is the machine's
  /// (`.system`).
  static func system(_ action: String, _ path: String, code: Int32 = errno) -> CompressError {
    let missing = [ENOENT, ENOTDIR, EISDIR, EEXIST].contains(code)
    return CompressError("cannot \(action): \(String(cString: strerror(code)))", kind: missing ? .input : .system)
      .at(file: path)
  }
}

/// Repeats a system call that a signal interrupted.
func retrying<T: SignedInteger>(_ call: () -> T) -> T {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}

// Free functions, because inside a type with a `read` or `write` of its own the system's name is hidden.

func readBytes(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
  retrying { read(descriptor, buffer.baseAddress, buffer.count) }
}

func writeBytes(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
  retrying { write(descriptor, bytes.baseAddress, bytes.count) }
}
