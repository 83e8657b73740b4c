import Datasets
import Diagnostics
import Kernels
import Network
import Runtime
import Tensors

/// How far the outputs of a changed model are those of the original, on the same samples: what stands for accuracy where
/// there are no labels.
public struct Agreement: Sendable, Hashable {
  public struct Output: Sendable, Codable, Hashable {
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
    let reference = try Reference(original, on: data, context: context, keepsOutputs: false)
    self = try Agreement(reference, changed, context: context)
  }

  /// - Throws: `CompressError` as above.
  public init(_ reference: Reference, _ changed: Model, context: WorkContext) throws {
    let data = reference.data, shapes = reference.graph.outputShapes
    try Self.check(reference.graph, changed.graph, fit: data)
    guard data.count > 0 else { throw CompressError("\"\(data.name)\" has no samples to compare on") }
    let session = Session(
      try compile(changed, CompileOptions(maxBatch: Classifier.batch)), pool: context.pool)
    let width = shapes.reduce(0) { $0 + $1.count }
    var sums = [ErrorSum](repeating: ErrorSum(), count: shapes.count), same = [Int](repeating: 0, count: shapes.count)
    var done = 0
    context.progress.begin("agreement on \(data.name)", total: data.count)
    try reference.forEach(threads: context.pool.threads) { batch, expected in
      try context.step()
      let results = [expected, try session.run(batch.images).array(Float.self)]
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
    outputs = zip(reference.graph.outputs, zip(sums, same)).map { Output(name: $0, error: $1.0.error, same: $1.1) }
    context.progress.end(detail: "cosine \(cosine.formatted(4))")
  }

  /// - Throws: `CompressError` when a network does not take the samples, or their outputs have other shapes.
  public static func check(_ original: Graph, _ changed: Graph, fit data: any Dataset) throws {
    for graph in [original, changed] { try Evaluation.checkShape(graph, fits: data) }
    guard original.outputShapes == changed.outputShapes else {
      throw CompressError(
        "outputs of shapes \(original.outputShapes.text) and \(changed.outputShapes.text) cannot be compared")
    }
  }

  /// An original and its outputs for some samples, which changed models are held against.
  public final class Reference {
    /// Samples and outputs that are kept for the next model may take so many bytes; what takes more is read and
    /// computed anew for each.
    public static let mostBytes = 512 << 20

    let graph: Graph
    let data: any Dataset
    private let session: Session
    private let keeps: Bool
    /// All batches with their outputs, once they were asked for.
    private var kept: [(batch: Batch, outputs: [Float])]?

    public init(
      _ original: Model, on data: any Dataset, context: WorkContext, keepsOutputs: Bool = true
    ) throws {
      graph = original.graph
      self.data = data
      session = Session(try compile(original, CompileOptions(maxBatch: Classifier.batch)), pool: context.pool)
      let width = graph.outputShapes.reduce(graph.inputShape.count) { $0 + $1.count }
      keeps = keepsOutputs && width * data.count * MemoryLayout<Float>.stride <= Self.mostBytes
    }

    /// Batch after batch, with all outputs of each sample one after the other.
    fileprivate func forEach(threads: Int, _ body: (Batch, [Float]) throws -> Void) throws {
      if let kept { return try kept.forEach { try body($0.batch, $0.outputs) } }
      var all: [(batch: Batch, outputs: [Float])] = []
      try Batches(data, size: Classifier.batch).forEach(threads: threads) { batch in
        let outputs = try session.run(batch.images).array(Float.self)
        if keeps { all.append((batch, outputs)) }
        try body(batch, outputs)
      }
      if keeps { kept = all }
    }
  }
}

extension [Float] {
  /// The place of the greatest element, the first of equals.
  var greatest: Int { indices.dropFirst().reduce(0) { self[$1] > self[$0] ? $1 : $0 } }
}

extension [Shape] {
  fileprivate var text: String { map { "\($0)" }.joined(separator: ", ") }
}
