import Diagnostics
import Network
import Tensors

// Integers of the file as the engine's: its uint8 is TFLite's int8 with a zero point that is 128 higher.
extension TFLiteImporter {
  /// How a value that is computed is held; nil of one that is held as floats.
  func encoding(_ tensor: TFLiteTensor) throws -> ActivationQuantization? {
    try Self.encoding(tensor.type, tensor.quantization, tensor.name)
  }

  static func encoding(
    _ type: TFLiteType, _ quantization: TFLiteQuantization?, _ name: String
  ) throws -> ActivationQuantization? {
    guard type.isQuantized, let quantization else { return nil }
    guard quantization.scales.count == 1 else {
      throw CompressError(
        "its value \"\(name.escapedForTerminal.shortened(to: 120))\" has \(quantization.scales.count) scales; "
          + "only weights may have several", kind: .input)
    }
    let zeroPoint = Int(quantization.zeroPoint(0))
    switch type {
    case .int8: return try ActivationQuantization(scale: quantization.scales[0], zeroPoint: zeroPoint + 128)
    case .uint8: return try ActivationQuantization(scale: quantization.scales[0], zeroPoint: zeroPoint)
    default:
      return try ActivationQuantization(scale: quantization.scales[0], zeroPoint: zeroPoint + (1 << 15), bits: 16)
    }
  }

  /// What a node gives, held as the file says.
  mutating func give(_ node: TFLiteNode, _ value: Held, output: Int = 0) throws {
    guard output < node.outputs.count else { throw CompressError("has no output \(output + 1)", kind: .input) }
    let index = node.outputs[output], tensor = graph.tensors[index]
    var held = value
    try check(tensor, held)
    if let encoding = try encoding(tensor) {
      try round(&held, to: .affine(encoding), named: tensor.label)
    }
    values[index] = .held(held)
    stands[held.name, default: 0] += 1
  }

  /// A shape that the file states has to be the one that follows from the inputs.
  private func check(_ tensor: TFLiteTensor, _ held: Held) throws {
    let varies = tensor.signature?.contains { $0 < 0 } ?? false
    guard !tensor.dims.isEmpty, !varies, tensor.dims != held.dims else { return }
    throw CompressError(
      "its output \"\(tensor.name.escapedForTerminal.shortened(to: 120))\" is said to have shape \(tensor.dims), "
        + "but has \(held.dims)", kind: .input)
  }

  /// Has a value rounded as stated. One that somebody else knows already is another one from here on.
  mutating func round(_ held: inout Held, to encoding: ActivationEncoding, named name: String) throws {
    if activations[held.name] == encoding { return }
    let isNew = layers.positions[held.name].map { $0 >= firstOfNode } ?? false
    if isNew, activations[held.name] == nil {
      activations[held.name] = encoding
    } else {
      held.name = try identity(held.name, named: name, encoding)
    }
  }

  // MARK: The operators for it

  /// From floats or other integers to integers.
  mutating func quantize(_ node: TFLiteNode) throws {
    let held = try held(node, 0)
    let tensor = graph.tensors[node.outputs[0]]
    guard let encoding = try encoding(tensor) else {
      throw CompressError("gives elements of type \(tensor.type) without a scale", kind: .input)
    }
    // Floats that nobody else reads are rounded where they are made.
    if activations[held.name] == nil, let input = node.input(0), uses[input] == 1, stands[held.name] == 1 {
      activations[held.name] = .affine(encoding)
    }
    try give(node, held)
  }

  mutating func dequantize(_ node: TFLiteNode) throws { try give(node, try held(node, 0)) }
}
