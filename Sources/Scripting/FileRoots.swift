import Diagnostics
import Files
import Foundation

/// Keeps scripts inside the folders they may reach: relative names, no `..`, no symbolic link that
/// leads out.
public enum FileRoots {
  /// An existing file under one of the roots, the first that has it.
  public static func existing(_ name: String, under roots: [String]) throws -> String {
    try check(name)
    for root in roots {
      let path = "\(root)/\(name)"
      guard FileManager.default.fileExists(atPath: path) else { continue }
      try checkInside(path, root, name)
      return path
    }
    throw CompressError(
      "there is no file \"\(name.escapedForTerminal)\" in \(roots.joined(separator: " or "))", kind: .input)
  }

  /// What the program itself writes into a run's folder, or a sweep's: the first part of a name there.
  private static let own: Set<String> = [
    "results.json", "report.html", "models", "outcome.json", "job.json", "log.txt", "sweep.json", "table.csv",
    "index.html", "points", "slurm",
  ]

  /// A path for a new file under the root, its folder made.
  ///
  /// - Throws: `CompressError` when the name leads out of the root, or is one that the program keeps for itself.
  static func writable(_ name: String, under root: String) throws -> String {
    try check(name)
    let parts = name.splitByBytes(at: "/")
    // Some file systems know no case.
    guard !own.contains(parts[0].lowercased()), !parts.contains(where: { $0.hasPrefix(".") }) else {
      throw CompressError(
        "\"\(name.escapedForTerminal.shortened(to: 80))\" is a name that the program keeps for itself",
        hint: "save under another name")
    }
    // Whoever lists the folder later should see one file on one line.
    guard name.escapedForTerminal == name else {
      throw CompressError("\"\(name.escapedForTerminal.shortened(to: 80))\" has characters that cannot be seen")
    }
    try Folders.create(root)
    let path = "\(root)/\(name)"
    let folder = Folders.parent(of: path)
    // The nearest folder that exists decides where new ones would end up.
    var existing = folder
    while !Folders.exists(existing) { existing = Folders.parent(of: existing) }
    try checkInside(existing, root, name)
    try Folders.create(folder)
    if FileManager.default.fileExists(atPath: path) { try checkInside(path, root, name) }
    return path
  }

  private static func check(_ name: String) throws {
    let parts = name.splitByBytes(at: "/")
    guard !name.isEmpty, name.utf8.count <= 1024, !name.contains("\0"), !name.utf8.starts(with: "~".utf8),
      !parts.contains(".."), !parts.contains("")
    else {
      throw CompressError(
        "\"\(name.escapedForTerminal)\" is no file name inside the run's folders",
        hint: "files beside the script and in the folder of --data DIR are named by their path from there")
    }
  }

  private static func checkInside(_ path: String, _ root: String, _ name: String) throws {
    guard let real = realpath(path, nil), let realRoot = realpath(root, nil) else {
      throw CompressError("\"\(name.escapedForTerminal)\" cannot be reached", kind: .input)
    }
    defer {
      free(real)
      free(realRoot)
    }
    let inside = String(cString: real), outside = String(cString: realRoot)
    guard inside == outside || outside == "/" || inside.hasPrefix(outside + "/") else {
      throw CompressError(
        "\"\(name.escapedForTerminal)\" leads out of \(root)",
        hint: "scripts read beside themselves and in the folder of --data DIR: name the folder it leads to")
    }
  }
}
