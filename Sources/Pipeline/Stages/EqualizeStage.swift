import Analysis
import Compression
import Datasets
import Diagnostics
import Network

/// Makes the channels of layers that follow one another more alike, for quantization; the function stays the same.
public struct EqualizeStage: StageWork {
  /// Samples by whose values channels are made alike; nil goes by weights alone.
  public let data: (any Dataset)?

  public init(data: (any Dataset)? = nil) { self.data = data }

  public var kind: String { "equalize" }
  public var label: String { data.map { "equalize on \($0.name)" } ?? "equalize" }
  public func recipe() throws -> Recipe {
    guard let data else { return .null }
    return ["data": try data.identity.recipe()]
  }

  public func graph(inputs: [Graph]) throws -> Graph {
    guard let data else { return inputs[0] }
    try Evaluation.checkShape(inputs[0], fits: data)
    guard data.count > 0 else { throw CompressError("\"\(data.name)\" has no samples to equalize on") }
    return inputs[0]
  }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    let (model, pairs) = try equalized(inputs[0], context)
    var result = StageResult(model)
    result.record.facts["equalized_pairs"] = Double(pairs)
    result.record.notes = ["\(pairs) \(pairs == 1 ? "pair" : "pairs") of layers equalized"]
    if pairs == 0 {
      result.record.warn("nothing was equalized: no two layers follow one another with nothing but a relu between them")
    }
    return result
  }

  private func equalized(_ model: Model, _ context: StageContext) throws -> (model: Model, pairs: Int) {
    guard let data else { return try model.equalized() }
    let layers = model.equalizableLayers
    guard !layers.isEmpty else { return (model, 0) }
    context.progress.begin(label, total: data.count)
    let magnitudes = try ChannelMagnitudes(model, of: layers, on: data, context: context.work)
    let found = try model.equalized(to: magnitudes.values)
    context.progress.end(detail: "\(found.pairs) \(found.pairs == 1 ? "pair" : "pairs") of layers")
    return found
  }
}
