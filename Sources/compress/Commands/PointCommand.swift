import ArgumentParser
import Diagnostics
import Experiments
import Foundation
import Pipeline
import Reports

/// What `compress sweep` starts for each point; not for people.
struct PointCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "point", abstract: "Run one point of a sweep.", shouldDisplay: false)

  @Argument(help: "The sweep's folder.")
  var folder: String

  @Argument(help: "The point's number.")
  var number: Int

  @Option(help: "Ends with this process.")
  var parent: Int32?

  func run() throws {
    if let parent { Parent.follow(parent) }
    let cancellation = Cancellation()
    let signals = StopSignals(cancellation)
    defer { signals.stop() }
    // Ctrl-C reaches the whole group; the coordinator decides what it means.
    if parent != nil { signals.ignoreInterrupts() }
    try PointWorker.run(
      number, of: SweepFolder(folder), program: Compress.program, version: Compress.version,
      progress: TerminalProgress(), cancellation: cancellation, print: { Terminal(.output).writeLine($0) })
  }
}
