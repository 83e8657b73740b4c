import Analysis
import Datasets
import Diagnostics
import Network

/// Fits the last dense layer to labelled samples, everything before it left as it is (`LastLayerFit`).
public struct FitLastLayerStage: StageWork {
  public let data: any Dataset

  public init(data: any Dataset) { self.data = data }

  public var kind: String { "fit last layer" }
  public var label: String { "fit the last layer to \(data.name)" }
  public func recipe() throws -> Recipe { ["data": try data.identity.recipe()] }

  public func graph(inputs: [Graph]) throws -> Graph {
    try Evaluation.check(inputs[0], fits: data)
    guard data.count > 0 else { throw CompressError("\"\(data.name)\" has no samples to fit to") }
    _ = try LastLayerFit(inputs[0])
    return inputs[0]
  }

  public func signature(inputs: [ModelSignature]) -> ModelSignature { data.signature.over(inputs[0]) }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    context.progress.begin(label, total: data.count)
    let (model, classes) = try LastLayerFit(inputs[0].graph).fitted(inputs[0], to: data, context: context.work)
    context.progress.end(detail: "\(classes) classes")
    return StageResult(model)
  }
}
