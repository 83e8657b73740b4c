import CConfinement

/// What the kernel has to confine a process with, or what holds a process.
public struct Walls: Sendable, Equatable {
  /// New programs get no more rights than this one has.
  public var noNewPrivileges: Bool
  /// The version of Landlock, which keeps files; 0: none.
  public var landlock: Int
  /// System calls are filtered.
  public var seccomp: Bool
  public var memoryLimit: Bool
  public var fileLimit: Bool

  init(_ walls: cconfine_walls) {
    noNewPrivileges = walls.no_new_privileges
    landlock = Int(walls.landlock)
    seccomp = walls.seccomp
    memoryLimit = walls.memory_limit
    fileLimit = walls.file_limit
  }

  /// What this machine's kernel has.
  public static var available: Walls { Walls(cconfine_available()) }

  /// What is not there, with what that leaves open.
  public var missing: [String] {
    var missing: [String] = []
    if landlock == 0 {
      missing.append("Landlock (Linux 5.13): files outside of a run's folders are not kept from its process")
    } else if landlock < 3 {
      missing.append("Landlock 3 (Linux 6.2): files outside of a run's folders can be cut short by its process")
    }
    if !seccomp { missing.append("seccomp: system calls are not filtered") }
    if !noNewPrivileges { missing.append("no_new_privs") }
    if !memoryLimit { missing.append("a limit on memory, which the address sanitizer does not admit") }
    return missing
  }

  /// `Landlock 6, seccomp, no new privileges, limits on memory and files`.
  public var text: String {
    var parts: [String] = []
    if landlock > 0 { parts.append("Landlock \(landlock)") }
    if seccomp { parts.append("seccomp") }
    if noNewPrivileges { parts.append("no new privileges") }
    let limits = (memoryLimit ? ["memory"] : []) + (fileLimit ? ["files"] : [])
    if !limits.isEmpty { parts.append("limits on \(limits.joined(separator: " and "))") }
    return parts.isEmpty ? "none" : parts.joined(separator: ", ")
  }
}
