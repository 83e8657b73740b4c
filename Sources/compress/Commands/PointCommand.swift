import ArgumentParser
import Confinement
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

  @Option(parsing: .unconditional, help: "Ends with this process.")
  var parent: Int32?

  @Option(parsing: .singleValue, help: "A folder to read.")
  var read: [String] = []

  @Option(parsing: .singleValue, help: "A folder to write.")
  var write: [String] = []

  @Flag(help: "Says what it has to say in the point's log.")
  var log = false

  @OptionGroup var confinement: ConfinementOptions

  func run() throws {
    let folder = SweepFolder(self.folder), out = folder.folder(of: number)
    // What it may do stands on the command line: the sweep's folder may be somebody else's work.
    let scratch = try Scratch.begin()
    let worker = try Programs.measure(models: out, scratch: scratch, confinement)
    try Broker.seal()
    if !confinement.noConfinement {
      try confinement.confine(Rights(readable: read, writable: write + [scratch]))
    }
    if log { try Self.say(in: folder.logPath(of: number)) }
    if let parent { Parent.follow(parent) }
    let cancellation = Cancellation()
    let signals = StopSignals(cancellation)
    defer { signals.stop() }
    // Ctrl-C reaches the whole group; the coordinator decides what it means.
    if parent != nil { signals.ignoreInterrupts() }
    try PointWorker.run(
      number, of: folder, worker: worker, version: Compress.version, progress: TerminalProgress(),
      cancellation: cancellation, print: { Terminal(.output).writeLine($0) })
  }

  /// Standard output and errors go to a file from now on.
  private static func say(in path: String) throws {
    let log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o666)
    guard log >= 0 else {
      throw CompressError("cannot write: \(String(cString: strerror(errno)))", kind: .system).at(file: path)
    }
    for descriptor in [STDOUT_FILENO, STDERR_FILENO] { dup2(log, descriptor) }
    close(log)
  }
}
