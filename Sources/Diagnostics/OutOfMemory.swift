#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Ends the process with the message and the exit status of any error of the machine.
///
/// Nothing is unwound: there is no memory left to do it with.
public func endOutOfMemory(_ byteCount: Int, for purpose: String) -> Never {
  let error = CompressError("out of memory: \(byteCount) bytes for \(purpose)", kind: .system)
  var line = "error: \(error)\n"
  line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
  _exit(error.exitStatus)
}
