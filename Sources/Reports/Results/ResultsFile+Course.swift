import Pipeline

extension ResultsFile {
  /// How a variant was pruned: the model before, and what each round left of it.
  public struct Course: Codable, Sendable {
    /// The variant it leads to.
    public var variant: String
    /// Before the first removal; after each, with the training that followed; at last, perhaps, quantized.
    public var rounds: [Round]

    private enum CodingKeys: String, CodingKey { case variant, rounds }

    public struct Round: Codable, Sendable {
      /// The name of the variant it is, if it is one.
      public var name: String
      /// Of the stage.
      public var key: String
      public var accuracy: Double
      public var parameters: Int
      public var nonzero: Int
      public var macs: Int
      /// Of the native file.
      public var bytes: Int
      public var layers: [Layer]

      private enum CodingKeys: String, CodingKey {
        case name, key, accuracy, parameters, nonzero, macs, bytes, layers
      }

      var filters: Int { layers.reduce(0) { $0 + $1.filters } }
      /// Of the layers' weights alone; in files of older versions their biases count as well.
      var nonzeroWeights: Int { layers.reduce(0) { $0 + ($1.nonzeroWeights ?? $1.nonzero) } }
      var weights: Int { layers.reduce(0) { $0 + ($1.weights ?? $1.parameters) } }
    }

    /// A convolution or dense layer.
    public struct Layer: Codable, Sendable, Equatable {
      public var name: String
      public var filters: Int
      public var parameters: Int
      public var nonzero: Int
      /// Values of the weight alone, and those that are not zero; nil in files of older versions.
      public var weights: Int?
      public var nonzeroWeights: Int?
      public var macs: Int
      public var bytes: Int

      private enum CodingKeys: String, CodingKey {
        case name, filters, parameters, nonzero, weights, nonzeroWeights = "nonzero_weights", macs, bytes
      }
    }
  }
}

extension ResultsFile.Course {
  init(_ course: PruningCourse) {
    self.init(variant: course.variant, rounds: course.rounds.map(Round.init))
  }
}

extension ResultsFile.Course.Round {
  init(_ round: PruningCourse.Round) {
    self.init(
      name: round.name, key: round.key, accuracy: round.accuracy, parameters: round.parameters,
      nonzero: round.nonzero, macs: round.macs, bytes: round.bytes,
      layers: round.layers.map {
        ResultsFile.Course.Layer(
          name: $0.name, filters: $0.filters, parameters: $0.parameters, nonzero: $0.nonzero, weights: $0.weights,
          nonzeroWeights: $0.nonzeroWeights, macs: $0.macs, bytes: $0.bytes)
      })
  }
}
