import Foundation
import Testing

let sourceRoot = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().path

/// The program, as it was built beside the tests.
let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent(
  "compress"
).path

struct Outcome {
  let status: Int32
  let output: String
  let errors: String
}

final class TemporaryFolder {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("compress-command-\(UUID().uuidString)").path

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// `compress` at work, with a cache, a run store and a folder for temporary files of its own.
final class Running {
  private let process = Process()
  private let output: String
  private let errors: String
  private let folder: String

  init(
    _ arguments: [String], cache: TemporaryFolder, environment: [String: String] = [:],
    workingIn working: String? = nil,
    program: String = program
  ) throws {
    folder = cache.path
    if let working { process.currentDirectoryURL = URL(fileURLWithPath: working) }
    try FileManager.default.createDirectory(atPath: folder + "/tmp", withIntermediateDirectories: true)
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment
      .merging([
        "XDG_CACHE_HOME": folder, "XDG_DATA_HOME": folder + "/data", "TMPDIR": folder + "/tmp",
        "COMPRESS_PLUGINS": sourceRoot + "/plugins",
      ]) { $1 }
      .merging(environment) { $1 }
    // Files rather than pipes: nobody has to read while it runs.
    output = "\(folder)/output-\(UUID().uuidString)"
    errors = output + ".err"
    for file in [output, errors] { _ = FileManager.default.createFile(atPath: file, contents: nil) }
    process.standardOutput = FileHandle(forWritingAtPath: output)
    process.standardError = FileHandle(forWritingAtPath: errors)
    process.standardInput = FileHandle.nullDevice
    try process.run()
  }

  var id: Int32 { process.processIdentifier }

  /// What it has written to standard output by now.
  var soFar: String { (try? String(contentsOfFile: output, encoding: .utf8)) ?? "" }

  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// The processes it started to measure: their job lies in its temporary folder.
  var workers: [Int32] {
    let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
    return processes.filter { id in
      guard let line = FileManager.default.contents(atPath: "/proc/\(id)/cmdline") else { return false }
      return String(decoding: line, as: UTF8.self).contains("measure\0\(folder)/tmp/")
    }
  }

  /// A status above 256 is the signal that ended it.
  func wait() throws -> Outcome {
    process.waitUntilExit()
    let status = process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 256 : 0)
    defer { for file in [output, errors] { try? FileManager.default.removeItem(atPath: file) } }
    return Outcome(
      status: status, output: try String(contentsOfFile: output, encoding: .utf8),
      errors: try String(contentsOfFile: errors, encoding: .utf8))
  }
}

/// Runs `compress` to its end.
func compress(
  _ arguments: [String], cache: TemporaryFolder, environment: [String: String] = [:], workingIn working: String? = nil
) throws -> Outcome {
  try Running(arguments, cache: cache, environment: environment, workingIn: working).wait()
}

/// Whether the long versions of tests are asked for.
let isSoak = ProcessInfo.processInfo.environment["COMPRESS_SOAK"] != nil

/// Numbers that are the same each time: SplitMix64.
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Where real data sets are, if anywhere: `$COMPRESS_TEST_DATA`, or `shared/data` beside the source tree.
let realData: String? = {
  let candidates = [ProcessInfo.processInfo.environment["COMPRESS_TEST_DATA"], sourceRoot + "/../shared/data"]
  let found = candidates.compactMap { $0 }.first { FileManager.default.fileExists(atPath: $0 + "/mnist") }
  if found == nil { print("SKIPPED: no real MNIST; set COMPRESS_TEST_DATA to a folder that holds mnist/") }
  return found
}()

/// The high-water mark of a running process's memory in bytes; nil when it has ended, or is not the program yet.
func residentPeak(ofProgram id: pid_t) -> Int? {
  guard let status = try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8),
    let executable = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(id)/exe"),
    executable.hasSuffix("/compress")
  else { return nil }
  let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
  return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
}
