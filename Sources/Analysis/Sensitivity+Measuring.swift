import Datasets
import Network

extension Sensitivity {
  /// A part before it is measured.
  public struct Prunable {
    public let layers: [String]
    /// The model with a share of this part gone.
    let pruned: (Double) throws -> Model

    public init(layers: [String], pruned: @escaping (Double) throws -> Model) {
      self.layers = layers
      self.pruned = pruned
    }
  }

  /// Tells a step of progress for each share of each part.
  ///
  /// - Throws: `CompressError` when the data does not fit, the model answers NaN to some of it, or stopping was requested.
  public init(
    of model: Model, _ parts: [Prunable], shares: [Double], on data: any Dataset, context: WorkContext
  ) throws {
    let evaluation = try Evaluation(model, on: data, context: context.quiet)
    try evaluation.checkDefined("the model", on: data)
    baseline = evaluation.accuracy
    self.shares = shares
    self.parts = try parts.enumerated().map { number, part in
      Part(
        layers: part.layers,
        accuracies: try shares.enumerated().map { index, share in
          context.progress.update(
            done: number * shares.count + index + 1,
            detail: "\(part.layers[0]) without \((share * 100).formatted(0)) %")
          return try Evaluation(part.pruned(share), on: data, context: context.quiet).accuracy
        })
    }
  }
}
