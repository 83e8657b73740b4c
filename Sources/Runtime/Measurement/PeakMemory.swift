#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The most physical memory the process has held: since it started, or since it was last reset.
public enum PeakMemory {
  /// In bytes: `VmHWM` of `/proc/self/status`; where there is none, what `getrusage` reports.
  public static func bytes() -> Int { statusBytes(field: "VmHWM:") ?? usageBytes() }

  /// Starts the count anew from what is held now.
  ///
  /// - Returns: whether the system can (Linux: 5 written to `/proc/self/clear_refs`).
  @discardableResult
  public static func reset() -> Bool {
    guard let file = fopen("/proc/self/clear_refs", "w") else { return false }
    let written = fputs("5", file) >= 0
    return fclose(file) == 0 && written
  }

  private static func statusBytes(field: String) -> Int? {
    guard let file = fopen("/proc/self/status", "r") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      guard text.hasPrefix(field) else { continue }
      // "VmHWM:    12345 kB"
      return Int(text.split(whereSeparator: \.isWhitespace)[1]).map { $0 * 1024 }
    }
    return nil
  }

  private static func usageBytes() -> Int {
    var usage = rusage()
    let thisProcess: Int32 = 0  // RUSAGE_SELF, imported with different types from different C libraries
    getrusage(thisProcess, &usage)
    #if canImport(Darwin)
      return Int(usage.ru_maxrss)  // bytes
    #else
      return Int(usage.ru_maxrss) * 1024  // kilobytes
    #endif
  }
}
