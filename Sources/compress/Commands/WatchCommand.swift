import ArgumentParser
import Diagnostics
import Files
import Foundation
import Reports

/// `compress watch SCRIPT`.
struct WatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Run a pipeline, and again whenever it, or a plugin it may use, is saved.",
    discussion: """
      Takes what compress run takes. Looks at all Lua files beside the script, and in the folders of --plugins. What is \
      saved while the script runs ends that run and begins another; what was computed until then is kept. Ctrl-C ends it.

      For example: compress watch pipelines/mnist_lab.lua --out results --set epochs=1
      """)

  @Argument(
    parsing: .captureForPassthrough, help: "The pipeline, and options of compress run.", completion: .script)
  var arguments: [String] = []

  /// Seconds between two looks.
  private static let pause = 0.2

  func validate() throws {
    guard !arguments.contains(where: { ["-h", "--help"].contains($0) }) else { throw CleanExit.helpRequest(self) }
    guard arguments.contains(where: { $0.hasSuffix(".lua") }) else {
      throw ValidationError("name a pipeline: compress watch SCRIPT.lua")
    }
    // A misspelt option is told once, before the watch begins.
    do { _ = try RunCommand.parse(arguments) } catch { RunCommand.exit(withError: error) }
  }

  func run() throws {
    let options = try RunCommand.parse(arguments).options
    let folders = [Folders.parent(of: options.script)] + options.plugins
    let terminal = Terminal(.errors), stop = Cancellation()
    let signals = StopSignals(stop)
    defer { signals.stop() }
    var seen = Self.times(folders, options.script)
    while true {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: Compress.program)
      process.arguments = ["run"] + arguments
      try process.run()
      var changed: String?
      while changed == nil || process.isRunning {
        if stop.isRequested {
          // The terminal told the other process, too; otherwise it is told here.
          if process.isRunning { kill(process.processIdentifier, SIGINT) }
          process.waitUntilExit()
          throw ExitCode(130)
        }
        let now = Self.times(folders, options.script)
        if let name = Self.difference(seen, now) {
          changed = name
          seen = now
          if process.isRunning { kill(process.processIdentifier, SIGINT) }
        }
        Thread.sleep(forTimeInterval: Self.pause)
      }
      let name = (changed ?? "").escapedForTerminal
      terminal.writeLine(terminal.styled("── \(name) has changed ──", .dim))
    }
  }

  /// When each Lua file was written last.
  private static func times(_ folders: [String], _ script: String) -> [String: Date] {
    let files = folders.flatMap { folder in
      ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasSuffix(".lua") }
        .map { "\(folder)/\($0)" }
    }
    var times: [String: Date] = [:]
    for file in files + [script] {
      times[Folders.absolute(file)] =
        (try? FileManager.default.attributesOfItem(atPath: file))?[.modificationDate] as? Date
    }
    return times
  }

  /// The name of a file that is new, gone or written since.
  private static func difference(_ before: [String: Date], _ now: [String: Date]) -> String? {
    Set(before.keys).union(now.keys).sorted().first { before[$0] != now[$0] }
      .map { URL(fileURLWithPath: $0).lastPathComponent }
  }
}
