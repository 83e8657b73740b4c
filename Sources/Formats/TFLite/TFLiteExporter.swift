import Diagnostics
import Files
import Network
import Tensors

/// Writes a model as a TFLite file: layer by layer, each in integers where the model holds it so and an operator of the
/// file's computes the same, and otherwise in floats between DEQUANTIZE and QUANTIZE.
///
/// Every value has a batch of one as its first axis.
struct TFLiteExporter {
  typealias Fields = TFLiteContent.Fields

  /// Batch norms are folded.
  let model: Model
  var graph: Graph { model.graph }
  var content = TFLiteContent()
  /// How a value is held as integers; nil of floats.
  let encodings: [String: ActivationQuantization]
  /// What clamps as part of a layer, by the layer's name.
  let clamps: [String: Node]
  /// The tensors of values, as they are computed; readers that want the other form have it made.
  private var floats: [String: Int] = [:]
  private var integers: [String: Int] = [:]
  /// Constants that several nodes read.
  private var lists: [[Int]: Int] = [:]

  init(_ given: Model) throws {
    let model = try given.foldingBatchNorm()
    self.model = model
    let graph = model.graph, consumers = graph.consumers
    var clamps: [String: Node] = [:]
    for node in graph.nodes where node.op.spec.fusesClamp && !graph.isOutput(node.output) {
      guard let readers = consumers[node.output], readers.count == 1, let reader = graph[readers[0]],
        reader.op.clampRange != nil
      else { continue }
      clamps[node.name] = reader
    }
    self.clamps = clamps
    var encodings: [String: ActivationEncoding] = model.activations
    for node in graph.nodes {
      if let clamp = clamps[node.name] {
        // What lies between is never formed.
        encodings[clamp.output] = encodings[clamp.output] ?? encodings[node.output]
        encodings[node.output] = nil
      } else if encodings[node.output] == nil, let input = node.inputs.first, !node.op.isInput,
        node.op.spec.preserves.contains(.selection) || node.op.isReshape
      {
        encodings[node.output] = encodings[input]
      }
    }
    self.encodings = try encodings.reduce(into: [:]) { known, entry in
      guard let quantization = entry.value.integer else {
        throw CompressError(
          "its value is held as \(entry.value.name), which TFLite files do not hold", kind: .input
        ).at(layer: entry.key)
      }
      known[entry.key] = quantization
    }
  }

  // MARK: The whole

  mutating func bytes() throws -> [UInt8] {
    let interface = model.signature.interface
    for (index, name) in graph.inputs.enumerated() { try addInput(name, interface?.inputs[index]) }
    let fused = Set(clamps.values.map(\.name))
    for node in graph.nodes where !node.op.isInput && !fused.contains(node.name) {
      try atLayer(node.name) { try add(node) }
    }
    for (index, name) in graph.outputs.enumerated() {
      try atLayer(name) { try addOutput(name, interface?.outputs[index]) }
    }
    return try content.bytes()
  }

  static func dims(_ shape: Shape) -> [Int] { [1] + shape.dims }
  func dims(_ value: String) -> [Int] { Self.dims(graph.shape(of: value)) }

  /// The file's shape of an input or output, and the order in which the network's axes are found in it.
  private func described(_ name: String, _ known: ModelInterface.Value?) -> (dims: [Int], order: [Int], batch: Int) {
    let shape = graph.shape(of: name), order = known?.order ?? Array(shape.dims.indices)
    var own = shape.dims
    for (axis, place) in order.enumerated() { own[place] = shape[axis] }
    let batch = known?.hasBatch ?? true ? 1 : 0
    return ((batch == 1 ? [1] : []) + own, order, batch)
  }

  private func boundaryType(_ name: String, _ known: ModelInterface.Value?) -> TFLiteType {
    guard encodings[name] != nil, known?.isPlain != true else { return .float32 }
    return switch known?.element {
    case .int8: .int8
    case .uint8: .uint8
    default: .float32
    }
  }

  /// What holds integers that stand for themselves; nil of floats, of those of a scale, and of what is not cast.
  private static func plainType(_ known: ModelInterface.Value?) -> (type: TFLiteType, castVersion: Int)? {
    guard let known, known.isPlain else { return nil }
    return switch known.element {
    case .uint8: (.uint8, 1)
    case .int8: (.int8, 2)
    case .uint16: (.uint16, 4)
    case .int16: (.int16, 3)
    case .uint32: (.uint32, 1)
    case .int32: (.int32, 1)
    case .int64: (.int64, 1)
    case .bool: (.bool, 1)
    default: nil
    }
  }

  private mutating func addInput(_ name: String, _ known: ModelInterface.Value?) throws {
    let (dims, order, _) = described(name, known), type = boundaryType(name, known), encoding = encodings[name]
    let label = known?.name ?? name, plain = Self.plainType(known)
    var tensor = content.tensor(
      label, dims, plain?.type ?? type,
      quantization: type == .float32 ? nil : encoding.map { Self.quantization($0, type) })
    content.inputs.append((tensor, label))
    if let plain { tensor = emit("CAST", [tensor], dims, named: name + " cast", .cast, version: plain.castVersion) }
    if let encoding, type != .int8 {
      tensor = emit("QUANTIZE", [tensor], dims, named: name + " quantized", as: encoding, .quantize)
    }
    let held = type == .float32 && encoding == nil ? nil : encoding
    if order != Array(order.indices) {
      // Channels to the end.
      let shape = graph.shape(of: name), batch = dims.count - shape.rank
      let axes = (0..<batch).map { $0 } + order.map { $0 + batch }
      tensor = emit(
        "TRANSPOSE", [tensor, list(axes)], axes.map { dims[$0] }, named: name + " turned", as: held, .transpose,
        version: held == nil ? 1 : 2)
    }
    if self.dims(name) != (known?.hasBatch ?? true ? [1] : []) + graph.shape(of: name).dims {
      tensor = reshape(tensor, to: self.dims(name), named: name + " reshaped", as: held)
    }
    if held == nil { floats[name] = tensor } else { integers[name] = tensor }
  }

  private mutating func addOutput(_ name: String, _ known: ModelInterface.Value?) throws {
    let (dims, order, batch) = described(name, known), type = boundaryType(name, known), encoding = encodings[name]
    let label = known?.name ?? name, shape = graph.shape(of: name)
    var tensor = try type == .float32 ? float(name) : integer(name)
    let held = type == .float32 ? nil : encoding
    if batch == 0 { tensor = reshape(tensor, to: shape.dims, named: label + " unbatched", as: held) }
    if order != Array(order.indices) {
      var axes = Array(0..<batch) + [Int](repeating: 0, count: order.count)
      for (axis, place) in order.enumerated() { axes[batch + place] = batch + axis }
      tensor = emit(
        "TRANSPOSE", [tensor, list(axes)], dims, named: label, as: held, .transpose, version: held == nil ? 1 : 2)
    }
    if type == .uint8, let encoding {
      let out = content.tensor(label, dims, .uint8, quantization: Self.quantization(encoding, .uint8))
      content.node("QUANTIZE", [tensor], [out], .quantize)
      tensor = out
    }
    // A tensor is given under one name.
    if (content.inputs + content.outputs).contains(where: { $0.tensor == tensor }) {
      tensor = reshape(tensor, to: dims, named: label, as: held)
    }
    content.rename(tensor, label)
    content.outputs.append((tensor, label))
  }

  // MARK: Tensors

  /// Our uint8 is TFLite's int8 with a zero point that is 128 lower.
  static func quantization(_ encoding: ActivationQuantization, _ type: TFLiteType = .int8) -> TFLiteQuantization {
    TFLiteQuantization(
      scales: [encoding.scale], zeroPoints: [Int64(encoding.zeroPoint - (type == .int8 ? 128 : 0))])
  }

  /// Adds a node with one output.
  ///
  /// - Parameters:
  ///   - encoding: of an output that is held as integers.
  ///   - mayExceed: whether integers of fewer than 8 bits could come out greater than their limit.
  /// - Returns: the output's tensor.
  mutating func emit(
    _ kind: String, _ inputs: [Int], _ dims: [Int], named name: String, as encoding: ActivationQuantization? = nil,
    _ type: TFLiteOptions = .none, _ options: Fields = [:], version: Int = 1, mayExceed: Bool = true
  ) -> Int {
    let output = content.tensor(
      name, dims, encoding == nil ? .float32 : .int8, quantization: encoding.map { Self.quantization($0) })
    content.node(kind, inputs, [output], type, options, version: version)
    guard let encoding, encoding.bits < 8, mayExceed else { return output }
    return clampedInteger(output, dims, high: encoding.limit, low: nil, named: name, encoding)
  }

  /// Integers that are at least `low` and at most `high`, as the engine counts them.
  mutating func clampedInteger(
    _ tensor: Int, _ dims: [Int], high: Int?, low: Int?, named name: String, _ encoding: ActivationQuantization
  ) -> Int {
    var result = tensor
    for (kind, bound) in [("MAXIMUM", low), ("MINIMUM", high)] {
      guard let bound else { continue }
      let constant = content.tensor(
        "\(name) \(kind.lowercased())", [1], .int8, bytes: [UInt8(bitPattern: Int8(bound - 128))],
        quantization: Self.quantization(encoding))
      let output = content.tensor(
        "\(name) \(kind == "MAXIMUM" ? "above" : "below") \(bound)", dims, .int8,
        quantization: Self.quantization(encoding))
      content.node(kind, [result, constant], [output], .maximumMinimum, version: 2)
      result = output
    }
    return result
  }

  /// A value as floats.
  mutating func float(_ value: String) throws -> Int {
    if let tensor = floats[value] { return tensor }
    guard let source = integers[value] else { throw CompressError("\"\(value)\" is not there", kind: .input) }
    let tensor = emit("DEQUANTIZE", [source], dims(value), named: value + " dequantized", .dequantize, version: 2)
    floats[value] = tensor
    return tensor
  }

  /// A value as integers.
  ///
  /// - Precondition: it has an encoding.
  func integer(_ value: String) throws -> Int {
    guard let tensor = integers[value] else { throw CompressError("\"\(value)\" has no integers", kind: .input) }
    return tensor
  }

  /// A value as integers of another scale.
  mutating func integer(_ value: String, as encoding: ActivationQuantization) throws -> Int {
    let tensor = try integer(value)
    guard encodings[value] != encoding else { return tensor }
    return emit("QUANTIZE", [tensor], dims(value), named: value + " requantized", as: encoding, .quantize, version: 2)
  }

  /// Has a layer's value be a tensor of floats, which is rounded if the value is.
  mutating func give(_ value: String, float tensor: Int) {
    guard let encoding = encodings[value] else { return floats[value] = tensor }
    integers[value] = emit("QUANTIZE", [tensor], dims(value), named: value + " quantized", as: encoding, .quantize)
  }

  /// Has a layer's value be a tensor of integers, in the scale given; rounded again where the value has another.
  mutating func give(_ value: String, integer tensor: Int, as encoding: ActivationQuantization) {
    guard let own = encodings[value], own != encoding else { return integers[value] = tensor }
    integers[value] = emit(
      "QUANTIZE", [tensor], dims(value), named: value + " requantized", as: own, .quantize, version: 2)
  }

  // MARK: Constants

  /// Axes, sizes and the like.
  mutating func list(_ values: [Int], dims: [Int]? = nil) -> Int {
    let key = values + [-7] + (dims ?? [values.count])
    if let known = lists[key] { return known }
    let tensor = content.tensor(
      "constant \(lists.count)", dims ?? [values.count], .int32,
      bytes: FlatBufferBuilder.littleEndian(values.map { Int32(clamping: $0) }))
    lists[key] = tensor
    return tensor
  }

  mutating func number(_ value: Float, named name: String) -> Int {
    content.tensor(name, [1], .float32, bytes: FlatBufferBuilder.littleEndian([value.bitPattern]))
  }

  /// Floats of 16 bits stay that, and are widened as they are read.
  mutating func constant(_ tensor: Tensor, _ dims: [Int], named name: String) -> Int {
    let bytes = tensor.contiguous().withBytes { Array($0) }
    guard tensor.dtype == .float16 else {
      let wide = tensor.converted(to: .float32).contiguous().withBytes { Array($0) }
      return content.tensor(name, dims, .float32, bytes: wide)
    }
    let half = content.tensor(name + " half", dims, .float16, bytes: bytes)
    return emit("DEQUANTIZE", [half], dims, named: name, .dequantize, version: 3)
  }

  mutating func reshape(
    _ tensor: Int, to dims: [Int], named name: String, as encoding: ActivationQuantization? = nil
  ) -> Int {
    emit(
      "RESHAPE", [tensor, list(dims)], dims, named: name, as: encoding, .reshape,
      [TFLiteField.Reshape.shape: .integers(dims.map { Int32(clamping: $0) })], mayExceed: false)
  }
}
