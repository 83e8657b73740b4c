import Datasets
import Diagnostics
import Network
import Runtime
import Tensors

/// Fits the last dense layer of a network to labelled samples: a linear discriminant between the mean features of the
/// classes, each feature divided by its variance within them (Fisher 1936, covariances left out).
///
/// Makes a network of random features tell classes apart, so that what is done to it shows in its predictions.
public struct LastLayerFit {
  private let layer: Node

  /// - Throws: `CompressError` when the network does not end in a dense layer with a bias.
  public init(_ graph: Graph) throws {
    var node = graph.producer(of: graph.output)!
    while case .activation = node.op, node.op.clampRange == nil { node = graph.producer(of: node.inputs[0])! }
    guard case .dense(let dense) = node.op, dense.hasBias else {
      throw CompressError("the network does not end in a dense layer with a bias").at(layer: node.name)
    }
    layer = node
  }

  /// - Returns: the model, and how many classes there are samples of.
  /// - Throws: `CompressError` when a sample or a feature is not finite, or stopping was requested.
  public func fitted(
    _ model: Model, to data: any Dataset, context: WorkContext
  ) throws -> (model: Model, classes: Int) {
    var model = model
    let part = try model.upTo([layer.inputs[0]])
    let session = Session(try compile(part, CompileOptions(maxBatch: 16)), pool: context.pool)
    let width = part.graph.outputShape.count, classes = model.graph.shape(of: layer.name).count
    var sums = [[Double]](repeating: [Double](repeating: 0, count: width), count: classes), squares = sums[0]
    var counts = [Int](repeating: 0, count: classes)
    var done = 0
    try Batches(data, size: 16).forEach(threads: context.pool.threads) { batch in
      try context.cancellation.check()
      try data.checkFinite(batch, first: done)
      let features = try session.run(batch.images)
      if let bad = features.firstNonFinite {
        throw CompressError("a feature is \(bad.value)").at(layer: layer.inputs[0])
      }
      try context.cancellation.check()
      features.withElements(Float.self) { features in
        for (row, label) in batch.labels.enumerated() {
          counts[Int(label)] += 1
          for i in 0..<width {
            let value = Double(features[row * width + i])
            sums[Int(label)][i] += value
            squares[i] += value * value
          }
        }
      }
      done += batch.count
      context.progress.update(done: done, detail: "")
    }
    let seen = counts.indices.filter { counts[$0] > 0 }
    for label in seen { for i in 0..<width { sums[label][i] /= Double(counts[label]) } }
    // Within classes: mean square less the mean square of the classes' means.
    let total = Double(data.count)
    var centre = [Double](repeating: 0, count: width), variance = centre, overall = 0.0
    for i in 0..<width {
      let between = seen.reduce(0) { $0 + Double(counts[$1]) * sums[$1][i] * sums[$1][i] }
      variance[i] = max(0, (squares[i] - between) / total)
      centre[i] = seen.reduce(0) { $0 + Double(counts[$1]) * sums[$1][i] } / total
      overall += max(0, squares[i] / total - centre[i] * centre[i])
    }
    // With hardly more than a sample to a class there is next to no variance within: then part of all there is.
    let floor = max(variance.reduce(0, +), 0.1 * overall, 1e-12) / Double(max(width, 1)) * 0.1
    var weights = [Float](repeating: 0, count: classes * width), biases = [Float](repeating: 0, count: classes)
    for label in seen {
      var bias = 0.0
      for i in 0..<width {
        let weight = (sums[label][i] - centre[i]) / (variance[i] + floor)
        weights[label * width + i] = Float(weight)
        bias -= weight * (sums[label][i] + centre[i]) / 2
      }
      biases[label] = Float(bias)
    }
    // A class without samples is never said.
    let never = -2 * (biases.map(abs).max() ?? 0) - 1
    for label in biases.indices where counts[label] == 0 { biases[label] = never }
    try model.set(Parameter(Tensor(weights, model[layer.name, .weight]!.shape)), layer.name, .weight)
    try model.set(Parameter(Tensor(biases)), layer.name, .bias)
    return (model, seen.count)
  }
}
