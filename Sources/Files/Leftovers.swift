#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif
import Diagnostics

/// Tells what a killed process left behind from what a living one still uses: whoever makes a temporary file or
/// folder holds a lock on it, and the system releases a dead process's locks at once.
///
/// Where the file system knows no locks nothing is ever taken for a leftover.
enum Leftovers {
  /// Locks what was just made at `path`; false when a sweep was faster and it is gone again.
  static func claim(_ descriptor: Int32, _ path: String) -> Bool {
    _ = retrying { flock(descriptor, LOCK_EX) }
    return access(path, F_OK) == 0
  }

  /// Runs `remove` on each entry of the folder that `isOurs` takes for temporary and no living process holds.
  static func sweep(_ folder: String, where isOurs: (String) -> Bool, _ remove: (String) -> Void) {
    for name in names(in: folder) where isOurs(name) {
      let path = "\(folder)/\(name)"
      guard let file = try? FileDescriptor(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, action: "open"),
        let owner = try? file.status().st_uid, owner == geteuid(), flock(file.number, LOCK_EX | LOCK_NB) == 0
      else { continue }
      remove(path)
    }
  }

  /// What lies in a folder; nothing when it cannot be read.
  static func names(in folder: String) -> [String] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
