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
      /// Nil without labels, and the other nil with them; files of before version 4 have both as `accuracy`.
      public var accuracy: Double?
      public var agreement: Double?
      public var parameters: Int
      public var nonzero: Int
      public var macs: Int
      /// Of the native file.
      public var bytes: Int
      public var layers: [Layer]

      private enum CodingKeys: String, CodingKey {
        case name, key, accuracy, agreement, parameters, nonzero, macs, bytes, layers
      }

      /// Whichever it was judged by.
      var share: Double { accuracy ?? agreement ?? 0 }
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
  /// - Parameter isByAgreement: whether rounds were held against the first variant for want of labels.
  init(_ course: PruningCourse, isByAgreement: Bool = false) {
    self.init(variant: course.variant, rounds: course.rounds.map { Round($0, isByAgreement: isByAgreement) })
  }
}

extension ResultsFile.Course.Round {
  init(_ round: PruningCourse.Round, isByAgreement: Bool) {
    self.init(
      name: round.name, key: round.key, accuracy: isByAgreement ? nil : round.accuracy,
      agreement: isByAgreement ? round.accuracy : nil, parameters: round.parameters,
      nonzero: round.nonzero, macs: round.macs, bytes: round.bytes,
      layers: round.layers.map {
        ResultsFile.Course.Layer(
          name: $0.name, filters: $0.filters, parameters: $0.parameters, nonzero: $0.nonzero, weights: $0.weights,
          nonzeroWeights: $0.nonzeroWeights, macs: $0.macs, bytes: $0.bytes)
      })
  }
}
