import Diagnostics
import Network
import Tensors

/// Few levels for the parameters of a batch norm: gamma, beta, mean and variance, each tensor its own.
public struct NormFormat: Sendable, Hashable {
  public var spacing: LevelSpacing
  /// 2 to 8.
  public var bits: Int

  public init(_ spacing: LevelSpacing = .linear, bits: Int) {
    self.spacing = spacing
    self.bits = bits
  }
}

extension Model {
  /// Rounds the batch norms that directly follow some layers; what is not followed by one stays.
  ///
  /// - Throws: `CompressError` naming the layer when a parameter is not finite or the bits are out of range.
  func roundingNorms(_ formats: [String: NormFormat]) throws -> Model {
    var model = self
    for node in graph.nodes {
      guard node.op.isBatchNorm, let format = formats[node.inputs[0]] else { continue }
      try atLayer(node.name) {
        for (role, parameter) in parameters(of: node) {
          let values = parameter.values
          let weights = WeightFormat.levels(format.spacing, bits: format.bits)
          try model.set(Parameter(weights.encoded(Parameter(values)).values), node.name, role)
        }
      }
    }
    return model
  }
}
