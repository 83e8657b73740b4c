import Network
import Tensors

/// A network of the same shape with weights drawn anew; zeros that masks hold stay. The control that Liu et al. (2019,
/// "Rethinking the Value of Network Pruning") ask for: does the pruned network owe its accuracy to the weights it
/// inherited, or to its shape?
public struct ReinitializeStage: StageWork {
  public let initialization: Initialization
  public let seed: UInt64

  public init(_ initialization: Initialization, seed: UInt64) {
    self.initialization = initialization
    self.seed = seed
  }

  public var kind: String { "reinitialize" }
  public var label: String { "weights drawn anew" }

  public func recipe() throws -> Recipe {
    [
      "convolution": .string(initialization.convolution.rawValue), "dense": .string(initialization.dense.rawValue),
      "seed": .int(Int(bitPattern: UInt(seed))),
    ]
  }

  public func graph(inputs: [Graph]) throws -> Graph { inputs[0] }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    // Another draw than that of a new network of this seed: where only weights went, that would be the same weights.
    var random = SeededRandom(seed: seed).stream("reinitialize")
    var model = try Model(initializing: inputs[0].graph, initialization, seed: random.next())
    for layer in inputs[0].weightLayers {
      guard let pruned = inputs[0][layer, .weight], let mask = pruned.mask else { continue }
      try model.prune(layer, by: mask)
      model.adopt(pruned.structure, of: layer)
    }
    return StageResult(model)
  }
}
