import Datasets
import Diagnostics
import Kernels
import Tensors

extension Trainer {
  /// Mean cross-entropy and accuracy of the current weights, by the running statistics; without labels the mean error and
  /// the share of samples whose greatest score is the teacher's.
  func measure(_ data: any Dataset) throws -> (loss: Double, accuracy: Double) {
    let batches = try Batches(data, size: graph.batchSize)
    var total = 0.0, correct = 0
    for number in 0..<batches.count {
      let indices = batches.indices(number)
      let labels = try reader.read(batches, number, into: graph.samples, pool: pool)
      try ask(batches, number, count: labels.count)
      try graph.forward(count: indices.count, .inference)
      try Cancellation.checkCurrent()
      let result = measure(labels)
      total += result.loss * Double(indices.count)
      correct += result.correct
    }
    return (total / Double(data.count), Double(correct) / Double(data.count))
  }

  func keepBest() throws {
    let best = try self.best ?? BestWeights(weights)
    best.keep(weights, pool: pool)
    self.best = best
  }
}

/// A copy of the weights as they were when they were best.
final class BestWeights {
  let values: [FloatBuffer]
  var masks: [Tensor?]

  init(_ weights: TrainableWeights) throws {
    values = try weights.parameters.map { try FloatBuffer($0.values.count) }
    masks = weights.parameters.map(\.mask)
  }

  func keep(_ weights: TrainableWeights, pool: ThreadPool) {
    for (parameter, copy) in zip(weights.parameters, values) {
      pool.copy(parameter.values, to: copy, count: copy.count)
    }
    masks = weights.parameters.map(\.mask)
  }

  func putBack(_ weights: TrainableWeights, pool: ThreadPool) throws {
    for (index, parameter) in weights.parameters.enumerated() {
      try parameter.setMask(masks[index])
      pool.copy(values[index], to: parameter.values, count: values[index].count)
    }
  }
}
