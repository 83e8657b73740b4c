import Network
import Runtime

/// What the runtime does, step by step.
public struct PlanTable {
  private let plan: Plan

  public init(_ plan: Plan) { self.plan = plan }

  public func rendered(for terminal: Terminal) -> String {
    var table = TextTable([
      ("step", .left), ("operation", .left), ("arithmetic", .left), ("output", .left), ("type", .left),
      ("MACs", .right),
      ("weights", .right), ("kernel", .left),
    ])
    for step in plan.steps {
      table.add([
        TextTable.Cell(step.layer, .bold), TextTable.Cell(step.operation), TextTable.Cell(step.arithmetic.rawValue),
        TextTable.Cell("\(step.outputShape)"), TextTable.Cell(step.outputType.rawValue),
        step.macs > 0 ? TextTable.Cell(Formatting.scaled(step.macs)) : "",
        step.weightBytes > 0 ? TextTable.Cell(Formatting.bytes(step.weightBytes)) : "",
        TextTable.Cell(step.kernelName + (step.choice.map { ": " + $0.reason } ?? "")),
      ])
    }
    var out = table.rendered(for: terminal)
    out += terminal.wrapped(
      "weights \(Formatting.bytes(plan.weightBytes)), values and scratch \(Formatting.bytes(plan.arenaBytes()))")
    if plan.integerMACs > 0 {
      out += "\(Formatting.percent(Double(plan.integerMACs) / Double(plan.macs))) of \(Formatting.scaled(plan.macs)) "
        + "MACs in 8-bit integers\n"
    }
    for fallback in plan.floatFallbacks {
      let what = fallback.isSimulated ? "is simulated in float" : "stays float"
      out += terminal.wrapped("\(fallback.layer) " + terminal.styled(what, .yellow) + ": \(fallback.reason)", indent: 2)
    }
    return out
  }
}
