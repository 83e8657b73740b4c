import Network
import Runtime
import TestSupport

extension RandomNetworks {
  /// Quantizations that cover what one sample makes of each value, some too narrow, some left out.
  mutating func withActivations(_ model: Model, leaveOut: Int) throws -> Model {
    var annotated = model
    let values = try ReferenceInterpreter(model).values(sample(model.graph.inputShape))
    for node in model.graph.nodes {
      if leaveOut > 0, random.below(leaveOut) == 0 { continue }
      guard let value = values[node.name] else {  // part of what follows: must not matter
        try annotated.setActivation(ActivationQuantization(scale: 17, zeroPoint: 3), of: node.name)
        continue
      }
      let elements: [Float] = value.decoded.array()
      let factor: Float = pick([1, 1, 1, 0.5])
      try annotated.setActivation(
        ActivationQuantization(low: elements.min()! * factor, high: elements.max()! * factor), of: node.name)
    }
    return annotated
  }
}
