import Diagnostics
import Kernels
import Network
import Runtime
import Tensors

/// A network as it is written in C: layers on numbered values, in an order they can run in.
///
/// What is quantized on arrival arrives as codes, and what would be dequantized at the end is given as codes: the
/// caller has the quantization. What is known beforehand is a table.
struct CNetwork {
  struct Value {
    let name: String
    let shape: Shape
    /// How it is held as uint8; nil of float32.
    let quantization: ActivationQuantization?
    /// Of one that is the same in every call.
    var constant: CConstant.Values?

    var count: Int { shape.count }
    var elementBytes: Int { quantization == nil ? 4 : 1 }
    var byteCount: Int { count * elementBytes }
    var type: String { quantization == nil ? "float" : "uint8_t" }
    var coding: AffineQuantization? {
      quantization.map { AffineQuantization(scale: $0.scale, zeroPoint: UInt8($0.zeroPoint), limit: UInt8($0.limit)) }
    }
  }

  struct Layer {
    let operation: Program.Operation
    /// What it does, for instance `conv 3x3, relu`.
    let text: String
    let inputs: [Int]
    let output: Int
    /// As the operator sees its inputs.
    let shapes: [Shape]
    /// Of a transposed convolution: how far apart it sees the pixels of its input, between which are zeros.
    let spread: Size2D?
    let macs: Int
  }

  /// What the caller gives or takes.
  struct Port {
    let value: Int
    let name: String
    let shape: Shape
    /// Whether the caller has int8, whose zero point lies 128 below.
    let isSigned: Bool
  }

  var values: [Value]
  let layers: [Layer]
  let inputs: [Port]
  let outputs: [Port]
  let signature: ModelSignature

  init(_ model: Model) throws {
    let signature = model.signature, inputShapes = model.graph.inputs.map { model.graph.shape(of: $0) }
    var program = try Program(checking: model)
    _ = program.lower()
    var operations = program.operations, readers = [Int](repeating: 0, count: program.values.count)
    for input in operations.flatMap(\.inputs) + program.outputs { readers[input] += 1 }

    func isConversion(_ operation: Program.Operation, from: Bool, to: Bool) -> Bool {
      guard case .convert = operation.kind else { return false }
      let input = program.values[operation.inputs[0]], output = program.values[operation.output]
      return (input.quantization != nil) == from && (output.quantization != nil) == to
    }
    // Quantized on arrival.
    var given = program.inputs
    for (port, input) in program.inputs.enumerated() where readers[input] == 1 {
      guard let index = operations.firstIndex(where: { $0.inputs.contains(input) }),
        isConversion(operations[index], from: false, to: true)
      else { continue }
      given[port] = operations.remove(at: index).output
    }
    // Dequantized at the end; each is given once.
    var taken = program.outputs
    for (port, output) in program.outputs.enumerated() where readers[output] == 1 {
      guard let index = operations.firstIndex(where: { $0.output == output }),
        isConversion(operations[index], from: true, to: false), !taken.contains(operations[index].inputs[0]),
        !given.contains(operations[index].inputs[0])
      else { continue }
      taken[port] = operations.remove(at: index).inputs[0]
    }
    var values = program.values.map { Value(name: $0.name, shape: $0.shape, quantization: $0.quantization) }
    let spreads = Self.spreads(&operations, program, taken)
    // Known beforehand.
    var layers: [Layer] = []
    for operation in operations {
      guard operation.outputs.count == 1 else {
        throw CompressError("an operator of \(operation.outputs.count) outputs cannot be written as C").at(
          layer: operation.layer)
      }
      if case .constant(let floats) = operation.kind, !taken.contains(operation.output) {
        values[operation.output].constant = .floats(floats)
        continue
      }
      if case .convert = operation.kind, !taken.contains(operation.output),
        case .floats(let floats)? = values[operation.inputs[0]].constant, let to = values[operation.output].coding
      {
        values[operation.output].constant = .uint8(CArithmetic.codes(floats, to))
        continue
      }
      let shapes = operation.shapes ?? operation.inputs.map { program.values[$0].shape }
      let seen = zip(operation.inputs, shapes).map { value, shape in
        var value = program.values[value]
        value.shape = shape
        return value
      }
      let text = operation.text(seen, program.values[operation.output])
      layers.append(
        Layer(
          operation: operation, text: (spreads[operation.output] == nil ? "" : "transposed ") + text,
          inputs: operation.inputs,
          output: operation.output, shapes: shapes, spread: spreads[operation.output],
          macs: operation.kind.spec?.macs(
            Self.seen(shapes, spreads[operation.output]), [program.values[operation.output].shape])
            ?? 0))
    }
    for value in values where value.byteCount > 1 << 30 {
      throw CompressError("a value of shape \(value.shape) is too large for C of 32 bits").at(layer: value.name)
    }
    self.values = values
    self.layers = layers
    self.signature = signature
    let interface = signature.interface
    func isSigned(_ value: Int, _ port: ModelInterface.Value?) -> Bool {
      port?.element == .int8 && port?.isPlain == false && values[value].quantization?.bits == 8
    }
    inputs = given.enumerated().map { index, value in
      Port(
        value: value, name: interface?.inputs[index].name ?? program.values[value].name, shape: inputShapes[index],
        isSigned: isSigned(value, interface?.inputs[index]))
    }
    outputs = taken.enumerated().map { index, value in
      Port(
        value: value, name: interface?.outputs[index].name ?? program.outputNames[index],
        shape: program.outputShapes[index], isSigned: isSigned(value, interface?.outputs[index]))
    }
  }

  var macs: Int { layers.reduce(0) { $0 + $1.macs } }

  /// The shapes of inputs with the zeros between.
  private static func seen(_ shapes: [Shape], _ spread: Size2D?) -> [Shape] {
    guard let spread, let image = shapes.first, image.rank == 3 else { return shapes }
    return [[(image[0] - 1) * spread.height + 1, (image[1] - 1) * spread.width + 1, image[2]]]
  }

  /// Lets transposed convolutions read the pixels between which others see zeros: images with the zeros are never
  /// formed.
  ///
  /// - Returns: how far apart the pixels are seen, by the convolutions' outputs.
  private static func spreads(
    _ operations: inout [Program.Operation], _ program: Program, _ taken: [Int]
  ) -> [Int: Size2D] {
    var readers = [Int](repeating: 0, count: program.values.count), spreads: [Int: Size2D] = [:]
    for input in operations.flatMap(\.inputs) + taken { readers[input] += 1 }
    var spread: [Int: Program.Operation] = [:]
    for operation in operations {
      guard case .node(.insertZeros, _) = operation.kind, readers[operation.output] == 1,
        !taken.contains(operation.output),
        program.values[operation.inputs[0]].encoding == program.values[operation.output].encoding
      else { continue }
      spread[operation.output] = operation
    }
    var gone: Set<Int> = []
    for index in operations.indices {
      guard case .node(.conv2d, _) = operations[index].kind,
        let zeros = spread[operations[index].inputs[0]], case .node(.insertZeros(let op), _) = zeros.kind
      else { continue }
      operations[index].shapes = zeros.shapes ?? [program.values[zeros.inputs[0]].shape]
      operations[index].inputs = zeros.inputs
      spreads[operations[index].output] = op.spacing
      gone.insert(zeros.output)
    }
    operations.removeAll { gone.contains($0.output) }
    return spreads
  }
}

/// The arithmetic of integers, for what is computed when the file is written.
enum CArithmetic {
  static func codes(_ values: [Float], _ to: AffineQuantization) -> [UInt8] {
    values.map { value in
      let q = (value * (1 / to.scale)).rounded(.toNearestOrEven) + Float(to.zeroPoint)
      return q > 0 ? UInt8(min(q, Float(to.limit))) : 0
    }
  }
}
