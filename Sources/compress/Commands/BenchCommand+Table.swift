import Devices
import Diagnostics
import Files
import Foundation
import Pipeline
import Reports

extension BenchCommand {
  /// What `--table` tells with `--json`.
  private struct Told: Encodable {
    let table: String
    let machine: LatencyTable.Machine
    /// How many layers it has now, how many of them are new, and layers whose time depends on where their zeros lie.
    let layers, new: Int
    let leftOut: [String]
    let device: DeviceRecord?

    private enum CodingKeys: String, CodingKey { case table, machine, layers, new, leftOut = "left_out", device }
  }

  /// Measures a model's layers and adds them to a table, which is one machine's.
  func runTable(_ path: String, _ remote: RemoteDevice?) throws {
    let known = FileManager.default.fileExists(atPath: path) ? try LatencyTable(file: path) : nil
    let found = try TableBench(
      model: model, on: remote, reading: try reading.options(), precision: precision, threads: threading.threads ?? 1,
      runs: runs, name: ResultsFile.Machine().cpu)
    var table = known ?? LatencyTable(found.machine)
    guard table.machine == found.machine else {
      func text(_ machine: LatencyTable.Machine) -> String {
        "\(machine.name), \(machine.isa), threads: \(machine.threads)".escapedForTerminal
      }
      throw CompressError("is the table of another machine (\(text(table.machine))) than \(text(found.machine))")
        .at(file: path)
    }
    let new = table.add(found.measured)
    try table.write(to: path)
    let terminal = Terminal(.output)
    if json {
      return try terminal.writeJSON(
        Told(
          table: path, machine: table.machine, layers: table.count, new: new, leftOut: found.leftOut,
          device: found.device))
    }
    terminal.say(
      "\(terminal.styled(path.escapedForTerminal, .bold)): \(Formatting.count(table.count)) layers, \(new) of them new")
    if let device = found.device { terminal.say(DeviceText.sentence(device)) }
    if !found.leftOut.isEmpty {
      terminal.say(
        "left out, since their time depends on where their zeros lie: "
          + found.leftOut.joined(separator: ", ").escapedForTerminal)
    }
  }
}
