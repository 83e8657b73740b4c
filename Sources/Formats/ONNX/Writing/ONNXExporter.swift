import Diagnostics
import Network
import Tensors

/// Turns a network into the nodes of a file, one layer after the other.
///
/// Every value of the file has the batch in front and then the axes of the network's value in the order that
/// `Written.axes` states: operators of images take channels first. Transposing only changes the order that is stated;
/// axes are moved only where an operator needs another order than a value is written in.
struct ONNXExporter {
  /// A value of the file that stands for one of the network.
  struct Written {
    /// In the file; of a constant that is not in the file yet that of its layer.
    var name: String
    /// As the network has it.
    var shape: [Int]
    /// Axis `j` of the file's value, not counting the batch, is axis `axes[j]` of `shape`.
    var axes: [Int]
    /// Whether it differs from sample to sample; otherwise the batch has one element.
    var varies: Bool
    /// Of a vector whose elements still lie in the order of an image: its shape, and the order of its axes.
    var image: (shape: [Int], axes: [Int])?
    /// What DequantizeLinear made it of.
    var encoding: ActivationQuantization?
    /// Of a constant that is written in whatever order somebody asks for.
    var isConstant = false

    init(_ name: String, _ shape: [Int], axes: [Int]? = nil, varies: Bool = true) {
      self.name = name
      self.shape = shape
      self.axes = axes ?? Array(shape.indices)
      self.varies = varies
    }

    var dims: [Int] { axes.map { shape[$0] } }

    /// Where an axis of the network's value is in the file's, the batch counted.
    func place(of axis: Int) -> Int { axes.firstIndex(of: axis)! + 1 }
  }

  /// Height, width, channels as the file has them.
  static let channelsFirst = [2, 0, 1]

  let model: Model
  let graph: Graph
  let version: Int
  let note: (String) -> Void
  /// What becomes of each value before anyone reads it, also where that follows from another's.
  let encodings: [String: ActivationEncoding]
  var file: ONNXGraphWriter
  var values: [String: Written] = [:]
  /// What was written before in another form, by what it was made of.
  var forms: [String: String] = [:]
  /// How the file that the model came from had its inputs and outputs.
  private let interface: ModelInterface?
  private let batch: ONNXGraphWriter.Extent
  private var inputNames: [String: String] = [:]
  private var outputNames: [String] = []

  init(_ model: Model, _ options: ONNXFile.WriteOptions) throws {
    self.model = model
    graph = model.graph
    version = options.version
    note = options.note
    encodings = Self.encodings(of: model)
    file = ONNXGraphWriter(version: options.version)
    let known = model.signature.interface
    // Another format has its own order of axes; names are as good here.
    interface = known?.format == ONNXFile.fileExtension ? known : nil
    batch =
      ((interface?.inputs ?? []) + (interface?.outputs ?? [])).contains { !$0.hasBatch } ? .fixed(1) : .named("batch")
    // Inputs and outputs have their names before anything else takes them.
    for (index, input) in graph.inputs.enumerated() {
      inputNames[input] = file.unique(known?.inputs[index].name ?? input)
    }
    for (index, output) in graph.outputs.enumerated() {
      let wanted = known?.outputs[index].name ?? output
      outputNames.append(wanted)
    }
  }

  // MARK: The whole

  mutating func written() throws -> ONNXGraphWriter {
    let needed = graph.needed(for: graph.outputs)
    for node in graph.nodes where needed.contains(node.name) || node.op.isInput {
      try atLayer(node.name) {
        let result = try layer(node)
        values[node.output] = try encoded(result, node.output)
      }
    }
    for index in graph.outputs.indices { try atLayer(graph.outputs[index]) { try output(index) } }
    noteWhatIsLost()
    return file
  }

  private func noteWhatIsLost() {
    let masked = model.allParameters.count { $0.parameter.mask != nil }
    if masked > 0 {
      note("masks of \(masked) weights: what they removed is written as zeros, like any other zero")
    }
    let coded = model.allParameters.compactMap { layer, _, parameter in
      if case .codes = parameter.encoding { layer } else { nil }
    }
    if !coded.isEmpty {
      note("tables: the weights of \(Self.list(coded)) are looked up in theirs while the file is loaded, then floats")
    }
    if graph.nodes.contains(where: { if case .dropout = $0.op { true } else { false } }) {
      note("dropout, which does nothing in a network that runs")
    }
  }

  static func list(_ layers: [String]) -> String {
    let shown = layers.prefix(3).map { "\"\($0.escapedForTerminal.shortened(to: 60))\"" }.joined(separator: ", ")
    return layers.count > 3 ? shown + " and \(layers.count - 3) more" : shown
  }

  private mutating func input(_ node: Node) -> Written {
    let shape = graph.shape(of: node.output).dims
    let known = interface?.inputs.first { $0.value == node.output }
    let axes = known.map { Self.inverse($0.order) } ?? Self.defaultAxes(rank: shape.count)
    var value = Written(inputNames[node.output]!, shape, axes: axes)
    let extents = value.dims.map { ONNXGraphWriter.Extent.fixed($0) }
    let element = boundary(known, node.output)
    file.inputs.append(
      ONNXGraphWriter.Value(
        name: value.name, extents: known?.hasBatch ?? true ? [batch] + extents : extents, element: element))
    if element != .float32 {
      value.encoding = known?.isPlain == false ? encodings[node.output]?.integer : nil
      value.name = fromBoundary(value.name, element, value.encoding, named: node.output)
    }
    if known?.hasBatch == false {
      value.name = file.node("Unsqueeze", [value.name, file.integers([0])], named: node.output)
    }
    return value
  }

  private mutating func output(_ index: Int) throws {
    let known = interface?.outputs[index]
    var value = try straight(values[graph.outputs[index]]!)
    let axes = known.map { Self.inverse($0.order) } ?? Self.defaultAxes(rank: value.shape.count)
    value = try varying(try ordered(value, axes))
    let hasBatch = known?.hasBatch ?? true, wanted = outputNames[index], element = boundary(known, graph.outputs[index])
    if !hasBatch { value.name = reshape(value.name, value.dims, named: wanted) }
    if element != .float32 {
      let encoding = known?.isPlain == false ? encodings[graph.outputs[index]]?.integer : nil
      value.name = toBoundary(value.name, element, encoding, named: wanted)
    }
    let isTaken = file.inputs.contains { $0.name == value.name } || file.outputs.contains { $0.name == value.name }
    if isTaken { value.name = file.node("Identity", [value.name], named: wanted) }
    var name = wanted
    if value.name != wanted {
      if !file.reserve(wanted) {
        // Who has the name gives it away, unless that is an input or another output.
        if (file.inputs + file.outputs).contains(where: { $0.name == wanted }) {
          name = file.unique(wanted)
        } else {
          file.rename(wanted, to: file.unique(wanted))
        }
      }
      file.rename(value.name, to: name)
    }
    let extents = value.dims.map { ONNXGraphWriter.Extent.fixed($0) }
    file.outputs.append(
      ONNXGraphWriter.Value(name: name, extents: hasBatch ? [batch] + extents : extents, element: element))
    values[graph.outputs[index]]!.name =
      values[graph.outputs[index]]!.name == value.name ? name : values[graph.outputs[index]]!.name
  }

  // MARK: Types of inputs and outputs

  /// What an input or output is made of in the file: what it was made of in that which the model came from. Integers that
  /// stand for numbers of a scale are written where the model's value has one.
  private func boundary(_ known: ModelInterface.Value?, _ value: String) -> ONNXElement {
    guard let known, known.element != .float32 else { return .float32 }
    let element = ONNXElement(known.element)
    if known.isPlain || element.isFloat { return element }
    guard let encoding = encodings[value]?.integer, encoding.bits == element.bits, element.bits == 8 || version >= 21
    else { return .float32 }
    return element
  }

  private mutating func fromBoundary(
    _ name: String, _ element: ONNXElement, _ encoding: ActivationQuantization?, named wanted: String
  ) -> String {
    guard let encoding else {
      return file.node("Cast", [name], named: wanted, [("to", .integer(ONNXElement.float32.rawValue))])
    }
    let numbers = [file.number(encoding.scale), file.zeroPoint(encoding.zeroPoint - element.offset, element)]
    return file.node("DequantizeLinear", [name] + numbers, named: wanted)
  }

  private mutating func toBoundary(
    _ name: String, _ element: ONNXElement, _ encoding: ActivationQuantization?, named wanted: String
  ) -> String {
    guard let encoding else { return file.node("Cast", [name], named: wanted, [("to", .integer(element.rawValue))]) }
    let numbers = [file.number(encoding.scale), file.zeroPoint(encoding.zeroPoint - element.offset, element)]
    return file.node("QuantizeLinear", [name] + numbers, named: wanted)
  }

  private static func defaultAxes(rank: Int) -> [Int] { rank == 3 ? channelsFirst : Array(0..<rank) }

  static func inverse(_ order: [Int]) -> [Int] {
    var places = [Int](repeating: 0, count: order.count)
    for (place, axis) in order.enumerated() { places[axis] = place }
    return places
  }

  // MARK: Layers

  private mutating func layer(_ node: Node) throws -> Written {
    let inputs = node.inputs.map { values[$0]! }
    switch node.op {
    case .input: return input(node)
    case .constant(let constant):
      var value = Written(
        node.name, constant.shape.dims, axes: Self.defaultAxes(rank: constant.shape.rank), varies: false)
      value.isConstant = true
      return value
    case .conv2d(let conv): return try convolution(node, conv, inputs[0])
    case .dense(let dense): return try product(node, dense, inputs[0])
    case .batchNorm(let norm): return try batchNorm(node, norm, inputs[0])
    case .activation(let function): return try activation(node, function, inputs[0])
    case .pool2d(let pool): return try pooled(node, pool, inputs[0])
    case .globalPool(let pool): return try pooled(node, pool, inputs[0])
    case .add: return try pair(node, "Add", inputs)
    case .mul: return try pair(node, "Mul", inputs)
    case .binary(let binary): return try pair(node, Self.kind(of: binary.function), inputs)
    case .concat(let concat): return try joined(node, concat, inputs)
    case .flatten, .reshape:
      return try reshaped(inputs[0], graph.shape(of: node.output).dims, named: node.output)
    case .pad(let pad): return try padded(node, pad, inputs[0])
    case .dropout: return inputs[0]
    case .prelu: return try parametricReLU(node, inputs[0])
    case .reduce(let reduce): return try reduced(node, reduce, inputs[0])
    case .argMax(let argMax): return try greatest(node, argMax, inputs[0])
    case .normalization(let norm): return try normalized(node, norm, inputs[0])
    case .matmul(let product): return try self.product(node, product, inputs)
    case .attention(let attention): return try attended(node, attention, inputs)
    case .transpose(let transpose): return try transposed(transpose, inputs[0])
    case .gather(let gather): return try gathered(node, gather, inputs[0])
    case .expand(let expand): return try expanded(node, expand, inputs[0])
    case .tile(let tile): return try tiled(node, tile, inputs[0])
    case .depthToSpace(let op):
      let order = op.order == .depthLast ? "DCR" : "CRD"
      return try image(
        node, "DepthToSpace", [name(try image(inputs[0]))],
        [("blocksize", .integer(op.block)), ("mode", .text(order))],
        inputs[0])
    case .spaceToDepth(let op):
      return try image(
        node, "SpaceToDepth", [name(try image(inputs[0]))], [("blocksize", .integer(op.block))], inputs[0])
    case .resize(let resize): return try resized(node, resize, inputs[0])
    case .insertZeros(let zeros): return try spread(node, zeros, inputs[0])
    }
  }

  /// The outcome of a node of the file, an image.
  mutating func image(
    _ node: Node, _ kind: String, _ inputs: [String], _ attributes: [(String, ONNXGraphWriter.Attribute)],
    _ source: Written
  ) throws -> Written {
    Written(
      file.node(kind, inputs, named: node.output, attributes), graph.shape(of: node.output).dims,
      axes: Self.channelsFirst, varies: source.varies)
  }

  /// The outcome of a node that works on each element, whatever the order.
  mutating func each(_ kind: String, _ value: Written, named wanted: String, _ more: [String] = []) -> Written {
    var result = value
    result.name = file.node(kind, [name(value)] + more, named: wanted)
    result.isConstant = false
    result.encoding = nil
    return result
  }
}
