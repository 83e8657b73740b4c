import Diagnostics
import Kernels
import Network
import Runtime
import Tensors

extension CLayer {
  /// - Throws: `CompressError` naming what there is no C for.
  init(_ layer: CNetwork.Layer, _ values: [CNetwork.Value]) throws {
    let own = Own(layer, values)
    switch layer.operation.kind {
    case .node(let op, let weights): self = try Self.node(op, weights, own)
    case .affine(let factor, let shift): self = Self.affine(factor, shift, own)
    case .constant(let floats): self = Self.constant(floats)
    case .reshape, .convert: self = Self.conversion(own)
    case .round(let encoding): self = Self.rounding(encoding, own)
    }
  }

  /// What a layer's writer asks for.
  struct Own {
    let operation: Program.Operation
    let inputs: [CNetwork.Value]
    let output: CNetwork.Value
    /// As the operator sees its inputs.
    let shapes: [Shape]
    let spread: Size2D?
    /// The codings of inputs and result, of what is computed in integers.
    let codings: [AffineQuantization]?
    let to: AffineQuantization?

    init(_ layer: CNetwork.Layer, _ values: [CNetwork.Value]) {
      operation = layer.operation
      inputs = layer.inputs.map { values[$0] }
      output = values[layer.output]
      shapes = layer.shapes
      spread = layer.spread
      let found = inputs.compactMap(\.coding)
      to = output.coding
      codings =
        layer.operation.arithmetic == .int8 && !found.isEmpty && found.count == inputs.count && to != nil ? found : nil
    }

    var count: Int { output.count }
    var isInteger: Bool { codings != nil }
    /// A parameter of the function: an input, or the result.
    func input(_ index: Int = 0, _ name: String = "in") -> (String, String, LayerCode.Argument) {
      ("const \(inputs[index].type) *", name, .input(index))
    }
    var result: (String, String, LayerCode.Argument) { ("\(output.type) *", "out", .output()) }

    /// The table that codes an input anew; nil where it is coded as the result.
    func table(of input: Int = 0) -> [UInt8]? {
      guard let codings, let to, codings[input] != to else { return nil }
      return Conversion.table(from: codings[input], to: to)
    }

    /// Where it is coded anew: the expression of a code.
    func coded(_ expression: String, input: Int = 0, suffix: String = "codes", in code: inout LayerCode) -> String {
      guard let table = table(of: input) else { return expression }
      return "\(code.constant(suffix, .uint8(table)))[\(expression)]"
    }

    /// Element by element from the first input.
    var elements: Overlap {
      .elements(count, from: inputs[0].elementBytes, to: output.elementBytes)
    }
  }

  /// The one place where every operator must be answered for.
  private static func node(_ op: Operator, _ weights: Program.Weights?, _ own: Own) throws -> CLayer {
    if let rearrangement = op.spec.rearrangement(own.shapes) { return rearranged(rearrangement, own) }
    switch op {
    case .input, .constant, .batchNorm, .flatten, .reshape, .dropout:
      throw CompressError("\(op.spec.kind) is no layer by itself in C")
    case .conv2d(let conv):
      return try convolution(
        weights!, ConvolutionShape(conv, own.shapes[0], own.output.shape, spread: own.spread), own)
    case .dense(let dense):
      return try convolution(weights!, ConvolutionShape(dense, own.shapes[0]), own)
    case .activation(let function): return activation(function, own)
    case .pool2d(let pool): return pooling(pool.window, pool.reduction, countsPadding: pool.countsPadding, own)
    case .globalPool(let pool): return pooling(nil, pool.reduction, countsPadding: false, own)
    case .add, .mul, .binary: return pairs(op, own)
    case .concat(let concat): return concatenation(concat, own)
    case .pad(let pad): return padding(pad, own)
    case .insertZeros(let zeros): return spreading(zeros, own)
    case .prelu: return prelu(own)
    case .reduce(let reduce): return reduction(reduce, own)
    case .argMax(let argMax): return greatest(argMax, own)
    case .normalization(let norm): return normalization(norm, own)
    case .matmul(let product): return matmul(product, own)
    case .attention(let attention): return self.attention(attention, own)
    case .resize(let resize): return bilinear(resize, own)
    case .transpose, .gather, .expand, .tile, .depthToSpace, .spaceToDepth:
      throw CompressError("\(op.spec.kind) is no layer by itself in C")
    }
  }

  /// A code less its zero point.
  static func centred(_ code: String, _ zeroPoint: UInt8) -> String {
    zeroPoint == 0 ? "(int32_t)\(code)" : "((int32_t)\(code) - \(zeroPoint))"
  }

  /// A function of each element, in either direction.
  static func each(
    _ own: Own, _ expression: @escaping (_ x: String, _ code: inout LayerCode) -> String
  ) -> CLayer {
    byElements(own) { span, code in
      let value = expression("in[i]", &code)
      return [span.elements("i"), "  out[i] = \(value);", "}"]
    }
  }
}
