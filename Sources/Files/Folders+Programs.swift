#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Folders {
  /// The absolute path of a program in `$PATH`; nil when none of the absolute folders there has it.
  public static func program(_ name: String) -> String? {
    let folders = (environment("PATH") ?? "").split(separator: ":").filter { $0.hasPrefix("/") }
    return folders.map { "\($0)/\(name)" }.first { isFile($0) && access($0, X_OK) == 0 }
  }
}
