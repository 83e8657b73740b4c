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
  /// - Parameter original: whose outputs are the measure where accuracy is not.
  /// - Throws: `CompressError` when the data does not fit, the model answers NaN to some of it, or stopping was requested.
  public init(
    of model: Model, _ parts: [Prunable], shares: [Double], by measure: Measure, original: Model, on data: any Dataset,
    context: WorkContext
  ) throws {
    let judge = try Judge(measure, original: original, on: data, context: context)
    self.measure = measure
    baseline = try judge.score(of: "the model", model)
    self.shares = shares
    self.parts = try parts.enumerated().map { number, part in
      Part(
        layers: part.layers,
        scores: try shares.enumerated().map { index, share in
          context.progress.update(
            done: number * shares.count + index + 1,
            detail: "\(part.layers[0]) without \((share * 100).formatted(0)) %")
          return try judge.score(part.pruned(share))
        })
    }
  }
}
