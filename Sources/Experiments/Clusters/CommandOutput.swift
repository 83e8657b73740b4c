import Diagnostics
import Foundation

/// Another program run to its end, with what it printed.
struct CommandOutput {
  let status: Int32
  let output: String
  let errors: String

  /// - Throws: `CompressError` when there is no such program.
  init(_ name: String, _ arguments: [String]) throws {
    let process = Process(), output = Pipe(), errors = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [name] + arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = errors
    do { try process.run() } catch {
      throw CompressError("cannot start \(name): \(error.localizedDescription)", kind: .system)
    }
    // What these programs say fits a pipe, so that one stream can be read after the other.
    let said = (try? output.fileHandleForReading.readToEnd()) ?? Data()
    let complained = (try? errors.fileHandleForReading.readToEnd()) ?? Data()
    process.waitUntilExit()
    status = process.terminationStatus
    self.output = String(decoding: said, as: UTF8.self)
    self.errors = String(decoding: complained, as: UTF8.self)
  }
}
