import Network

/// A new, untrained network.
public struct InitializeStage: StageWork {
  /// What people call it: the zoo's name, say.
  public let name: String
  public let network: Graph
  public let initialization: Initialization
  public let seed: UInt64

  public init(name: String, network: Graph, initialization: Initialization, seed: UInt64) {
    self.name = name
    self.network = network
    self.initialization = initialization
    self.seed = seed
  }

  public var kind: String { "initialize" }
  public var label: String { name }

  public func recipe() throws -> Recipe {
    [
      "graph": .string(Digest.of(try CanonicalJSON.encode(network))),
      "convolution": .string(initialization.convolution.rawValue),
      "dense": .string(initialization.dense.rawValue), "seed": .int(Int(bitPattern: UInt(seed))),
    ]
  }

  public func graph(inputs: [Graph]) throws -> Graph { network }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    StageResult(try Model(initializing: network, initialization, seed: seed))
  }
}
