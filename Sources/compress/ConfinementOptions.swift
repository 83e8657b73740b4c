import ArgumentParser
import Confinement
import Diagnostics
import Files
import Foundation
import Reports

/// What every command takes that reads what others wrote, and so confines itself first.
struct ConfinementOptions: ParsableArguments {
  @Flag(
    help: ArgumentHelp(
      "Leave files, programs and the network in reach of whatever code comes to run in this process."))
  var noConfinement = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Memory of the process (default: all that the machine has).", valueName: "mib"))
  var processMemory: Int?

  func validate() throws {
    if noConfinement, processMemory != nil {
      throw ValidationError("--process-memory is a limit of the confinement, which --no-confinement leaves out")
    }
  }

  /// Confines this process, which must have one thread yet.
  func confine(_ rights: Rights) throws {
    guard !noConfinement else {
      let terminal = Terminal(.errors)
      return terminal.write(terminal.told("note: ", .yellow, text: "this process is not confined"))
    }
    var rights = rights
    if let processMemory {
      guard (64...1 << 30).contains(processMemory) else {
        throw CompressError("--process-memory \(processMemory): must be 64 to \(1 << 30) MiB")
      }
      rights.memoryBytes = processMemory << 20
    }
    try rights.confine()
  }

  /// The same, for a process that this one has started.
  var arguments: [String] {
    (noConfinement ? ["--no-confinement"] : []) + (processMemory.map { ["--process-memory", String($0)] } ?? [])
  }
}

extension Rights {
  /// `--read` and `--write` for a process that gets these rights and no others.
  var arguments: [String] {
    readable.flatMap { ["--read", Folders.absolute($0)] } + writable.flatMap { ["--write", Folders.absolute($0)] }
  }
}
