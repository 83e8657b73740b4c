import Diagnostics
import Kernels
import Network
import Tensors

/// A graph bound to memory for training: forward with the activations kept that the backward pass needs, and backward.
///
/// Only what the loss depends on is computed. All memory is allocated here, once per graph and batch size, and
/// shared by whatever is not of use at the same time. Reshapes and activations work in place where nobody else reads
/// what was there.
///
/// A softmax at the output is left out: it belongs to the loss (see `CrossEntropy`).
final class TrainingGraph {
  let batchSize: Int
  let pool: ThreadPool
  /// Where a batch is read to: sample after sample, of several inputs each with all, one after the other.
  let samples: FloatBuffer
  /// Elements of one sample.
  let sampleSize: Int
  private let inputs: [Value]
  /// What the loss reads; it writes their gradients.
  let outputs: [Value]
  /// The class scores before any softmax; without labels the first value that is matched.
  var scores: Value { outputs[0] }
  /// Bytes of all activations and their gradients at once.
  let activationBytes: Int
  private let steps: [TrainingStep]
  private let schedule: TrainingSchedule
  private let scratch = Scratch()
  /// Parameters that a layer computes with although they are another's, each with a gradient of its own.
  private let shares: [TrainableParameter]
  /// The pass that `backward` completes.
  private var pass: Pass?

  /// - Parameters:
  ///   - recomputes: whether to give activations up and compute them again in the backward pass, where that takes less
  ///     memory. The results are the same to the bit.
  ///   - precision: of convolutions and dense layers.
  ///   - targets: the values that the loss reads; nil for the class scores.
  /// - Throws: `CompressError` naming the layer when the network's output is no vector of class scores, or there
  ///   is no memory for the batch.
  init(
    _ graph: Graph, weights: TrainableWeights, batchSize: Int, recomputes: Bool = false,
    precision: ProductPrecision = .float32, targets: [String]? = nil, pool: ThreadPool
  ) throws {
    self.pool = pool
    self.batchSize = batchSize
    let graph = try graph.insertingZeros()
    let targets = try targets ?? [Self.scores(of: graph)]
    let needed = graph.needed(for: targets)
    let (nodes, rounded) = Self.rounding(
      graph.nodes.filter { needed.contains($0.name) || $0.op.isInput }, weights)
    let trainable = Self.valuesNeedingGradient(nodes, graph)
    var parameters = NodeParameters(weights)
    // The loss reads the targets.
    let uses = (nodes.flatMap(\.inputs) + targets).reduce(into: [:]) { $0[$1, default: 0] += 1 }

    guard targets.contains(where: trainable.contains) else {
      throw CompressError("the network has no parameters to train")
    }
    var values: [String: Value] = [:]
    /// Values whose data their own layer needs again in the backward pass.
    var kept: Set<String> = []
    var layers: [(Node, any Layer)] = []
    for node in nodes {
      try atLayer(node.name) {
        let inputs = node.inputs.map { values[$0]! }
        if let source = rounded[node.name] {
          let output = try Value(
            inputs[0].shape, batchSize: batchSize, needsGradient: trainable.contains(node.output))
          values[node.output] = output
          let layer = try ActivationRounding(
            weights.quantization.activations[source]!, learned: weights.parameter(source, .outputScale), inputs[0],
            output, batchSize: batchSize)
          layers.append((node, layer))
          return
        }
        let shape = graph.shape(of: node.output)
        let isOnlyReader = node.inputs.count == 1 && uses[node.inputs[0]] == 1
        let output: Value
        if node.op.isView, isOnlyReader {
          output = Value(shape, sharing: inputs[0])
          if kept.contains(node.inputs[0]) { kept.insert(node.output) }
        } else if node.op.gradientFollowsFromOutput, isOnlyReader, !kept.contains(node.inputs[0]) {
          output = Value(shape, sharing: inputs[0])
          kept.insert(node.output)
        } else {
          output = try Value(
            shape, batchSize: batchSize, needsGradient: trainable.contains(node.output),
            sharing: node.op.sharesGradientSlot
              ? zip(node.inputs, inputs).first {
                uses[$0.0] == 1 && $0.1.gradientSlot != nil && $0.1.size == shape.count
              }?.1 : nil)
          if node.op.gradientFollowsFromOutput { kept.insert(node.output) }
        }
        values[node.output] = output
        var isFused = false
        if let clamp = node.op.clampRange,
          output.dataSlot === inputs[0].dataSlot, let (source, layer) = layers.last, source.output == node.inputs[0],
          let clamping = layer as? any ClampingLayer
        {
          clamping.clamp(to: clamp)
          if clamping.goesBackThroughClamp { return }
          isFused = true
        }
        if let layer = try node.makeLayer(
          inputs, output, &parameters, batchSize: batchSize, precision: precision, isFused: isFused)
        {
          layers.append((node, layer))
        }
      }
    }
    inputs = graph.inputs.map { values[$0]! }
    outputs = targets.map { values[$0]! }
    steps = try Self.plan(layers, values, targets)
    shares = parameters.shares
    sampleSize = inputs.reduce(0) { $0 + $1.size }

    let plan = ActivationPlan(steps: steps, inputs: inputs, outputs: outputs)
    let (schedule, slots, layout) = try plan.laidOut(recomputes: recomputes)
    self.schedule = schedule
    let size = MemoryLayout<Float>.stride
    let arena = try FloatBuffer(layout.byteCount / size)
    activationBytes = layout.byteCount
    for (slot, offset) in zip(slots, layout.offsets) { slot.place(at: offset / size, of: arena) }
    samples = inputs.count == 1 ? inputs[0].data : try FloatBuffer(sampleSize * batchSize)
  }

  /// Computes the outputs of the first `count` samples in `input`; dropout draws from `noise`.
  func forward(count: Int, _ mode: Pass.Mode, noise: UInt64 = 0) throws {
    precondition((1...batchSize).contains(count), "\(count) samples in a batch of \(batchSize)")
    let pass = Pass(count: count, mode: mode, noise: noise, pool: pool, scratch: scratch)
    self.pass = pass
    sortSamples(count)
    try take(schedule.forward, pass)
  }

  /// Computes every parameter's gradient from those of the outputs.
  ///
  /// - Precondition: `forward` came before.
  func backward() throws {
    guard let pass else { preconditionFailure("backward before forward") }
    try take(schedule.backward, pass)
    for share in shares { share.addGradientToOwner(pool) }
  }

  /// Gives each of several inputs its part of the samples.
  private func sortSamples(_ count: Int) {
    guard inputs.count > 1 else { return }
    var offset = 0
    for input in inputs {
      for sample in 0..<count {
        (input.data.base + sample * input.size).update(
          from: samples.base + sample * sampleSize + offset, count: input.size)
      }
      offset += input.size
    }
  }

  private func take(_ actions: [TrainingSchedule.Action], _ pass: Pass) throws {
    let again = Pass(
      count: pass.count, mode: pass.mode == .training ? .refreshing : pass.mode, noise: pass.noise, pool: pool,
      scratch: scratch)
    for action in actions {
      switch action {
      case .forward(let index): try atLayer(steps[index].name) { try steps[index].layer.forward(pass) }
      case .refresh(let index): try atLayer(steps[index].name) { try steps[index].layer.forward(again) }
      case .backward(let index): try atLayer(steps[index].name) { try steps[index].backward(pass) }
      }
    }
  }

  // MARK: Structure

  /// Backwards, the first consumer to come writes a value's gradient and the others add theirs.
  private static func plan(
    _ layers: [(Node, any Layer)], _ values: [String: Value], _ targets: [String]
  ) throws -> [TrainingStep] {
    // The loss has written those of what it reads.
    var written = Set(targets)
    let steps = layers.reversed().map { node, layer in
      var targets: [TrainingStep.Target] = []
      for (index, name) in node.inputs.enumerated() {
        guard let value = values[name], let gradient = value.gradientSlot else { continue }
        if written.insert(name).inserted {
          targets.append(TrainingStep.Target(input: index, place: gradient, sum: nil))
        } else {
          targets.append(TrainingStep.Target(input: index, place: BufferSlot(gradient.count), sum: value))
        }
      }
      return TrainingStep(
        layer: layer, name: node.name, inputs: node.inputs.map { values[$0]! }, output: values[node.output]!,
        targets: targets)
    }
    return steps.reversed()
  }

  private static func scores(of graph: Graph) throws -> String {
    let output = graph.producer(of: graph.output)!
    guard graph.outputShape.rank == 1 else {
      throw CompressError("training needs a vector of class scores at the output, not shape \(graph.outputShape)")
        .at(layer: output.name)
    }
    if case .activation(.softmax) = output.op { return output.inputs[0] }
    if case .activation(.sigmoid) = output.op {
      throw CompressError(
        "cross-entropy needs scores or a softmax at the output, not a sigmoid", hint: "leave the sigmoid out"
      ).at(layer: output.name)
    }
    return graph.output
  }

  /// The nodes with one more behind each whose output will be quantized; its readers read that. What the outputs of
  /// fused layers are is the activation's to say.
  ///
  /// - Returns: and, by the names of those more, the names of the layers they round.
  private static func rounding(
    _ nodes: [Node], _ weights: TrainableWeights
  ) -> (nodes: [Node], rounded: [String: String]) {
    let quantized = weights.quantization.activations, taken = Set(nodes.flatMap { [$0.name] + $0.outputs })
    // What nobody reads but the loss stays as it is.
    let read = Set(nodes.flatMap(\.inputs))
    var names: [String: String] = [:], rounded: [String: String] = [:]
    var result: [Node] = []
    for var node in nodes {
      node.inputs = node.inputs.map { names[$0] ?? $0 }
      result.append(node)
      for value in node.outputs where quantized[value] != nil && read.contains(value) {
        var name = value + " rounded"
        while taken.contains(name) { name += "'" }
        names[value] = name
        rounded[name] = value
        result.append(Node(name, .dropout(Dropout(rate: 0)), [value]))
      }
    }
    return (result, rounded)
  }

  private static func valuesNeedingGradient(_ nodes: [Node], _ graph: Graph) -> Set<String> {
    var values: Set<String> = []
    for node in nodes {
      let isTrained = graph[node.name].map { graph.parameterSpecs(of: $0).contains { $0.role.isTrainable } } ?? false
      if isTrained || node.inputs.contains(where: values.contains) { values.formUnion(node.outputs) }
    }
    return values
  }
}
