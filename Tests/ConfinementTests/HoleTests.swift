import Confinement
import Foundation
import Testing

/// The program with the hole, as it was built beside the tests.
private let hole = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent(
  "hole"
).path

/// With the first hole open, an attacker's code in the process comes to nothing.
@Suite(.serialized) struct HoleTests {
  private final class Place {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("compress-hole-\(UUID().uuidString)").path
    let victim = Process()

    init() throws {
      for folder in ["inside", "outside"] {
        try FileManager.default.createDirectory(atPath: "\(path)/\(folder)", withIntermediateDirectories: true)
      }
      for file in ["outside/secret", "outside/short", "outside/unwanted", "inside/own"] {
        try Data("text".utf8).write(to: URL(fileURLWithPath: "\(path)/\(file)"))
      }
      try FileManager.default.createSymbolicLink(
        atPath: path + "/inside/way", withDestinationPath: path + "/outside")
      victim.executableURL = URL(fileURLWithPath: "/bin/sleep")
      victim.arguments = ["600"]
      victim.standardOutput = FileHandle.nullDevice
      victim.standardError = FileHandle.nullDevice
      try victim.run()
    }

    deinit {
      kill(victim.processIdentifier, SIGKILL)
      try? FileManager.default.removeItem(atPath: path)
    }

    var outside: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path + "/outside").sorted()) ?? [] }
  }

  /// What came of each attack: 0 or an errno.
  private func run(_ arguments: [String]) throws -> (results: [String: Int32], text: String) {
    let process = Process(), output = Pipe()
    process.executableURL = URL(fileURLWithPath: hole)
    process.arguments = arguments
    process.standardOutput = output
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0 && process.terminationReason == .exit, "\(text)")
    var results: [String: Int32] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: "\t")
      if parts.count == 2, let number = Int32(parts[1]) { results[String(parts[0])] = number }
    }
    return (results, text)
  }

  private func attack(_ how: String, _ place: Place) throws -> (results: [String: Int32], text: String) {
    try run([how, place.path + "/inside", place.path + "/outside", String(place.victim.processIdentifier)])
  }

  private static let own: Set<String> = ["own files", "own threads", "known program"]

  @Test(.enabled(if: Walls.available.landlock >= 6 && Walls.available.seccomp))
  func nothingSucceedsBehindTheWall() throws {
    let place = try Place(), before = place.outside
    let (results, text) = try attack("confined", place)
    for (name, error) in results.sorted(by: { $0.key < $1.key }) {
      #expect((error == 0) == Self.own.contains(name), "\(name): \(String(cString: strerror(error)))")
    }
    #expect(results.count == 72, "\(text)")
    #expect(!text.contains("BREACH"))
    #expect(place.outside == before)
    #expect(try String(contentsOfFile: place.path + "/outside/secret", encoding: .utf8) == "text")
    #expect(place.victim.isRunning)
  }

  /// Without the wall the same attacks succeed, where this user may do such things at all: what fails behind it fails
  /// because of it.
  @Test func theyDoSucceedWithoutIt() throws {
    let place = try Place()
    let (results, text) = try attack("open", place)
    let must = [
      "system", "execve", "execveat", "posix_spawn", "fork", "written code", "mapped code", "tcp", "udp", "netlink",
      "unix", "reading", "listing", "writing", "making", "a link's way", "dots", "truncating", "folder", "unlinking",
      "linking", "symlink", "mode", "time", "owner", "renaming", "environment", "own memory", "kill", "group", "state",
      "broker's kill", "tgkill", "queue", "pidfd", "owning", "limits", "shared memory", "watching", "user", "dumpable",
      "forged program",
    ]
    for name in must { #expect(results[name] == 0, "\(name): \(results[name] ?? -1)") }
    for name in Self.own { #expect(results[name] == 0, "\(name): \(results[name] ?? -1)") }
    #expect(text.contains("BREACH"))
    #expect(place.outside.contains("system"))
  }

  @Test(.enabled(if: Walls.available.memoryLimit)) func memoryAndFilesHaveLimits() throws {
    let place = try Place(), (results, text) = try run(["limits", place.path + "/inside"])
    #expect(results == ["memory": ENOMEM, "file": EFBIG, "less memory": 0, "smaller file": 0], "\(text)")
  }

  @Test func aProcessWithThreadsIsNotConfinedByHalf() throws {
    let place = try Place(), (_, text) = try run(["threads", place.path + "/inside"])
    #expect(text.contains("it has 2 threads already"), "\(text)")
  }
}
