import Datasets
import Diagnostics
import Network

/// What a model predicts for each sample of a data set, and what is right.
public struct Predictions: Sendable {
  public let answers: Classifier.Answers
  /// -1 where an output is NaN.
  public var predictions: [Int32] { answers.predictions }
  public let labels: [Int32]

  /// Runs the model over all samples, in batches, in the arithmetic its annotations ask for.
  ///
  /// - Parameter isExact: see `CompileOptions`.
  /// - Throws: `CompressError` when the network does not take the samples or cannot tell their classes apart.
  public init(_ model: Model, on data: any Dataset, isExact: Bool = false, context: WorkContext) throws {
    try Evaluation.check(model.graph, fits: data)
    let classifier = try Classifier(model, isExact: isExact, pool: context.pool)
    var answers = Classifier.Answers(), labels: [Int32] = []
    context.progress.begin("evaluate on \(data.name)", total: data.count)
    try Batches(data, size: Classifier.batch).forEach(threads: context.pool.threads) { batch in
      try context.step()
      let first = answers.predictions.count
      batch.images.withElements(Float.self) { classifier.answer($0, count: batch.count, into: &answers) }
      // Where there is no answer, the question may be why.
      if answers.predictions[first...].contains(where: { $0 < 0 }) { try data.checkFinite(batch, first: first) }
      labels += batch.labels
      context.progress.update(done: answers.predictions.count, detail: "")
    }
    self.answers = answers
    self.labels = labels
    let accuracy = Evaluation(predictions: predictions, labels: labels).accuracy
    context.progress.end(detail: "accuracy \((accuracy * 100).formatted(2)) %")
  }
}
