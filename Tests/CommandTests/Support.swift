import Foundation
import Testing

let sourceRoot = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().path

/// The program, as it was built beside the tests.
let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("compress").path

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

/// Runs `compress` with a cache of its own.
func compress(_ arguments: [String], cache: TemporaryFolder, environment: [String: String] = [:]) throws -> Outcome {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: program)
  process.arguments = arguments
  process.environment = ProcessInfo.processInfo.environment
    .merging(["XDG_CACHE_HOME": cache.path, "COMPRESS_PLUGINS": sourceRoot + "/plugins"]) { $1 }.merging(environment) { $1 }
  // Files rather than pipes: nobody has to read while it runs.
  let output = "\(cache.path)/output-\(UUID().uuidString)", errors = output + ".err"
  for file in [output, errors] { try Data().write(to: URL(fileURLWithPath: file)) }
  process.standardOutput = FileHandle(forWritingAtPath: output)
  process.standardError = FileHandle(forWritingAtPath: errors)
  process.standardInput = FileHandle.nullDevice
  try process.run()
  process.waitUntilExit()
  return Outcome(
    status: process.terminationStatus, output: try String(contentsOfFile: output, encoding: .utf8),
    errors: try String(contentsOfFile: errors, encoding: .utf8))
}

/// Where real data sets are, if anywhere: `$COMPRESS_TEST_DATA`, or `shared/data` beside the source tree.
let realData: String? = {
  let candidates = [ProcessInfo.processInfo.environment["COMPRESS_TEST_DATA"], sourceRoot + "/../shared/data"]
  let found = candidates.compactMap { $0 }.first { FileManager.default.fileExists(atPath: $0 + "/mnist") }
  if found == nil { print("SKIPPED: no real MNIST; set COMPRESS_TEST_DATA to a folder that holds mnist/") }
  return found
}()
