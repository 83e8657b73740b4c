import Diagnostics
import Network
import Tensors

// Integers: of values between layers, as QuantizeLinear and DequantizeLinear behind whatever gives them; of weights, as
// DequantizeLinear of integers.
extension ONNXExporter {
  // MARK: Values

  /// What becomes of each value before anyone reads it: its own encoding, or what it has of another value.
  ///
  /// As the reference has it: what lies between a layer and the clamp that is part of it is never rounded, and what
  /// only selects among its input's values keeps their encoding.
  static func encodings(of model: Model) -> [String: ActivationEncoding] {
    let graph = model.graph, consumers = graph.consumers
    var encodings: [String: ActivationEncoding] = [:]
    for node in graph.nodes where clamp(after: node, graph, consumers) == nil {
      var own = model.activations[node.output]
      if own == nil, let input = node.inputs.first, let source = graph.producer(of: input) {
        if clamp(after: source, graph, consumers)?.name == node.name {
          own = model.activations[source.output]
        } else if node.op.spec.preserves.contains(.selection) {
          own = encodings[input]
        }
      }
      encodings[node.output] = own
    }
    return encodings
  }

  /// The clamp that is part of a layer.
  private static func clamp(after node: Node, _ graph: Graph, _ consumers: [String: [String]]) -> Node? {
    guard node.op.spec.fusesClamp, !graph.isOutput(node.output), let next = consumers[node.output], next.count == 1,
      let reader = graph[next[0]], reader.op.clampRange != nil
    else { return nil }
    return reader
  }

  /// A value as whoever reads it takes it.
  mutating func encoded(_ value: Written, _ name: String) throws -> Written {
    guard let encoding = encodings[name] else { return value }
    let source = graph.producer(of: name)?.inputs.first
    guard case .affine(let quantization) = encoding else {
      if source.flatMap({ encodings[$0] }) != encoding {
        note("the rounding of \"\(name.escapedForTerminal)\" to \(encoding.name), which ONNX has no operator for")
      }
      return value
    }
    guard quantization.bits <= 8 || version >= 21 else {
      note(
        "the rounding of \"\(name.escapedForTerminal)\" to \(quantization.bits) bits, for which there are operators "
          + "from opset 21 on")
      return value
    }
    if value.encoding == quantization { return value }
    var result = value
    if value.isConstant {
      result.encoding = quantization
      return result
    }
    result.name = quantized(self.name(value), quantization, named: name)
    result.encoding = quantization
    return result
  }

  /// A constant as the integers that it is rounded to.
  mutating func quantizedConstant(_ value: Written, _ encoding: ActivationQuantization) -> String {
    let element: ONNXElement = encoding.bits > 8 ? .uint16 : .uint8, zero = encoding.zeroPoint
    let role: ParameterRole = model[value.name, .constant] != nil ? .constant : .embedding
    let tensor = model[value.name, role]!.values
    let (shape, axes, wanted) = (value.shape, value.axes, value.name)
    let integers = file.initializer(wanted + " integers", element, [1] + value.dims) {
      let codes = try tensor.reshaped(shape).transposed(axes).contiguous().array(Float.self).map {
        Int((encoding.rounded($0) / encoding.scale).rounded()) + zero
      }
      return element == .uint16
        ? Tensor(codes.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }) : Tensor(codes.map { UInt8($0) })
    }
    let numbers = [file.number(encoding.scale), file.zeroPoint(zero, element)]
    return file.node("DequantizeLinear", [integers] + numbers, named: wanted)
  }

  /// What a value is when it was rounded.
  mutating func quantized(_ name: String, _ encoding: ActivationQuantization, named wanted: String) -> String {
    let element: ONNXElement = encoding.bits > 8 ? .uint16 : .uint8
    var source = name
    if encoding.bits != 8, encoding.bits != 16 {
      let low = Float(-encoding.zeroPoint) * encoding.scale
      let high = Float(encoding.limit - encoding.zeroPoint) * encoding.scale
      source = file.node("Clip", [name, file.number(low), file.number(high)], named: wanted + " clipped")
    }
    let numbers = [file.number(encoding.scale), file.zeroPoint(encoding.zeroPoint, element)]
    let integers = file.node("QuantizeLinear", [source] + numbers, named: wanted + " quantized")
    return file.node("DequantizeLinear", [integers] + numbers, named: wanted + " dequantized")
  }

  // MARK: Weights

  /// A parameter in the form that a node of the file takes, there once for all layers that share it.
  ///
  /// - Parameters:
  ///   - key: tells forms of the same parameter apart.
  ///   - channelAxis: where the first axis of the parameter is then; nil where it is none by itself.
  ///   - arrange: brings the parameter, whatever its type, into that form.
  mutating func weight(
    _ layer: String, _ role: ParameterRole, key: String, dims: [Int], channelAxis: Int?, named wanted: String,
    _ arrange: @escaping (Tensor) throws -> Tensor
  ) -> String {
    let owner = graph.owner(of: layer), encoding = model[owner, role]!.encoding, version = version
    return form("parameter \(owner) \(role) \(key)") { exporter in
      switch encoding {
      case .float(let tensor):
        let halves: [DType: ONNXElement] = [.float16: .float16, .bfloat16: .bfloat16]
        guard let half = halves[tensor.dtype] else {
          return exporter.file.initializer(wanted, .float32, dims) { try arrange(tensor) }
        }
        let stored = exporter.file.initializer("\(wanted) \(half)", half, dims) { try arrange(tensor) }
        return exporter.file.node("Cast", [stored], named: wanted, [("to", .integer(ONNXElement.float32.rawValue))])
      case .codes(let coded):
        let codes = exporter.file.initializer(wanted + " codes", .uint8, dims) { try arrange(coded.codes) }
        let table = exporter.file.floats(coded.table, named: wanted + " table")
        let places = exporter.file.node(
          "Cast", [codes], named: wanted + " places", [("to", .integer(ONNXElement.int32.rawValue))])
        return exporter.file.node("Gather", [table, places], named: wanted, [("axis", .integer(0))])
      case .integer(let integers):
        guard integers.scales.count == 1 || channelAxis != nil else {
          exporter.note(
            "the integers of \"\(owner.escapedForTerminal)\", whose scales lie along no axis there: as floats")
          return exporter.file.initializer(wanted, .float32, dims) { try arrange(integers.decoded) }
        }
        return exporter.dequantized(integers, dims, channelAxis, named: wanted, isPacked: version >= 21, arrange)
      }
    }
  }

  private mutating func dequantized(
    _ integers: IntegerValues, _ dims: [Int], _ axis: Int?, named wanted: String, isPacked: Bool,
    _ arrange: @escaping (Tensor) throws -> Tensor
  ) -> String {
    let isSingle = integers.scales.count == 1, scaleDims = isSingle ? [] : [integers.scales.count]
    let element: ONNXElement = integers.bits == 32 ? .int32 : integers.bits <= 4 && isPacked ? .int4 : .int8
    let stored = file.initializer(wanted + " integers", element, dims) {
      let values = try arrange(integers.values)
      return element == .int4 ? Self.packed(values.array(Int8.self)) : values
    }
    var inputs = [stored, file.floats(integers.scales, scaleDims, named: wanted + " scale")]
    if element != .int32 {
      let zeros = isSingle ? 1 : integers.scales.count
      inputs.append(
        file.initializer(wanted + " zero point", element, scaleDims) {
          let values = integers.zeroPoints ?? [Int8](repeating: 0, count: zeros)
          return element == .int4 ? Self.packed(values) : Tensor(values)
        })
    }
    return file.node("DequantizeLinear", inputs, named: wanted, isSingle ? [] : [("axis", .integer(axis!))])
  }

  /// Two in a byte, the first in the lower bits.
  private static func packed(_ values: [Int8]) -> Tensor {
    Tensor(
      stride(from: 0, to: values.count, by: 2).map { index in
        let low = UInt8(bitPattern: values[index]) & 15
        return low | (index + 1 < values.count ? UInt8(bitPattern: values[index + 1]) << 4 : 0)
      })
  }

  /// The bias of a layer: of one that is computed in integers and rounded anew, in the scales of its sums.
  mutating func bias(of node: Node) -> String {
    let owner = graph.owner(of: node.name), bias = model[node.name, .bias]!, wanted = owner + ".bias"
    if case .integer(let weight)? = model[node.name, .weight]?.encoding, let input = encodings[node.inputs[0]]?.integer,
      resultEncoding(of: node)?.integer != nil, let integers = Self.sums(bias.encoding, weight, inputScale: input.scale)
    {
      return form("bias \(owner) \(input.scale)") {
        $0.dequantized(integers, [bias.count], 0, named: wanted, isPacked: false) { $0 }
      }
    }
    return weight(node.name, .bias, key: "", dims: [bias.count], channelAxis: 0, named: wanted) { $0 }
  }

  /// What the value that a layer gives, with the clamp that is part of it, is rounded to.
  private func resultEncoding(of node: Node) -> ActivationEncoding? {
    let last = Self.clamp(after: node, graph, graph.consumers) ?? node
    return encodings[last.output]
  }

  /// A bias as the integers that the runtime adds: `round(bias / (input scale * weight scale))`. nil where they would
  /// be too large.
  private static func sums(_ bias: Encoding, _ weight: IntegerValues, inputScale: Float) -> IntegerValues? {
    let count = weight.values.shape[0], room = Double(Int(Int32.max) - largestSum(weight))
    var scales = weight.scales.map { inputScale * $0 }
    if case .integer(let own) = bias, own.scales == scales || own.scales == Array(repeating: scales[0], count: count) {
      return own
    }
    guard room >= 0, scales.allSatisfy({ $0.isNormal && $0 <= 0x1p60 }) else { return nil }
    if scales.count == 1 { scales = Array(repeating: scales[0], count: count) }
    let integers = zip(doubles(bias), scales).map { ($0 / Double($1)).rounded(.toNearestOrEven) }
    guard integers.allSatisfy({ abs($0) <= room }) else { return nil }
    return try? IntegerValues(values: Tensor(integers.map { Int32($0) }), scales: scales, bits: 32)
  }

  private static func doubles(_ bias: Encoding) -> [Double] {
    guard case .integer(let integers) = bias else { return bias.decoded.array(Float.self).map(Double.init) }
    return integers.values.converted(to: .int32).array(Int32.self).enumerated().map { index, q in
      Double(q) * Double(integers.scales[integers.scales.count == 1 ? 0 : index])
    }
  }

  /// The largest sum of bytes times weights that a layer could come to.
  private static func largestSum(_ weight: IntegerValues) -> Int {
    weight.values.count / max(weight.values.shape[0], 1) * 255 * (weight.zeroPoints == nil ? 128 : 255)
  }

  // MARK: Dynamic range

  /// Integer weights and an input that is quantized by the range it turns out to have.
  private func dynamicWeight(_ node: Node) -> IntegerValues? {
    guard encodings[node.inputs[0]] == nil, case .integer(let weight)? = model[node.name, .weight]?.encoding,
      Self.largestSum(weight) <= Int(Int32.max)
    else { return nil }
    return weight
  }

  private mutating func dynamicRange(_ input: String) -> (integers: String, scale: String, zeroPoint: String) {
    let names = [" quantized", " scale", " zero point"]
    let integers = form("dynamic \(input)") { exporter in
      let outputs = names.map { exporter.file.unique(input + $0) }
      for (name, output) in zip(names, outputs) { exporter.forms["dynamic \(input)\(name)"] = output }
      exporter.file.nodes.append(
        ONNXGraphWriter.Node(kind: "DynamicQuantizeLinear", inputs: [input], outputs: outputs, attributes: []))
      return outputs[0]
    }
    return (integers, forms["dynamic \(input)\(names[1])"]!, forms["dynamic \(input)\(names[2])"]!)
  }

  /// A layer whose input is quantized by its own range, as sums of integers; nil where it is none, or ONNX has no such
  /// operator.
  mutating func dynamic(
    _ node: Node, _ input: Written, kind: String, attributes: [(String, ONNXGraphWriter.Attribute)], dims: [Int],
    channels: [Int], _ arrange: @escaping (Tensor) throws -> Tensor
  ) throws -> String? {
    guard kind != "ConvTranspose", let weight = dynamicWeight(node), weight.zeroPoints == nil else { return nil }
    let owner = graph.owner(of: node.name), output = node.output
    let range = dynamicRange(name(input))
    var inputs = [range.integers]
    let key = "sums \(owner) \(kind) \(dims) \(input.image?.axes ?? [])"
    if kind == "Conv" {
      // ONNX Runtime takes bytes there only: 128 stands for zero.
      inputs.append(
        form(key) {
          $0.file.initializer(owner + ".weight integers", .uint8, dims) {
            let values = try arrange(weight.values)
            return Tensor(values.array(Int8.self).map { UInt8(Int($0) + 128) })
          }
        })
      inputs += [range.zeroPoint, file.zeroPoint(128, .uint8)]
    } else {
      inputs.append(
        form(key) { $0.file.initializer(owner + ".weight integers", .int8, dims) { try arrange(weight.values) } })
      inputs.append(range.zeroPoint)
    }
    let sums = file.node(kind + "Integer", inputs, named: output + " sums", attributes)
    let floats = file.node("Cast", [sums], named: output + " floats", [("to", .integer(ONNXElement.float32.rawValue))])
    let scaleDims = weight.scales.count == 1 ? [] : channels
    let own = form("scales \(owner) \(scaleDims)") {
      $0.file.floats(weight.scales, scaleDims, named: owner + ".weight scale")
    }
    let scale = file.node("Mul", [range.scale, own], named: output + " scale")
    guard let bias = model[node.name, .bias] else {
      return file.node("Mul", [floats, scale], named: output)
    }
    let products = file.node("Mul", [floats, scale], named: output + " products")
    let added = self.weight(
      node.name, .bias, key: "\(channels)", dims: [bias.count] + channels.dropFirst(), channelAxis: 0,
      named: owner + ".bias"
    ) { try $0.reshaped([bias.count] + channels.dropFirst()) }
    return file.node("Add", [products, added], named: output)
  }

  /// An input that is quantized by its own range, for a layer that is computed in floats.
  mutating func rounded(_ node: Node, _ name: String, _ input: Written) throws -> String {
    guard dynamicWeight(node) != nil else { return name }
    let range = dynamicRange(name)
    return form("rounded \(name)") {
      $0.file.node(
        "DequantizeLinear", [range.integers, range.scale, range.zeroPoint], named: name + " rounded")
    }
  }
}
