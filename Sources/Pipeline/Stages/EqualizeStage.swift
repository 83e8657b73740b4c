import Compression
import Network

/// Makes the channels of layers that follow one another more alike, for quantization; the function stays the same.
public struct EqualizeStage: StageWork {
  public init() {}

  public var kind: String { "equalize" }
  public var label: String { "equalize" }
  public func recipe() throws -> Recipe { .null }
  public func graph(inputs: [Graph]) throws -> Graph { inputs[0] }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    let (model, pairs) = try inputs[0].equalized()
    var result = StageResult(model)
    result.record.facts["equalized_pairs"] = Double(pairs)
    result.record.notes = ["\(pairs) pairs of layers equalized"]
    if pairs == 0 {
      result.record.warn("nothing was equalized: no two layers follow one another with nothing but a relu between them")
    }
    return result
  }
}
