import Diagnostics
import Files
import Foundation

/// `compress-runner-MACHINE`: the program, linked statically, that measures compiled plans on the machine it is copied to.
public enum RunnerProgram {
  /// Processors that there are runners for, as `uname -m` calls them.
  public static let machines = ["x86_64", "aarch64"]

  /// Where runners may lie, nearest first: `$COMPRESS_RUNNERS`, beside this program, in `../libexec/compress`, where
  /// `make install` puts them, and in `out/lib` of the source tree that the program was built in, where `make lib` does.
  public static var folders: [String] {
    let program =
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    let folder = Folders.parent(of: program)
    var folders = [Folders.environment("COMPRESS_RUNNERS")].compactMap { $0 }
    folders += [folder, "\(Folders.parent(of: folder))/libexec/compress"]
    if let build = program.range(of: "/.build/") { folders.append(program[..<build.lowerBound] + "/out/lib") }
    return folders
  }

  /// Every runner that is there.
  public static var all: [String] { machines.compactMap(path) }

  private static func path(for machine: String) -> String? {
    folders.map { "\($0)/compress-runner-\(machine)" }.first(where: Folders.isFile)
  }

  /// The one for a machine.
  ///
  /// - Throws: `CompressError` when there is none, with the command that builds it.
  static func find(for machine: String) throws -> String {
    guard machines.contains(machine) else {
      throw CompressError(
        "its processor is \"\(machine.escapedForTerminal)\"; what measures there is made for "
          + machines.joined(separator: " and "), kind: .input)
    }
    guard let path = path(for: machine) else {
      throw CompressError(
        "there is no compress-runner-\(machine), which measures there", kind: .system,
        hint: "`make lib` builds it, with CC=\(machine)-linux-gnu-gcc on other machines; looked in "
          + folders.joined(separator: ", "))
    }
    return path
  }
}
