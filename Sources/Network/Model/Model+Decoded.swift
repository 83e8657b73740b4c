import Tensors

extension Model {
  /// The model with every parameter as float32 and no activation quantized: what the stored values
  /// mean, in plain arithmetic.
  public func decoded() throws -> Model {
    var parameters: [String: [ParameterRole: Parameter]] = [:]
    for (layer, role, parameter) in allParameters {
      parameters[layer, default: [:]][role] = try parameter.encoded(as: .float(parameter.values))
    }
    return try Model(graph: graph, parameters: parameters, signature: signature)
  }
}
