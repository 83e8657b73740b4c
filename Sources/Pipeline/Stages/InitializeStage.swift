import Diagnostics
import Network
import Tensors

/// A new, untrained network.
public struct InitializeStage: StageWork {
  /// What people call it: the zoo's name, say.
  public let name: String
  public let network: Graph
  public let initialization: Initialization
  /// The first values of constants, float32, by layer; others are zeros, or drawn where they are trained.
  public let constants: [String: Tensor]
  public let seed: UInt64

  public init(
    name: String, network: Graph, initialization: Initialization, constants: [String: Tensor] = [:], seed: UInt64
  ) {
    self.name = name
    self.network = network
    self.initialization = initialization
    self.constants = constants
    self.seed = seed
  }

  public var kind: String { "initialize" }
  public var label: String { name }

  public func recipe() throws -> Recipe {
    var recipe: [String: Recipe] = [
      "graph": .string(Digest.of(try CanonicalJSON.encode(network))),
      "convolution": .string(initialization.convolution.rawValue),
      "dense": .string(initialization.dense.rawValue), "seed": .int(Int(bitPattern: UInt(seed))),
    ]
    if !constants.isEmpty {
      recipe["constants"] = .map(try constants.mapValues { .string(try $0.withBytes { try Digest.of($0) }) })
    }
    return .map(recipe)
  }

  public func graph(inputs: [Graph]) throws -> Graph { network }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    var model = try Model(initializing: network, initialization, seed: seed)
    for (layer, values) in constants {
      guard let role = network[layer].flatMap({ network.parameterSpecs(of: $0).first?.role }) else {
        throw CompressError("is no constant").at(layer: layer)
      }
      try model.set(Parameter(values), layer, role)
    }
    return StageResult(model)
  }
}
