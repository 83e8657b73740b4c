import Devices
import Diagnostics
import Kernels
import Network
import Runtime

extension LatencyTable.Key {
  /// nil for what takes no time of its own in a run, and for layers whose time depends on where their zeros lie.
  init?(_ step: Plan.Step) {
    guard !step.isConstant, step.choice?.algorithm != .sparse else { return nil }
    self.init(
      operation: step.operation, arithmetic: step.arithmetic.rawValue, inputs: step.inputShapes.map(\.dims),
      output: step.outputShape.dims, macs: step.macs, kernel: step.kernelName)
  }
}

/// How long a model takes on a device by its table: a sum over the steps of its plan.
struct TableLatency {
  /// Of the steps that are in the table.
  let milliseconds: Double
  /// Those with weights that are not, and the others that are not.
  let missing, missingBeside: [String]

  init(_ plan: Plan, _ table: LatencyTable) {
    var sum = 0.0, missing: [String] = [], beside: [String] = []
    for step in plan.steps where !step.isConstant {
      if let key = LatencyTable.Key(step) {
        if let found = table[key] {
          sum += found
        } else if step.choice != nil {
          missing.append("\(step.layer): \(key.text)")
        } else {
          beside.append(key.text)
        }
      } else {
        missing.append("\(step.layer): \(step.operation) that leaves zeros out")
      }
    }
    (milliseconds, self.missing, missingBeside) = (sum, missing, beside)
  }
}

extension DeviceDescription {
  /// The plan of a model as the table's machine runs it.
  ///
  /// - Precondition: there is a table.
  func tableLatency(of model: Model) throws -> TableLatency {
    guard let table, let isa = InstructionSet(rawValue: table.machine.isa) else {
      throw CompressError(
        "\"\(name)\": its latency table is of an instruction set that is not known here", kind: .input)
    }
    return TableLatency(try compile(model, CompileOptions(machine: Machine(isa: isa))), table)
  }

  /// - Throws: `CompressError` naming a layer with weights that the table does not have.
  func milliseconds(of model: Model) throws -> TableLatency {
    let found = try tableLatency(of: model)
    guard found.missing.isEmpty else { throw notInTable(found.missing) }
    return found
  }

  func notInTable(_ missing: [String]) -> CompressError {
    CompressError(
      "the latency table of \"\(name)\" does not have \(missing[0].escapedForTerminal)"
        + (missing.count > 1 ? ", and \(missing.count - 1) more of its layers" : ""),
      hint: "compress bench MODEL --table FILE measures a model's layers; what was not measured is not known")
  }

  /// - Throws: `CompressError` naming a layer of the model that it does not run.
  func check(_ model: Model, called what: String) throws {
    let kinds = Dictionary(uniqueKeysWithValues: model.graph.nodes.map { ($0.name, $0.op.spec.kind) })
    try check(ModelCost(model).layers.map { ($0.name, kinds[$0.name] ?? $0.kind, $0.bits) }, of: what)
  }

  /// For keys of stages: everything that decides.
  var recipe: Recipe {
    get throws {
      [
        "name": .string(name), "bits": .list(bits.map { .int($0) }),
        "operators": operators.map { .list($0.sorted().map { .string($0) }) } ?? .null,
        "table": try table.map { .string(try $0.digest) } ?? .null,
      ]
    }
  }
}
