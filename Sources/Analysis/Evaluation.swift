import Datasets
import Diagnostics
import Network
import Runtime

/// How many samples of a data set a model gets right.
public struct Evaluation: Sendable {
  public let correct: Int
  public let count: Int
  /// Samples for which an output was NaN: they have no class, and count as wrong.
  public let undefined: Int
  public var accuracy: Double { count == 0 ? 0 : Double(correct) / Double(count) }

  public init(predictions: [Int32], labels: [Int32]) {
    precondition(predictions.count == labels.count)
    correct = zip(predictions, labels).count { $0 == $1 }
    count = labels.count
    undefined = predictions.count { $0 < 0 }
  }

  /// Runs the model over all samples, in batches, in the arithmetic its annotations ask for.
  public init(_ model: Model, on data: any Dataset, context: WorkContext) throws {
    guard data.count > 0 else { throw CompressError("\"\(data.name)\" has no samples to evaluate on") }
    let found = try Predictions(model, on: data, context: context)
    self.init(predictions: found.predictions, labels: found.labels)
  }

  /// - Throws: `CompressError` with the numbers when the model answered NaN to a sample: its accuracy would mislead.
  public func checkDefined(_ what: String, on data: any Dataset) throws {
    guard undefined > 0 else { return }
    throw CompressError(
      "\(what) answers NaN to \(undefined) of the \(count) samples of \"\(data.name)\"",
      hint: "is a weight NaN, or was it trained at too high a learning rate?")
  }

  /// - Throws: `CompressError` with both shapes when the network does not take the samples or cannot tell their
  ///   classes apart, or there are none.
  public static func check(_ graph: Graph, fits data: any Dataset) throws {
    try checkShape(graph, fits: data)
    guard data.hasLabels else {
      throw CompressError(
        "\"\(data.name)\" has no labels",
        hint: "original = model judges by its outputs; distill = { teacher = model, labels = false } learns from them")
    }
    guard graph.outputShape.rank == 1, graph.outputShape[0] >= data.classCount else {
      throw CompressError(
        "\"\(data.name)\" has \(data.classCount) classes; the network's output has shape \(graph.outputShape)",
        hint: graph.outputShape.rank > 1
          ? "class scores are a vector: flatten, or pool, before the last dense layer" : nil)
    }
  }

  /// - Throws: `CompressError` with both shapes when the network does not take the samples.
  public static func checkShape(_ graph: Graph, fits data: any Dataset) throws {
    guard data.sampleShape == graph.inputShape else {
      throw CompressError(
        "\"\(data.name)\" has samples of shape \(data.sampleShape); the network takes \(graph.inputShape)")
    }
  }
}
