import Diagnostics
import Network
import Tensors

/// Turns the nodes of a file into a network, one after the other.
///
/// A value of the file is either known (a constant, which is folded) or held: some value of the network has its
/// elements, in an order of axes that `Held.order` states. Operators of images take channels last; transposing only
/// changes the order that is stated. Axes are moved only where an operator needs another order than a value is held in.
struct ONNXImporter {
  /// A value of the network that stands for one of the file.
  struct Held {
    /// In the network.
    var name: String
    /// In the file's order of axes, without the batch.
    var dims: [Int]
    /// Axis `i` of the network's value is axis `order[i]` of `dims`.
    var order: [Int]
    /// Whether the file's value has the batch in front of `dims`.
    var hasBatch: Bool
    /// Of a vector whose elements are still held in the order of axes of an image: which.
    var unflattened: (dims: [Int], order: [Int])?

    init(_ name: String, _ dims: [Int], order: [Int]? = nil, hasBatch: Bool) {
      self.name = name
      self.dims = dims
      self.order = order ?? Array(dims.indices)
      self.hasBatch = hasBatch
    }

    var shape: Shape { Shape(order.map { dims[$0] }) }
    /// Axes in the file.
    var rank: Int { dims.count + (hasBatch ? 1 : 0) }
    var isInOrder: Bool { order == Array(order.indices) }
  }

  enum Value {
    case constant(ONNXConstant)
    case held(Held)
  }

  let nodes: [ONNXNode]
  let graph: ONNXGraphMessage
  let files: ONNXFiles
  let options: ONNXFile.Options

  /// The file's values so far.
  var values: [String: Value] = [:]
  /// Initializers so large that they are only in memory from their first reader to their last.
  private var large: [String: ONNXTensorMessage] = [:]
  private static let largeCount = 1 << 16
  /// How often each of the file's values is read; as an output of the graph, too.
  var uses: [String: Int] = [:]
  /// The nodes that read a value.
  var readers: [String: [Int]] = [:]
  /// The node that gives a value.
  var producers: [String: Int] = [:]
  /// Samples in a batch, where the file fixes it.
  var batch: Int?

  /// The network's nodes so far.
  var layers = ImportedLayers()
  /// What values of the network are rounded to.
  var activations: [String: ActivationQuantization] = [:]
  /// The file's values of integers, and what those stand for.
  var coded: [String: ActivationQuantization] = [:]
  /// Integers, scales and zero points that depend on the range of a value, which is found while running.
  var ranges: [String: RangeScale] = [:]
  /// Sums of integers that are yet to be scaled.
  var pending: [String: PendingSums] = [:]
  /// Of layers that later nodes became part of: the file's value that they give now.
  var standsFor: [String: String] = [:]
  /// Types of the file's values that are held here as floats but are none of float32 there.
  var elements: [String: ONNXElement] = [:]
  /// Bits of the integers that a layer's weight was made of in the file.
  var foreign: [String: Int] = [:]
  /// Values that are floats in the file, too, but hold nothing but integers.
  var whole: Set<String> = []
  /// Types of floats with fewer bits that values are cast to, and how often: here they stay float32.
  var halves: [ONNXElement: Int] = [:]
  /// What was left out.
  var tail = Tail()
  /// Elements that may still be folded, and indices made: so that a small file cannot ask for all the memory there is.
  private var budget = 1 << 26

  init(nodes: [ONNXNode], graph: ONNXGraphMessage, files: ONNXFiles, options: ONNXFile.Options) {
    self.nodes = nodes
    self.graph = graph
    self.files = files
    self.options = options
  }

  // MARK: The whole

  mutating func imported(_ constants: [String: ONNXConstant]) throws -> ONNXImport {
    for tensor in graph.initializers {
      guard values[tensor.name] == nil, large[tensor.name] == nil else {
        throw CompressError("two initializers are named \"\(tensor.name.escapedForTerminal)\"", kind: .input)
      }
      if tensor.claimedCount >= Self.largeCount {
        try tensor.check(files)
        large[tensor.name] = tensor
      } else {
        values[tensor.name] = .constant(try tensor.constant(files))
      }
    }
    for output in graph.outputs { try fetch(output.name) }
    for (index, node) in nodes.enumerated() {
      for input in node.inputs where !input.isEmpty {
        uses[input, default: 0] += 1
        readers[input, default: []].append(index)
      }
      for output in node.outputs where !output.isEmpty { producers[output] = index }
    }
    for output in graph.outputs { uses[output.name, default: 0] += 1 }
    var inputs: [(name: String, held: Held)] = []
    let varying = graph.inputs.filter { values[$0.name] == nil && large[$0.name] == nil && constants[$0.name] == nil }
    for input in graph.inputs where values[input.name] == nil && large[input.name] == nil {
      if let constant = constants[input.name] { values[input.name] = .constant(constant) }
    }
    let isBatched = try findBatch(varying)
    for (input, hasBatch) in zip(varying, isBatched) {
      let held = try self.input(input, hasBatch: hasBatch)
      values[input.name] = .held(held)
      inputs.append((input.name, held))
    }
    for (index, node) in nodes.enumerated() {
      for name in node.inputs + node.outputs { try fetch(name) }
      try take(node)
      release(after: index)
    }
    return try finished(inputs.map { described($0.name, $0.held) })
  }

  /// Makes a large initializer a value, now that a node names it.
  private mutating func fetch(_ name: String) throws {
    guard let tensor = large.removeValue(forKey: name) else { return }
    values[name] = .constant(try tensor.constant(files))
  }

  /// Lets go of large constants that no later node reads.
  private mutating func release(after index: Int) {
    for name in nodes[index].inputs where readers[name]?.last == index {
      guard case .constant(let constant)? = values[name], constant.shape.count >= Self.largeCount,
        !graph.outputs.contains(where: { $0.name == name })
      else { continue }
      values[name] = nil
    }
  }

  private mutating func finished(_ inputs: [ONNXImport.Value]) throws -> ONNXImport {
    guard !graph.outputs.isEmpty else { throw CompressError("the graph has no outputs", kind: .input) }
    var outputs: [ONNXImport.Value] = [], ends: [String] = [], taken: Set<String> = []
    let known = graph.outputs.map(\.name).filter { !tail.values.contains($0) }
    for name in known + tail.taken.filter({ !known.contains($0) }) {
      guard let value = values[name] else {
        throw CompressError("no node gives the output \"\(name.escapedForTerminal)\"", kind: .input)
      }
      guard ranges[name] == nil, pending[name] == nil else {
        throw CompressError(
          "the output \"\(name.escapedForTerminal)\" is integers whose scale is found while running", kind: .input)
      }
      switch value {
      case .constant(let constant):
        outputs.append(
          ONNXImport.Value(
            name: name, shape: constant.shape, order: Array(0..<constant.shape.rank), hasBatch: false,
            constant: constant.floats, element: constant.element, encoding: nil))
      case .held(var held):
        held = try flattened(held)
        if options.isBatchOne, held.dims.first == 1 { held = try batched(held) }
        // An output is no input, and none is another one.
        if taken.contains(held.name) || layers[held.name].op.isInput {
          held.name = try emit(.reshape(Reshape(held.shape)), [held.name], named: name)
        }
        ends.append(held.name)
        taken.insert(held.name)
        outputs.append(described(name, held))
      }
    }
    guard !ends.isEmpty else {
      guard tail.values.isEmpty else {
        throw CompressError("nothing is left in front of the operators that are not known", kind: .input)
      }
      return ONNXImport(model: nil, inputs: inputs, outputs: outputs)
    }
    let rounded = activations
    layers = try ImportedPatterns.recognized(layers, ends: ends) { rounded[$0] != nil }
    // What patterns have taken the place of is left out.
    var kept = layers.needed(for: ends)
    kept = renamed(kept, &ends)
    let network = try Graph(kept, outputs: ends)
    let interface = ModelInterface(
      format: ONNXFile.fileExtension,
      inputs: zip(network.inputs, inputs).map { $1.interface($0) },
      outputs: zip(ends, outputs.filter { $0.constant == nil }).map { $1.interface($0) })
    var model = try Model(
      graph: network, parameters: layers.parameters.filter { network[$0.key] != nil },
      activations: activations.filter { network[$0.key] != nil }.mapValues { .affine($0) })
    model.adopt(try ModelSignature(classes: nil, preprocessing: nil, interface: interface))
    return ONNXImport(
      model: model, inputs: inputs, outputs: outputs, notes: tail.notes(outputs.map(\.name)) + roundingNotes + weightNotes(network))
  }

  /// Layers that later nodes became part of are called what those are, where nothing else is.
  private mutating func renamed(_ kept: [Node], _ ends: inout [String]) -> [Node] {
    var taken = Set(kept.map(\.name)), others: [String: String] = [:]
    for node in kept {
      guard let name = standsFor[node.name], name.utf8.count <= 480, taken.insert(name).inserted else { continue }
      others[node.name] = name
      layers.parameters[name] = layers.parameters.removeValue(forKey: node.name)
      foreign[name] = foreign.removeValue(forKey: node.name)
      activations[name] = activations.removeValue(forKey: node.name)
    }
    ends = ends.map { others[$0] ?? $0 }
    return kept.map { Node(others[$0.name] ?? $0.name, $0.op, $0.inputs.map { others[$0] ?? $0 }) }
  }

  private func described(_ name: String, _ held: Held) -> ONNXImport.Value {
    ONNXImport.Value(
      name: name, shape: Shape(held.dims), order: held.order, hasBatch: held.hasBatch, constant: nil,
      element: elements[name] ?? .float32, encoding: coded[name])
  }

  /// What is said of integer weights that became floats.
  private func weightNotes(_ network: Graph) -> [String] {
    let floats = network.nodes.map(\.name).filter { name in
      guard foreign[name] != nil else { return false }
      if case .integer? = layers.parameters[name]?[.weight]?.encoding { return false }
      return true
    }
    guard !floats.isEmpty else { return [] }
    let bits = Set(floats.compactMap { foreign[$0] }).sorted().map(String.init).joined(separator: ", ")
    let shown = floats.prefix(4).map { "\"\($0.escapedForTerminal.shortened(to: 60))\"" }.joined(separator: ", ")
    return [
      "the weights of \(floats.count) layer\(floats.count == 1 ? "" : "s") are integers of \(bits) bits in the file and "
        + "floats here, since what they read is not rounded or their scales are not those of outputs: \(shown)"
        + (floats.count > 4 ? " and \(floats.count - 4) more" : "")
    ]
  }

  private var roundingNotes: [String] {
    halves.sorted { $0.key.rawValue < $1.key.rawValue }.map { element, count in
      "\(count) value\(count == 1 ? " is" : "s are") rounded to \(element) in the file and stay\(count == 1 ? "s" : "") "
        + "float32 here"
    }
  }

  // MARK: Emitting

  /// Takes from what may still be folded.
  mutating func spend(_ count: Int) throws {
    guard count <= budget else {
      throw CompressError("more than \(1 << 26) elements would be made of constants", kind: .limit)
    }
    budget -= count
  }

  /// Adds a layer.
  ///
  /// - Returns: its name.
  mutating func emit(
    _ op: Operator, _ inputs: [String], named wanted: String, _ tensors: [ParameterRole: Tensor] = [:]
  ) throws -> String {
    try layers.add(op, inputs, named: wanted, tensors.mapValues { Parameter($0.contiguous()) })
  }

  /// Replaces a layer that was added before by one that gives a value of the same shape.
  mutating func replace(_ name: String, _ op: Operator, _ tensors: [ParameterRole: Tensor]) {
    layers.nodes[layers.positions[name]!].op = op
    layers.parameters[name] = tensors.mapValues { Parameter($0.contiguous()) }
  }

  /// The same elements under another shape.
  mutating func reshape(_ name: String, _ shape: Shape, named wanted: String) throws -> String {
    var source = name
    if case .reshape = layers[name].op { source = layers[name].inputs[0] }
    if layers.shapes[source] == shape { return source }
    return try emit(.reshape(Reshape(shape)), [source], named: wanted)
  }

  // MARK: Layouts

  /// The value with its axes in another order. Axes of one element move for free.
  mutating func ordered(_ value: Held, _ order: [Int]) throws -> Held {
    var held = try flattened(value)
    guard held.order != order else { return held }
    func long(_ order: [Int]) -> [Int] { order.filter { held.dims[$0] != 1 } }
    let target = Shape(order.map { held.dims[$0] })
    if long(order) == long(held.order) {
      held.name = try reshape(held.name, target, named: held.name + " reshaped")
    } else {
      let places = order.map { held.order.firstIndex(of: $0)! }
      held.name = try emit(.transpose(Transpose(places)), [held.name], named: held.name + " transposed")
    }
    held.order = order
    return held
  }

  mutating func inOrder(_ value: Held) throws -> Held { try ordered(value, Array(value.dims.indices)) }

  /// The value as a vector in the file's order, if it is one whose elements are held in another.
  mutating func flattened(_ value: Held) throws -> Held {
    guard let (dims, order) = value.unflattened else { return value }
    var image = Held(value.name, dims, order: order, hasBatch: value.hasBatch)
    image.name = try reshape(image.name, image.shape, named: image.name + " reshaped")
    image = try inOrder(image)
    var held = value
    held.unflattened = nil
    held.name = try reshape(image.name, Shape(value.dims), named: value.name + " flattened")
    return held
  }

  /// The value with the batch as an axis of one element like others.
  mutating func unbatched(_ value: Held) throws -> Held {
    guard value.hasBatch else { return value }
    guard batch == 1 else {
      throw CompressError(
        "mixes the batch with other axes; only a batch that is fixed to 1 may take part", kind: .input)
    }
    let held = try flattened(value)
    let order = [0] + held.order.map { $0 + 1 }
    let dims = [1] + held.dims
    let name = try reshape(held.name, Shape(order.map { dims[$0] }), named: held.name + " reshaped")
    return Held(name, dims, order: order, hasBatch: false)
  }

  /// The value with its first axis, of one element, as the batch.
  mutating func batched(_ value: Held) throws -> Held {
    guard !value.hasBatch else { return value }
    guard value.dims.first == 1 else {
      throw CompressError("takes a batch, but its input of shape \(value.dims) has none", kind: .input)
    }
    let held = try flattened(value)
    let dims = Array(held.dims.dropFirst())
    let order = held.order.filter { $0 != 0 }.map { $0 - 1 }
    let name = try reshape(held.name, Shape(order.map { dims[$0] }), named: held.name + " reshaped")
    return Held(name, dims, order: order, hasBatch: true)
  }

  /// An image `[channels, height, width]`, held with its channels last; of one axis less or more, see `Window`'s users.
  mutating func image(_ value: Held) throws -> Held {
    let held = try batched(value)
    guard held.dims.count == 3 else {
      throw CompressError(
        "works on \(held.dims.count - 1)-dimensional data of shape \(held.dims); supported are images", kind: .input)
    }
    return try ordered(held, [1, 2, 0])
  }

  /// A constant as a value of the network, its axes as in `order`.
  mutating func constant(
    _ tensor: Tensor, order: [Int], named name: String, integers: ONNXIntegers? = nil
  ) throws -> String {
    let moved = try tensor.transposed(order).contiguous()
    let layer = try emit(.constant(Constant(moved.shape)), [], named: name + " constant", [.constant: moved])
    activations[layer] = try integers?.asValue
    return layer
  }

  // MARK: Axes

  /// An axis as the file counts it, from the end if negative, as one of `dims`; the batch becomes one of them where it
  /// is meant.
  mutating func axis(_ axis: Int64, _ held: inout Held) throws -> Int {
    let index = try Self.axis(axis, rank: held.rank)
    guard held.hasBatch else { return index }
    if index > 0 { return index - 1 }
    held = try unbatched(held)
    return index
  }

  static func axis(_ axis: Int64, rank: Int) throws -> Int {
    let index = axis < 0 ? axis + Int64(rank) : axis
    guard (0..<Int64(rank)).contains(index) else {
      throw CompressError("axis \(axis) of a value with \(rank) axes", kind: .input)
    }
    return Int(index)
  }
}
