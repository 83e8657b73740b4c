import Diagnostics
import Kernels
import Network
import Tensors

/// A graph bound to memory for training: forward with the activations kept that the way back needs, and backward.
///
/// Only what the scores depend on is computed. All memory is allocated here, once per graph and batch size, and
/// shared by whatever is not of use at the same time. Reshapes and activations work in place where nobody else reads
/// what was there.
///
/// A softmax at the output is left out: it belongs to the loss (see `CrossEntropy`).
final class TrainingGraph {
  let batchSize: Int
  let pool: ThreadPool
  let input: Value
  /// The class scores before any softmax; the loss writes their gradient.
  let scores: Value
  /// Bytes of all activations and their gradients at once.
  let activationBytes: Int
  private let steps: [TrainingStep]
  private let schedule: TrainingSchedule
  private let scratch = Scratch()
  /// The pass that `backward` completes.
  private var pass: Pass?

  /// - Parameters:
  ///   - recomputes: whether to give activations up and compute them again on the way back, where that takes less
  ///     memory. The results are the same to the bit.
  ///   - precision: of convolutions and dense layers.
  /// - Throws: `CompressError` naming the layer when the network's output is no vector of class scores, or there
  ///   is no memory for the batch.
  init(
    _ graph: Graph, weights: TrainableWeights, batchSize: Int, recomputes: Bool = false,
    precision: ProductPrecision = .float32, pool: ThreadPool
  ) throws {
    self.pool = pool
    self.batchSize = batchSize
    let scoresName = try Self.scores(of: graph)
    let (nodes, rounded) = Self.rounding(Self.ancestors(of: scoresName, in: graph), weights, scoresName)
    let trainable = Self.namesNeedingGradient(nodes)
    let uses = nodes.flatMap(\.inputs).reduce(into: [:]) { $0[$1, default: 0] += 1 }

    guard trainable.contains(scoresName) else {
      throw CompressError("the network has no parameters to train")
    }
    var values: [String: Value] = [:]
    /// Values whose data their own layer needs again on the way back.
    var kept: Set<String> = []
    var layers: [(Node, any Layer)] = []
    for node in nodes {
      try atLayer(node.name) {
        let inputs = node.inputs.map { values[$0]! }
        if let source = rounded[node.name] {
          let output = try Value(
            inputs[0].shape, batchSize: batchSize, needsGradient: trainable.contains(node.name))
          values[node.name] = output
          let layer = try ActivationRounding(
            weights.quantization.activations[source]!, learned: weights.parameter(source, .outputScale), inputs[0],
            output, batchSize: batchSize)
          layers.append((node, layer))
          return
        }
        let shape = graph.shape(of: node.name)
        let isOnlyReader = node.inputs.count == 1 && uses[node.inputs[0]] == 1
        let output: Value
        if node.op.isView, isOnlyReader {
          output = Value(shape, sharing: inputs[0])
          if kept.contains(node.inputs[0]) { kept.insert(node.name) }
        } else if case .activation = node.op, isOnlyReader, !kept.contains(node.inputs[0]) {
          output = Value(shape, sharing: inputs[0])
          kept.insert(node.name)
        } else {
          output = try Value(
            shape, batchSize: batchSize, needsGradient: trainable.contains(node.name),
            sharing: node.op.sharesGradientPlace
              ? zip(node.inputs, inputs).first { uses[$0.0] == 1 && $0.1.gradientPlace != nil }?.1 : nil)
          if case .activation = node.op { kept.insert(node.name) }
        }
        values[node.name] = output
        var isFused = false
        if case .activation(let function) = node.op, let clamp = function.clamp,
          output.dataPlace === inputs[0].dataPlace, let (source, layer) = layers.last, source.name == node.inputs[0],
          let clamping = layer as? any ClampingLayer
        {
          clamping.clamp(to: clamp.low...clamp.high)
          if clamping.goesBackThroughClamp { return }
          isFused = true
        }
        if let layer = try node.makeLayer(
          inputs, output, weights, batchSize: batchSize, precision: precision, isFused: isFused)
        {
          layers.append((node, layer))
        }
      }
    }
    input = values[graph.input.name]!
    scores = values[scoresName]!
    steps = try Self.plan(layers, values)

    let plan = ActivationPlan(steps: steps, input: input, scores: scores)
    let (schedule, places, layout) = try plan.lay(recomputes: recomputes)
    self.schedule = schedule
    let arena = try FloatBuffer(layout.count)
    activationBytes = layout.count * MemoryLayout<Float>.stride
    for (place, offset) in zip(places, layout.offsets) { place.lay(at: offset, of: arena) }
  }

  /// Computes the scores of the first `count` samples in `input`; dropout draws from `noise`.
  func forward(count: Int, _ mode: Pass.Mode, noise: UInt64 = 0) throws {
    precondition((1...batchSize).contains(count), "\(count) samples in a batch of \(batchSize)")
    let pass = Pass(count: count, mode: mode, noise: noise, pool: pool, scratch: scratch)
    self.pass = pass
    try take(schedule.forward, pass)
  }

  /// Computes every parameter's gradient from that of the scores.
  ///
  /// - Precondition: `forward` came before.
  func backward() throws {
    guard let pass else { preconditionFailure("backward before forward") }
    try take(schedule.backward, pass)
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
  private static func plan(_ layers: [(Node, any Layer)], _ values: [String: Value]) throws -> [TrainingStep] {
    var written: Set<String> = []
    let steps = layers.reversed().map { node, layer in
      var targets: [TrainingStep.Target] = []
      for (index, name) in node.inputs.enumerated() {
        guard let value = values[name], let gradient = value.gradientPlace else { continue }
        if written.insert(name).inserted {
          targets.append(TrainingStep.Target(input: index, place: gradient, sum: nil))
        } else {
          targets.append(TrainingStep.Target(input: index, place: Place(gradient.count), sum: value))
        }
      }
      return TrainingStep(
        layer: layer, name: node.name, inputs: node.inputs.map { values[$0]! }, output: values[node.name]!,
        targets: targets)
    }
    return steps.reversed()
  }

  private static func scores(of graph: Graph) throws -> String {
    let output = graph[graph.output]!
    guard graph.outputShape.rank == 1 else {
      throw CompressError("training needs a vector of class scores at the output, not shape \(graph.outputShape)")
        .at(layer: output.name)
    }
    switch output.op {
    case .activation(.softmax): return output.inputs[0]
    case .activation(.sigmoid):
      throw CompressError(
        "cross-entropy needs scores or a softmax at the output, not a sigmoid", hint: "leave the sigmoid out"
      ).at(layer: output.name)
    default: return output.name
    }
  }

  /// The nodes on which `name` depends and itself, in the graph's order.
  private static func ancestors(of name: String, in graph: Graph) -> [Node] {
    var needed: Set<String> = [name, graph.input.name]
    for node in graph.nodes.reversed() where needed.contains(node.name) { needed.formUnion(node.inputs) }
    return graph.nodes.filter { needed.contains($0.name) }
  }

  /// The nodes with one more behind each whose output will be quantized; its readers read that. What the outputs of
  /// fused layers are is the activation's to say.
  ///
  /// - Returns: and, by the names of those more, the names of the layers they round.
  private static func rounding(
    _ nodes: [Node], _ weights: TrainableWeights, _ scores: String
  ) -> (nodes: [Node], rounded: [String: String]) {
    let quantized = weights.quantization.activations
    var names: [String: String] = [:], rounded: [String: String] = [:]
    var result: [Node] = []
    for var node in nodes {
      node.inputs = node.inputs.map { names[$0] ?? $0 }
      result.append(node)
      guard quantized[node.name] != nil, node.name != scores else { continue }
      let name = node.name + " rounded"
      names[node.name] = name
      rounded[name] = node.name
      result.append(Node(name, .dropout(Dropout(rate: 0)), [node.name]))
    }
    return (result, rounded)
  }

  private static func namesNeedingGradient(_ nodes: [Node]) -> Set<String> {
    var names: Set<String> = []
    for node in nodes where node.op.hasTrainableParameters || node.inputs.contains(where: names.contains) {
      names.insert(node.name)
    }
    return names
  }
}
