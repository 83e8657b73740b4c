import Compression
import Datasets
import Diagnostics
import Network
import Runtime

/// Stores weights, and perhaps activations, in fewer bits, as a recipe says.
public struct QuantizeStage: StageWork {
  public let policy: any QuantizationPolicy
  /// Samples to calibrate activations on; nil when the recipe needs none.
  public let calibration: (any Dataset)?

  public init(_ policy: any QuantizationPolicy, calibration: (any Dataset)? = nil) {
    self.policy = policy
    self.calibration = calibration
  }

  public var kind: String { "quantize" }
  public var label: String { "quantize by \(policy.name)" }

  public func recipe() throws -> Recipe {
    ["policy": policy.recipe, "calibration": try calibration?.identity.recipe() ?? .null]
  }

  public func graph(inputs: [Graph]) throws -> Graph {
    if let calibration {
      try Evaluation.check(inputs[0], fits: calibration)
      guard calibration.count > 0 else { throw CompressError("\"\(calibration.name)\" has no samples to calibrate on") }
    }
    return inputs[0]
  }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    let assignment = try QuantizationAssignment(inputs[0]) { model, node in
      try policy.assign(LayerView(model, node.name))
    }
    var ranges: [String: ActivationQuantization] = [:]
    if !assignment.observed.isEmpty {
      guard let calibration else {
        throw CompressError(
          "recipe \"\(policy.name)\" quantizes activations but was given no data",
          hint: "use \"\(policy.name)\" { calibration = data.train:take(500) }")
      }
      ranges = try calibrate(assignment, on: calibration, context)
    }
    let model = try assignment.quantized(ranges)
    var record = StageRecord()
    let whole = model.weightLayers.filter { assignment.layers[$0] == nil }
    if !whole.isEmpty { record.notes.append("left float32: \(whole.joined(separator: ", "))") }
    record.notes += try compile(model).islands.map { "\($0.layer) stays float: \($0.reason)" }
    return StageResult(model, record)
  }

  private func calibrate(
    _ assignment: QuantizationAssignment, on data: any Dataset, _ context: StageContext
  ) throws -> [String: ActivationQuantization] {
    context.progress.begin(label, total: data.count)
    var calibration = try Calibration(assignment, pool: context.pool)
    var done = 0
    try Batches(data, size: Calibration.batch).forEach(threads: context.pool.threads) { batch in
      try context.step()
      try calibration.observe(batch.images)
      done += batch.count
      context.progress.update(done: done, detail: "")
    }
    context.progress.end(detail: "calibrated on \(data.count) samples")
    return try calibration.ranges()
  }
}
