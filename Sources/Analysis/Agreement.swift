import Datasets
import Diagnostics
import Kernels
import Network
import Runtime
import Tensors

/// How far the outputs of a changed model are those of the original, on the same samples: what stands for accuracy where
/// there are no labels.
public struct Agreement: Sendable, Hashable {
  public struct Output: Sendable, Hashable {
    public let name: String
    public let error: Differences.Error
    /// Samples whose greatest element is at the same place.
    public let same: Int

    public init(name: String, error: Differences.Error, same: Int) {
      self.name = name
      self.error = error
      self.same = same
    }
  }

  public let count: Int
  /// In the network's order.
  public let outputs: [Output]

  /// - Precondition: there is a sample and an output.
  public init(count: Int, outputs: [Output]) {
    precondition(count > 0 && !outputs.isEmpty)
    self.count = count
    self.outputs = outputs
  }

  /// Samples for which the greatest element of the first output is at the same place, 0…1.
  public var share: Double { Double(outputs[0].same) / Double(count) }

  /// The least cosine of any output.
  public var cosine: Double { outputs.map(\.error.cosine).min() ?? 1 }

  /// - Throws: `CompressError` when outputs have other shapes, the data does not fit, or an output is no number.
  public init(_ original: Model, _ changed: Model, on data: any Dataset, context: WorkContext) throws {
    for model in [original, changed] { try Evaluation.checkShape(model.graph, fits: data) }
    let shapes = original.graph.outputShapes
    guard shapes == changed.graph.outputShapes else {
      throw CompressError(
        "outputs of shapes \(shapes.text) and \(changed.graph.outputShapes.text) cannot be compared")
    }
    guard data.count > 0 else { throw CompressError("\"\(data.name)\" has no samples to compare on") }
    let sessions = try [original, changed].map {
      Session(try compile($0, CompileOptions(maxBatch: Classifier.batch)), pool: context.pool)
    }
    let width = shapes.reduce(0) { $0 + $1.count }
    var sums = [ErrorSum](repeating: ErrorSum(), count: shapes.count), same = [Int](repeating: 0, count: shapes.count)
    var done = 0
    context.progress.begin("agreement on \(data.name)", total: data.count)
    try Batches(data, size: Classifier.batch).forEach(threads: context.pool.threads) { batch in
      try context.cancellation.check()
      let results = try sessions.map { try $0.run(batch.images).array(Float.self) }
      for (model, name) in ["original", "changed model"].enumerated() {
        if let bad = results[model].firstIndex(where: { !$0.isFinite }) {
          throw CompressError("the \(name) answers \(results[model][bad]) to \(data.place(of: done + bad / width))")
        }
      }
      for sample in 0..<batch.count {
        var start = sample * width
        for (output, shape) in shapes.enumerated() {
          let pair = results.map { Array($0[start..<start + shape.count]) }
          sums[output].add(pair[0], pair[1])
          if pair[0].greatest == pair[1].greatest { same[output] += 1 }
          start += shape.count
        }
      }
      done += batch.count
      context.progress.update(done: done, detail: "")
    }
    count = data.count
    outputs = zip(original.graph.outputs, zip(sums, same)).map { Output(name: $0, error: $1.0.error, same: $1.1) }
    context.progress.end(detail: "cosine \(cosine.formatted(4))")
  }
}

extension [Float] {
  /// The place of the greatest element, the first of equals.
  fileprivate var greatest: Int { indices.dropFirst().reduce(0) { self[$1] > self[$0] ? $1 : $0 } }
}

extension [Shape] {
  fileprivate var text: String { map { "\($0)" }.joined(separator: ", ") }
}
