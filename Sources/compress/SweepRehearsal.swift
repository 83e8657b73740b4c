import Diagnostics
import Experiments
import Pipeline
import Reports
import Scripting

/// A sweep that is not run: its points, which of their stages are at hand, and how long the others may take.
struct SweepRehearsal {
  private struct Row {
    let point: SweepDefinition.Point
    var atHand = 0, shared = 0, toCompute = 0
  }

  private var rows: [Row] = []
  private var total = 0
  private var seconds = 0.0
  /// Stages that nothing like was computed before.
  private var unknown = 0
  private var stages = 0, atHand = 0

  /// More scripts than anybody wants to wait for.
  private static let mostPoints = 200

  /// Records the stages of the points' scripts; what a script reads back it computes.
  init(
    _ definition: SweepDefinition, _ session: ScriptSession.Options, _ executor: Executor,
    _ durations: RunStore.Durations
  ) throws {
    total = definition.points.count
    var seen: Set<String> = []
    for point in definition.points.prefix(Self.mostPoints) {
      var options = session
      options.settings = (definition.fixed + point.settings).map { ($0.name, $0.value) }
      options.seed = point.seed
      let outcome = try ScriptSession(options, executor: executor, print: { _ in }).run()
      var row = Row(point: point), own: Set<String> = []
      for stage in outcome.stages.flatMap(\.lineage) where own.insert(stage.key.digest).inserted {
        guard seen.insert(stage.key.digest).inserted else {
          row.shared += 1
          continue
        }
        stages += 1
        guard !executor.isAvailable(stage) else {
          row.atHand += 1
          atHand += 1
          continue
        }
        row.toCompute += 1
        if let time = durations.seconds(kind: stage.work.kind, label: stage.work.label) {
          seconds += time
        } else {
          unknown += 1
        }
      }
      rows.append(row)
    }
  }

  /// The same for other programs.
  private struct Plan: Encodable {
    struct Point: Encodable {
      let point: Int
      let params: [String: String]
      let seed: UInt64
      let toCompute, atHand, shared: Int

      private enum CodingKeys: String, CodingKey {
        case point, params, seed, toCompute = "to_compute", atHand = "at_hand", shared
      }
    }

    let points: [Point]
    /// With those that were not looked at.
    let total: Int
    let stages, atHand, toCompute: Int
    /// What the stages to compute may take by one worker, but those of a kind that was never computed.
    let seconds: Double
    let unknown: Int

    private enum CodingKeys: String, CodingKey {
      case points, total, stages, atHand = "at_hand", toCompute = "to_compute", seconds, unknown
    }
  }

  var plan: some Encodable {
    Plan(
      points: rows.map { row in
        Plan.Point(
          point: row.point.number,
          params: Dictionary(row.point.settings.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }),
          seed: row.point.seed, toCompute: row.toCompute, atHand: row.atHand, shared: row.shared)
      }, total: total, stages: stages, atHand: atHand, toCompute: stages - atHand, seconds: seconds, unknown: unknown)
  }

  func rendered(for terminal: Terminal, jobs: Int) -> String {
    var table = TextTable([
      TextTable.Column("point", .right), TextTable.Column("params", .left, cutTo: 24), TextTable.Column("seed", .right),
      TextTable.Column("to compute", .right), TextTable.Column("at hand", .right),
      TextTable.Column("of points before", .right, leftOut: 1),
    ])
    for row in rows {
      table.add([
        TextTable.Cell("\(row.point.number)", .bold), TextTable.Cell(row.point.text),
        TextTable.Cell(String(row.point.seed), .dim), TextTable.Cell("\(row.toCompute)"),
        TextTable.Cell("\(row.atHand)"), TextTable.Cell("\(row.shared)", .dim),
      ])
    }
    let toCompute = stages - atHand
    var text = ""
    if rows.count < total { text += "and \(Formatting.count(total - rows.count)) points more, not looked at\n" }
    text +=
      "\(Formatting.count(stages)) stages, \(Formatting.count(atHand)) at hand, \(Formatting.count(toCompute)) to compute"
    if toCompute > unknown {
      text +=
        ": about \(Formatting.clock(seconds / Double(max(1, jobs)))) with \(jobs) \(jobs == 1 ? "worker" : "workers"), "
      text += "as such stages took before"
    }
    if unknown > 0 { text += "; \(Formatting.count(unknown)) of a kind that was never computed here" }
    return table.rendered(for: terminal) + terminal.wrapped(text, indent: 2)
      + terminal.wrapped("comparing, which times every variant, comes on top")
  }
}
