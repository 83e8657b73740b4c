import Datasets
import Network

/// Gradient descent on labelled data. Its inputs are the model and, if there is one, the teacher.
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
    try training.train(inputs, label: label, context: context)
  }
}
