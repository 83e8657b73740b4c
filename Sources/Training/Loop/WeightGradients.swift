import Datasets
import Diagnostics
import Kernels
import Network
import Tensors

/// The gradients of a model's loss with respect to its weights, over all samples; nothing moves.
///
/// The loss is the cross-entropy of the network as it infers: batch norms by their running statistics, no dropout. (By
/// a batch's own statistics the loss would not depend on the scale of a filter before a batch norm, and the sum of
/// weight times gradient over such a filter would be zero, whatever the filter is worth.) Batches are taken in order;
/// the same model and samples give the same bytes for any number of threads.
public struct WeightGradients: Sendable {
  /// Samples to a batch; the last one may have fewer.
  public static let batchSize = 32

  /// By layer, of the weight's shape: the gradient of the mean loss.
  public let mean: [String: Tensor]
  /// By layer, of the weight's shape: the mean of the squared gradients of the batches, each by its share of the
  /// samples.
  public let meanSquare: [String: Tensor]

  /// - Parameter onProgress: called before every batch with the number of samples done; may throw to stop.
  /// - Throws: `CompressError` when the model cannot be trained, the data does not fit it or cannot be read, or (naming
  ///   the layer where it is one's) loss or gradients are not finite.
  public init(
    _ model: Model, on data: any Dataset, pool: ThreadPool, onProgress: (_ done: Int) throws -> Void = { _ in }
  ) throws {
    guard data.count > 0 else { throw CompressError("\"\(data.name)\" has no samples to take gradients on") }
    try Trainer.checkShape(data, model)
    let weights = try TrainableWeights(model)
    let batchSize = min(Self.batchSize, data.count)
    let graph = try TrainingGraph(model.graph, weights: weights, batchSize: batchSize, pool: pool)
    let loss = try CrossEntropy(batchSize: batchSize, classes: graph.scores.size)
    let reader = BatchReader(batchSize: batchSize, classes: graph.scores.size)
    let layers = weights.parameters.filter { $0.role == .weight }
    var mean = layers.map { Tensor(zeros: $0.shape) }
    var meanSquare = layers.map { Tensor(zeros: $0.shape) }

    let batches = try Batches(data, size: batchSize)
    for number in 0..<batches.count {
      try onProgress(number * batchSize)
      let labels = try reader.read(batches, number, into: graph.samples, pool: pool)
      try graph.forward(count: labels.count, .inference)
      let value = loss.evaluate(graph.scores, labels: labels, pool: pool).loss
      guard value.isFinite else {
        let first = number * batchSize
        throw CompressError(
          "the loss of samples \(first + 1) to \(first + labels.count) of \"\(data.name)\" is "
            + "\(value.isNaN ? "nan" : "infinite"): there are no gradients")
      }
      try graph.backward()
      let share = Float(Double(labels.count) / Double(data.count))
      for (index, layer) in layers.enumerated() {
        let gradient = layer.gradient!
        mean[index].withMutable(Float.self) { mean in
          meanSquare[index].withMutable(Float.self) { meanSquare in
            pool.forChunks(gradient.count) { range in
              for i in range {
                mean[i] += share * gradient.base[i]
                meanSquare[i] += share * gradient.base[i] * gradient.base[i]
              }
            }
          }
        }
      }
    }
    for (layer, squares) in zip(layers, meanSquare) {
      guard let bad = squares.firstNonFinite else { continue }
      throw CompressError("the gradient of weight \(bad.index + 1) of \(squares.count) is not finite")
        .at(layer: layer.layer)
    }
    self.mean = Dictionary(uniqueKeysWithValues: zip(layers.map(\.layer), mean))
    self.meanSquare = Dictionary(uniqueKeysWithValues: zip(layers.map(\.layer), meanSquare))
  }
}
