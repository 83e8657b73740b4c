import Datasets
import Network

/// Gradient descent on labelled data; of a network that is quantized it stays what it is. Its inputs are the model and, if
/// there is one, the teacher.
public struct TrainStage: StageWork {
  public let training: TrainingRecipe
  private let name: String

  /// - Parameter name: what the network is called, for labels.
  public init(_ training: TrainingRecipe, name: String) {
    self.training = training
    self.name = name
  }

  public var kind: String { "train" }
  public var label: String { "train \(name), \(training.epochsText)" }
  public func recipe() throws -> Recipe { try training.recipe() }

  public func graph(inputs: [Graph]) throws -> Graph {
    try training.check(inputs)
    return inputs[0]
  }

  /// Labels mean what the data says.
  public func signature(inputs: [ModelSignature]) -> ModelSignature { training.data.signature.over(inputs[0]) }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    guard inputs[0].isQuantized else { return try training.train(inputs, label: label, context: context) }
    let aware = try AwareTraining(goingOnWith: inputs[0])
    return try aware.run(training, teacher: inputs.dropFirst(), label: label, context: context)
  }
}

extension Model {
  /// Whether anything of it is no float.
  fileprivate var isQuantized: Bool {
    !activations.isEmpty
      || allParameters.contains {
        if case .float = $0.parameter.encoding { false } else { true }
      }
  }
}
