import Diagnostics
import Network
import Tensors

/// Computes a model one sample and one node at a time, as directly as it can be written: what every
/// plan is tested against, and the definition of what the annotations mean.
///
/// - `ReferenceFloat` states the float arithmetic, `ReferenceInteger` that of integers.
/// - A value with an `ActivationQuantization` is held as uint8, whoever reads it; a node that computes
///   in float reads it dequantized, and its own result is quantized when it has one.
/// - A value that is rounded to levels, or to steps of more than 8 bits (`ActivationEncoding.rounded`), is held as
///   float32; what reads it computes in float, with integer weights decoded.
/// - A relu or relu6 directly after a convolution, dense layer or sum that nothing else reads is part of
///   that layer; the value between is never rounded. The outcome takes the activation's quantization or,
///   where it has none, that of the value between.
/// - Max pooling, flatten, reshape, dropout, padding, relu and relu6 select among their input's values: without a
///   quantization of their own they keep their input's.
public struct ReferenceInterpreter: Sendable {
  public enum Value: Sendable {
    case float(Tensor)
    /// uint8 elements.
    case quantized(Tensor, ActivationQuantization)
    /// float32 elements, rounded already.
    case rounded(Tensor, ActivationEncoding)

    /// As float32.
    public var decoded: Tensor {
      switch self {
      case .float(let tensor), .rounded(let tensor, _): tensor
      case .quantized(let tensor, let quantization): ReferenceInteger.dequantize(tensor, quantization)
      }
    }

    var encoding: ActivationEncoding? {
      switch self {
      case .float: nil
      case .quantized(_, let quantization): .affine(quantization)
      case .rounded(_, let encoding): encoding
      }
    }
  }

  private let model: Model
  private let consumers: [String: [String]]

  public init(_ model: Model) {
    // What cannot be so large is refused by `compile`.
    self.model = (try? model.insertingZeros()) ?? model
    consumers = self.model.graph.consumers
  }

  /// The network's outputs for one sample of shape `Graph.inputShape`, in their order.
  ///
  /// - Throws: `CompressError` when the sample's shape is not the network's.
  public func outputs(_ sample: Tensor) throws -> [Tensor] {
    let values = try values(sample)
    return model.graph.outputs.map { values[$0]!.decoded }
  }

  /// The network's first output for one sample.
  ///
  /// - Throws: `CompressError` when the sample's shape is not the network's.
  public func run(_ sample: Tensor) throws -> Tensor { try values(sample)[model.graph.output]!.decoded }

  /// Every value that is formed, by its name.
  public func values(_ sample: Tensor) throws -> [String: Value] {
    let graph = model.graph
    guard sample.shape == graph.inputShape else {
      throw CompressError("a sample of shape \(sample.shape) for a network that takes \(graph.inputShape)")
    }
    var given = sample.converted(to: .float32).array(Float.self)[...]
    var values: [String: Value] = [:]
    for node in graph.nodes where fusedClamp(after: node) == nil {
      if node.op.isInput {
        let shape = graph.shape(of: node.output)
        values[node.output] = hold(Tensor(Array(given.prefix(shape.count)), shape), as: model.activations[node.output])
        given = given.dropFirst(shape.count)
      } else if let layer = layer(fusedInto: node) {
        let quantization = model.activations[node.output] ?? model.activations[layer.output]
        values[node.output] = try evaluate(layer, layer.inputs.map { values[$0]! }, clamp: node.op, quantization)
      } else {
        let inputs = node.inputs.map { values[$0]! }
        let inherited = node.op.spec.preserves.contains(.selection) ? inputs[0].encoding : nil
        values[node.output] = try evaluate(node, inputs, clamp: nil, model.activations[node.output] ?? inherited)
      }
    }
    return values
  }

  // MARK: Fusion

  /// The relu or relu6 that is part of this layer.
  private func fusedClamp(after node: Node) -> Node? {
    guard node.op.spec.fusesClamp, !model.graph.isOutput(node.output), let next = consumers[node.output],
      next.count == 1, let reader = model.graph[next[0]], reader.op.clampRange != nil
    else { return nil }
    return reader
  }

  /// The layer that this relu or relu6 is part of.
  private func layer(fusedInto node: Node) -> Node? {
    guard let source = node.inputs.first.flatMap({ model.graph.producer(of: $0) }) else { return nil }
    return fusedClamp(after: source)?.name == node.name ? source : nil
  }

  // MARK: Nodes

  private func hold(_ tensor: Tensor, as encoding: ActivationEncoding?) -> Value {
    guard let encoding else { return .float(tensor) }
    guard let quantization = encoding.integer else {
      return .rounded(Tensor(tensor.array(Float.self).map(encoding.rounded), tensor.shape), encoding)
    }
    return .quantized(ReferenceInteger.quantize(tensor, quantization), quantization)
  }

  private func evaluate(
    _ node: Node, _ inputs: [Value], clamp: Operator?, _ encoding: ActivationEncoding?
  ) throws -> Value {
    if case .integer(let weight)? = model[node.name, .weight]?.encoding,
      let value = try integerLayer(node, weight, inputs[0], clamp, encoding)
    {
      return value
    }
    let quantized = inputs.compactMap { value in
      if case .quantized(let tensor, let quantization) = value { (tensor, quantization) } else { nil }
    }
    if let quantization = encoding?.integer, quantized.count == inputs.count,
      let tensor = ReferenceInteger.evaluate(
        node.op, quantized, clamp: clamp, quantization, shape: model.graph.shape(of: node.output),
        { role in model[node.name, role]?.values.array() })
    {
      return .quantized(tensor, quantization)
    }
    return hold(ReferenceFloat.evaluate(node, of: model, inputs.map(\.decoded), clamp: clamp), as: encoding)
  }

  /// Nil when sums can exceed 32 bits, or the input is rounded only: then the layer is computed in float.
  private func integerLayer(
    _ node: Node, _ weight: IntegerValues, _ input: Value, _ clamp: Operator?, _ encoding: ActivationEncoding?
  ) throws -> Value? {
    guard weight.sumsFit else { return nil }
    let geometry = ReferenceSums(node, of: model)
    let bias = model[node.name, .bias]?.encoding
    func decoded(_ tensor: Tensor, _ own: ActivationQuantization) -> Tensor {
      let sums = ReferenceInteger.sums(geometry, tensor, own, weight, nil)
      let scales = weight.sumScales(inputScale: own.scale)
      return ReferenceInteger.decode(sums, scales, bias: bias?.decoded.array(), clamp, geometry.outputShape)
    }
    switch (input, encoding?.integer) {
    case (.quantized(let tensor, let own), let output?):
      guard let bias = weight.bias(bias, inputScale: own.scale) else { return nil }
      let sums = ReferenceInteger.sums(geometry, tensor, own, weight, bias)
      let scales = weight.sumScales(inputScale: own.scale)
      return .quantized(ReferenceInteger.requantize(sums, scales, output, clamp, geometry.outputShape), output)
    case (.quantized(let tensor, let own), nil): return hold(decoded(tensor, own), as: encoding)
    case (.rounded, _): return nil
    case (.float(let tensor), _):
      let own = try ReferenceInteger.dynamicQuantization(tensor)
      return hold(decoded(ReferenceInteger.quantize(tensor, own), own), as: encoding)
    }
  }
}
