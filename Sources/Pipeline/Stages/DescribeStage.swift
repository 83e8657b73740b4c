import Datasets
import Network

/// Says what a model's input and output mean; what it computes stays as it is.
public struct DescribeStage: StageWork {
  /// Where it says nothing, what was known stays.
  public let signature: ModelSignature

  public init(_ signature: ModelSignature) { self.signature = signature }

  public var kind: String { "describe" }
  public var label: String { "say what input and output mean" }

  public func recipe() throws -> Recipe {
    [
      "classes": signature.classes.map { .list($0.map { .string($0) }) } ?? .null,
      "preprocessing": try signature.preprocessing.map {
        .string(String(decoding: try CanonicalJSON.encode($0), as: UTF8.self))
      } ?? .null,
    ]
  }

  public func graph(inputs: [Graph]) throws -> Graph {
    try signature.check(inputs[0])
    return inputs[0]
  }

  public func signature(inputs: [ModelSignature]) -> ModelSignature { signature.over(inputs[0]) }
  public func run(inputs: [Model], context: StageContext) throws -> StageResult { StageResult(inputs[0]) }
}

extension Dataset {
  /// What the samples and labels mean, as far as it is known; names that no file could hold are not.
  var signature: ModelSignature {
    (try? ModelSignature(classes: classNames, preprocessing: preprocessing)) ?? .unknown
  }
}
