import Analysis
import Formats
import Network

/// How a variant was pruned: the model before, and what each round left of it.
public struct PruningCourse: Sendable {
  /// The variant it leads to.
  public var variant: String
  /// Before the first removal; after each, with the training that followed; at last, perhaps, quantized.
  public var rounds: [Round]

  public struct Round: Sendable {
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

    public var filters: Int { layers.reduce(0) { $0 + $1.filters } }

    public init(
      name: String, key: String, accuracy: Double, parameters: Int, nonzero: Int, macs: Int, bytes: Int, layers: [Layer]
    ) {
      self.name = name
      self.key = key
      self.accuracy = accuracy
      self.parameters = parameters
      self.nonzero = nonzero
      self.macs = macs
      self.bytes = bytes
      self.layers = layers
    }
  }

  /// A convolution or dense layer.
  public struct Layer: Sendable, Equatable {
    public var name: String
    public var filters: Int
    public var parameters: Int
    public var nonzero: Int
    /// Values of the weight alone, and those that are not zero; nil in files of older versions.
    public var weights: Int?
    public var nonzeroWeights: Int?
    public var macs: Int
    public var bytes: Int

    public init(
      name: String, filters: Int, parameters: Int, nonzero: Int, weights: Int? = nil, nonzeroWeights: Int? = nil,
      macs: Int, bytes: Int
    ) {
      self.name = name
      self.filters = filters
      self.parameters = parameters
      self.nonzero = nonzero
      self.weights = weights
      self.nonzeroWeights = nonzeroWeights
      self.macs = macs
      self.bytes = bytes
    }
  }

  public init(variant: String, rounds: [Round]) {
    self.variant = variant
    self.rounds = rounds
  }
}

extension PruningCourse {
  /// One for each variant that was pruned, but for those that another's course passes through.
  static func all(
    in comparison: Comparison, _ results: [VariantResult], _ executor: Executor
  ) throws -> [PruningCourse] {
    let paths = comparison.variants.map { history(to: $0.stage) }
    let keys = paths.map { $0.map(\.key.digest) }
    return try comparison.variants.indices.compactMap { index in
      let path = paths[index]
      let isPassed = keys.indices.contains { other in
        other != index && keys[other].starts(with: keys[index])
          && (keys[other].count > keys[index].count || other < index)
      }
      guard path.count > 1, !isPassed else { return nil }
      let rounds = try path.enumerated().map { number, stage in
        let own = comparison.variants.firstIndex { $0.stage.key == stage.key }
        let name = own.map { comparison.variants[$0].name } ?? (number == 0 ? "start" : "round \(number)")
        return try Round(stage, name: name, accuracy: own.map { results[$0].accuracy }, comparison, executor)
      }
      return PruningCourse(variant: comparison.variants[index].name, rounds: rounds)
    }
  }

  /// The stages whose models are worth a look: before the first pruning, at the end of each round, and the last.
  private static func history(to goal: Stage) -> [Stage] {
    var chain = [goal]
    while let input = chain[0].inputs.first { chain.insert(input, at: 0) }
    let prunings = chain.indices.filter { $0 > 0 && chain[$0].work.kind == "prune" }
    guard let first = prunings.first, let last = prunings.last else { return [] }
    let quantized = chain.indices.first { $0 > last && chain[$0].work.kind == "quantize" } ?? chain.count
    let ends = prunings.dropFirst().map { $0 - 1 } + [quantized - 1]
    return ([first - 1] + ends + (quantized < chain.count ? [chain.count - 1] : [])).map { chain[$0] }
  }
}

extension PruningCourse.Round {
  fileprivate init(
    _ stage: Stage, name: String, accuracy: Double?, _ comparison: Comparison, _ executor: Executor
  ) throws {
    let model = try executor.model(of: stage), cost = ModelCost(model)
    func evaluate() throws -> Double {
      guard comparison.data.hasLabels else {
        let first = try executor.model(of: comparison.variants[0].stage)
        guard first.graph.outputShapes == model.graph.outputShapes else { return 0 }
        return try Agreement(first, model, on: comparison.data, context: executor.context.work).share
      }
      let found = try Evaluation(model, on: comparison.data, context: executor.context.work)
      if found.undefined > 0 {
        executor.context.progress.note(
          "\(name) answers NaN to \(found.undefined) of \(found.count) samples; they count as wrong")
      }
      return found.accuracy
    }
    self.init(
      name: name, key: stage.key.digest, accuracy: try accuracy ?? evaluate(),
      parameters: cost.parameters, nonzero: cost.nonzero, macs: cost.macs, bytes: try NativeFormat.data(model).count,
      layers: cost.layers.compactMap { layer in
        layer.filters.map {
          PruningCourse.Layer(
            name: layer.name, filters: $0, parameters: layer.parameters, nonzero: layer.nonzero,
            weights: layer.weights, nonzeroWeights: layer.nonzeroWeights, macs: layer.macs, bytes: layer.bytes)
        }
      })
  }
}
