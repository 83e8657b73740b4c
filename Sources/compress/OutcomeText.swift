import Diagnostics
import Pipeline
import Reports
import Scripting

/// What a pipeline recorded: a table of its stages, and what it compares.
struct OutcomeText {
  private let outcome: ScriptSession.Outcome
  private let executor: Executor

  init(_ outcome: ScriptSession.Outcome, _ executor: Executor) {
    self.outcome = outcome
    self.executor = executor
  }

  /// Each once, after those that it is made of.
  private var stages: [Stage] {
    var stages: [Stage] = []
    for goal in outcome.stages {
      for stage in goal.lineage where !stages.contains(where: { $0 === stage }) { stages.append(stage) }
    }
    return stages
  }

  private func state(of stage: Stage) -> State {
    if executor.isAvailable(stage) { return .atHand }
    if executor.hasFailed(stage) { return .failed }
    return stage.key.uncacheableReason == nil ? .toCompute : .notCached
  }

  private enum State: String, Encodable {
    case atHand = "at hand", failed, notCached = "not cached", toCompute = "to compute"
  }

  func rendered(for terminal: Terminal) -> String {
    var table = TextTable([
      ("#", .right), ("stage", .left), ("from", .left), ("line", .right), ("key", .left), ("", .left),
    ])
    let stages = stages
    for (index, stage) in stages.enumerated() {
      let inputs = stage.inputs.compactMap { input in stages.firstIndex { $0 === input }.map { "\($0 + 1)" } }
      let state = state(of: stage)
      let style: Terminal.Style =
        switch state {
        case .atHand: .green
        case .failed: .red
        case .notCached: .yellow
        case .toCompute: .cyan
        }
      table.add([
        TextTable.Cell("\(index + 1)", .dim), TextTable.Cell(stage.work.label, .bold),
        TextTable.Cell(inputs.joined(separator: ", ")),
        TextTable.Cell(stage.origin.map { "\($0.line)" } ?? ""),
        TextTable.Cell(String(stage.key.digest.prefix(12)), .dim),
        TextTable.Cell(state.rawValue, style),
      ])
    }
    var text = table.rendered(for: terminal)
    guard let comparison = outcome.comparison else { return text }
    text += terminal.wrapped(
      "\ncompares on \(Formatting.count(comparison.data.count)) images of \(comparison.data.name.escapedForTerminal), "
        + "\(Formatting.count(comparison.images)) timed one by one:", indent: 2)
    for variant in comparison.variants {
      let number = stages.firstIndex { $0 === variant.stage }.map { "\($0 + 1)" } ?? "?"
      text += "  \(variant.name.escapedForTerminal)  (stage \(number))\n"
    }
    return text
  }
}

extension OutcomeText {
  /// The same for other programs: what `compress plan --json` writes.
  struct Plan: Encodable {
    struct Step: Encodable {
      let number: Int
      let kind, label: String
      /// Numbers of the stages that it is made of.
      let from: [Int]
      /// Of the script.
      let line: Int?
      let key, state: String
    }

    struct Compared: Encodable {
      let name: String
      let stage: Int?
    }

    let stages: [Step]
    /// nil of a script that compares nothing.
    let data: String?
    let variants: [Compared]?
  }

  var plan: Plan {
    let stages = stages
    func number(_ stage: Stage) -> Int? { stages.firstIndex { $0 === stage }.map { $0 + 1 } }
    return Plan(
      stages: stages.enumerated().map { index, stage in
        Plan.Step(
          number: index + 1, kind: stage.work.kind, label: stage.work.label, from: stage.inputs.compactMap(number),
          line: stage.origin?.line, key: stage.key.digest, state: state(of: stage).rawValue)
      }, data: outcome.comparison?.data.name,
      variants: outcome.comparison?.variants.map { Plan.Compared(name: $0.name, stage: number($0.stage)) })
  }
}
