import Datasets
import Diagnostics
import Network

/// By what number a changed model is judged.
public enum Measure: String, Sendable, Codable, CaseIterable {
  /// The share of the samples that are classified right.
  case accuracy
  /// How far outputs are those of an original: the least cosine of any output, over all samples together.
  case agreement

  /// Accuracy where samples have labels and the network's first output may be the scores of classes; else agreement.
  public static func standard(for graph: Graph, on data: any Dataset) -> Measure {
    data.hasLabels && graph.outputShape.rank == 1 ? .accuracy : .agreement
  }

  /// - Parameter original: the network whose outputs are the measure.
  /// - Throws: `CompressError` when the network does not take the samples, there are none, or there is nothing to go by.
  public func check(_ graph: Graph, original: Graph, fits data: any Dataset) throws {
    switch self {
    case .accuracy: try Evaluation.check(graph, fits: data)
    case .agreement: try Agreement.check(original, graph, fit: data)
    }
    guard data.count > 0 else { throw CompressError("\"\(data.name)\" has no samples to judge by") }
  }

  /// `accuracy 97.35 %`, `cosine 0.9931`.
  public func text(_ score: Double) -> String {
    switch self {
    case .accuracy: "accuracy \((score * 100).formatted(2)) %"
    case .agreement: "cosine \(score.formatted(4))"
    }
  }
}

/// Judges changed models on the same samples, by one measure.
public struct Judge {
  public let measure: Measure
  private let data: any Dataset
  private let context: WorkContext
  private let reference: Agreement.Reference?

  /// - Parameters:
  ///   - original: whose outputs are the measure; not looked at where accuracy is.
  ///   - context: its progress is not told of what single judgements take.
  public init(_ measure: Measure, original: Model, on data: any Dataset, context: WorkContext) throws {
    self.measure = measure
    self.data = data
    self.context = context.quiet
    reference = measure == .agreement ? try Agreement.Reference(original, on: data, context: context.quiet) : nil
  }

  /// A share of right answers, or a cosine; of the original itself the cosine is 1.
  ///
  /// - Throws: `CompressError` when the data does not fit, an output that is to agree is no number, or stopping was
  ///   requested.
  public func score(_ model: Model) throws -> Double {
    guard let reference else { return try Evaluation(model, on: data, context: context).accuracy }
    return try Agreement(reference, model, context: context).cosine
  }

  /// The score of a model that others are measured against.
  ///
  /// - Throws: `CompressError` also when it answers NaN to some samples.
  public func score(of what: String, _ model: Model) throws -> Double {
    guard reference == nil else { return try score(model) }
    let evaluation = try Evaluation(model, on: data, context: context)
    try evaluation.checkDefined(what, on: data)
    return evaluation.accuracy
  }
}
