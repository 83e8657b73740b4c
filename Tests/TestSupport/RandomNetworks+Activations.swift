import Network
import Runtime

extension RandomNetworks {
  /// Quantizations that cover what one sample makes of each value, some too narrow, some left out.
  public mutating func withActivations(_ model: Model, leaveOut: Int) throws -> Model {
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
        ActivationQuantization(
          low: elements.min()! * factor, high: elements.max()! * factor, bits: pick([8, 8, 8, 8, 7, 4, 2])),
        of: node.name)
    }
    return annotated
  }

  /// Some of the values rounded to levels or to many steps, and weights from tables.
  public mutating func withSimulation(_ model: Model) throws -> Model {
    var annotated = model
    for node in model.graph.nodes {
      switch random.below(5) {
      case 0: try annotated.setActivation(.levels(RoundingLevels([-3, -1, -0.25, 0, 0.1, 0.5, 2])), of: node.name)
      case 1:
        try annotated.setActivation(ActivationQuantization(scale: 1e-3, zeroPoint: 2000, bits: 12), of: node.name)
      default: break
      }
      guard case .float(let weight)? = model[node.name, .weight]?.encoding, random.below(3) == 0 else { continue }
      let levels = try RoundingLevels([-0.7, -0.2, 0, 0.15, 0.6])
      try annotated.set(Parameter(.codes(CodedValues(weight, levels: levels))), node.name, .weight)
    }
    return annotated
  }
}
