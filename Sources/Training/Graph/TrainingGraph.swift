import Diagnostics
import Kernels
import Network
import Tensors

/// A graph bound to memory for training: forward with every activation kept, and backward.
///
/// Only what the scores depend on is computed. All memory is allocated here, once per graph and batch
/// size. Reshapes and activations share the memory of the layer before where nobody else reads it.
///
/// A softmax at the output is left out: it belongs to the loss (see `CrossEntropy`).
final class TrainingGraph {
  /// A layer, and where the gradients of its inputs go.
  private struct Step {
    let layer: any Layer
    let name: String
    let targets: [Target]
  }

  private struct Target {
    let input: Int
    /// Where the layer writes its contribution.
    let buffer: FloatBuffer
    /// The value it is then added to, unless it is the first.
    let sum: Value?
  }

  let batchSize: Int
  let pool: ThreadPool
  let input: Value
  /// The class scores before any softmax; the loss writes their gradient.
  let scores: Value
  private let steps: [Step]
  private let scratch = Scratch()
  /// The pass that `backward` completes.
  private var pass: Pass?

  /// - Throws: `CompressError` naming the layer when the network's output is no vector of class scores, or there
  ///   is no memory for the batch.
  init(_ graph: Graph, weights: TrainableWeights, batchSize: Int, pool: ThreadPool) throws {
    self.pool = pool
    self.batchSize = batchSize
    let scoresName = try Self.scores(of: graph)
    let nodes = Self.ancestors(of: scoresName, in: graph)
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
        let shape = graph.shape(of: node.name)
        let inputs = node.inputs.map { values[$0]! }
        let isOnlyReader = node.inputs.count == 1 && uses[node.inputs[0]] == 1
        let output: Value
        if node.op.isView, isOnlyReader {
          output = Value(shape, sharing: inputs[0])
          if kept.contains(node.inputs[0]) { kept.insert(node.name) }
        } else if case .activation = node.op, isOnlyReader, !kept.contains(node.inputs[0]) {
          output = Value(shape, sharing: inputs[0])
          kept.insert(node.name)
        } else {
          output = try Value(shape, batchSize: batchSize, needsGradient: trainable.contains(node.name))
          if case .activation = node.op { kept.insert(node.name) }
        }
        values[node.name] = output
        var isFused = false
        if case .activation(let function) = node.op, let clamp = function.clamp, output.data === inputs[0].data,
          let (source, layer) = layers.last, source.name == node.inputs[0], let linear = layer as? LinearLayer
        {
          linear.fuse(clamp)
          isFused = true
        }
        if let layer = try node.makeLayer(inputs, output, weights, batchSize: batchSize, isFused: isFused) {
          layers.append((node, layer))
        }
      }
    }
    input = values[graph.input.name]!
    scores = values[scoresName]!

    steps = try Self.plan(layers, values, batchSize: batchSize)
  }

  /// Computes the scores of the first `count` samples in `input`. In training, batch norms use the batch's
  /// statistics and move the running ones, and dropout draws from `noise`.
  func forward(count: Int, isTraining: Bool, noise: UInt64 = 0) throws {
    precondition((1...batchSize).contains(count), "\(count) samples in a batch of \(batchSize)")
    let pass = Pass(count: count, isTraining: isTraining, noise: noise, pool: pool, scratch: scratch)
    self.pass = pass
    for step in steps { try atLayer(step.name) { try step.layer.forward(pass) } }
  }

  /// Computes every parameter's gradient from that of the scores.
  ///
  /// - Precondition: `forward` came before.
  func backward() throws {
    guard let pass else { preconditionFailure("backward before forward") }
    for step in steps.reversed() {
      try atLayer(step.name) {
        try step.layer.parameterGradients(pass)
        for target in step.targets {
          try step.layer.inputGradient(target.input, into: target.buffer, pass)
          if let sum = target.sum {
            let total = sum.gradient!.base
            Elementwise.add(total, target.buffer.base, output: total, count: pass.count * sum.size, pool: pool)
           }
        }
      }
    }
  }

  // MARK: Structure

  /// Backwards, the first consumer to come writes a value's gradient and the others add theirs.
  private static func plan(_ layers: [(Node, any Layer)], _ values: [String: Value], batchSize: Int) throws -> [Step] {
    var written: Set<String> = []
    var shared: FloatBuffer?
    let steps = try layers.reversed().map { node, layer in
      var targets: [Target] = []
      for (index, name) in node.inputs.enumerated() {
        guard let value = values[name], let gradient = value.gradient else { continue }
        if written.insert(name).inserted {
          targets.append(Target(input: index, buffer: gradient, sum: nil))
        } else {
          let buffer = try shared ?? FloatBuffer(values.values.map { $0.size * batchSize }.max()!)
          shared = buffer
          targets.append(Target(input: index, buffer: buffer, sum: value))
        }
      }
      return Step(layer: layer, name: node.name, targets: targets)
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

  private static func namesNeedingGradient(_ nodes: [Node]) -> Set<String> {
    var names: Set<String> = []
    for node in nodes where node.op.hasTrainableParameters || node.inputs.contains(where: names.contains) {
      names.insert(node.name)
    }
    return names
  }
}
