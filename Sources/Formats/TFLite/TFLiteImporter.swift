import Diagnostics
import Network
import Tensors

/// Turns the nodes of a file into a network, one after the other.
///
/// A value of the file is either known (a constant, which may be folded) or held: some value of the network has its
/// elements, in the file's order, for the channels are the last axis there, too. The first axis, the batch, is none of
/// the network's; where an operator works along it, a batch of one becomes an axis like others.
struct TFLiteImporter {
  /// A value of the network that stands for one of the file.
  struct Held {
    /// In the network.
    var name: String
    /// In the file, with the batch.
    var dims: [Int]
    /// Whether the first of `dims` is the batch.
    var hasBatch: Bool

    /// In the network.
    var shape: Shape { Shape(hasBatch ? Array(dims.dropFirst()) : dims) }
  }

  enum Value {
    case constant(TFLiteConstant)
    case held(Held)
  }

  let graph: TFLiteGraph
  /// The file's values so far, by their tensors.
  var values: [Int: Value] = [:]
  /// How often each tensor is read; as an output of the graph, too.
  var uses: [Int]
  /// The nodes that read a tensor.
  var readers: [Int: [Int]] = [:]
  /// Samples in a batch.
  var batch = 1

  /// The network's nodes so far.
  var layers = ImportedLayers()
  var activations: [String: ActivationEncoding] = [:]
  /// For how many of the file's values each stands.
  var stands: [String: Int] = [:]
  /// Elements that may still be made of constants, and indices: so that a small file cannot ask for all the memory
  /// there is.
  private var budget: Int

  static let mostNodes = 1 << 16

  init(_ graph: TFLiteGraph) {
    self.graph = graph
    uses = [Int](repeating: 0, count: graph.tensors.count)
    budget = max(1 << 26, 8 * graph.owner.bytes.count)
  }

  // MARK: The whole

  mutating func imported() throws -> Model {
    guard graph.nodes.count <= Self.mostNodes else {
      throw CompressError("has \(graph.nodes.count) nodes; at most \(Self.mostNodes) are read", kind: .limit)
    }
    for (index, node) in graph.nodes.enumerated() {
      for input in node.inputs where input >= 0 {
        uses[input] += 1
        readers[input, default: []].append(index)
      }
    }
    for output in graph.outputs { uses[output] += 1 }
    let inputs = try inputs()
    for node in graph.nodes { try take(node) }
    return try finished(inputs)
  }

  /// What a network's input or output is called in the file: by the signature, or else as its tensor.
  private func name(_ tensor: Int, _ signature: [Int: String]) -> String {
    let name = signature[tensor] ?? graph.tensors[tensor].name
    return name.isEmpty ? "tensor \(tensor)" : String(name.prefix(120))
  }

  private func element(_ type: TFLiteType) -> ModelInterface.Element {
    switch type {
    case .int8: .int8
    case .uint8: .uint8
    case .int16: .int16
    case .uint16: .uint16
    case .int32: .int32
    case .uint32: .uint32
    case .int64: .int64
    case .bool: .bool
    default: .float32
    }
  }

  /// What the file holds of a value that is an input or output.
  private func interface(
    _ held: Held, _ tensor: Int, name: String, order: [Int]
  ) -> ModelInterface.Value {
    ModelInterface.Value(
      held.name, name: name, order: order, hasBatch: held.hasBatch, element: element(graph.tensors[tensor].type),
      isPlain: isPlain(tensor))
  }

  private mutating func inputs() throws -> [ModelInterface.Value] {
    var found: [ModelInterface.Value] = []
    guard !graph.inputs.isEmpty else { throw CompressError("the graph has no inputs", kind: .input) }
    let firsts = Set(graph.inputs.map { graph.tensors[$0].dims }.filter { $0.count > 1 }.map { $0[0] })
    batch = firsts.count == 1 ? firsts.first ?? 1 : 1
    guard (1...1 << 16).contains(batch) else {
      throw CompressError("fixes a batch of \(batch) samples; 1 to 65536 are taken", kind: .limit)
    }
    for index in graph.inputs {
      let tensor = graph.tensors[index]
      let shown = "input \"\(tensor.name.escapedForTerminal.shortened(to: 120))\""
      guard values[index] == nil else { throw CompressError("\(shown) is there twice", kind: .input) }
      guard tensor.type == .float32 || tensor.type == .float16 || element(tensor.type) != .float32 else {
        throw CompressError(
          "\(shown) has elements of type \(tensor.type); networks take floats, or integers of up to 64 bits",
          kind: .input)
      }
      guard !tensor.isVariable else { throw CompressError("\(shown) is kept between calls", kind: .input) }
      let varying = (tensor.signature ?? []).enumerated().filter { $0.offset > 0 && $0.element < 0 }.map(\.offset)
      guard varying.allSatisfy({ $0 < tensor.dims.count && tensor.dims[$0] > 1 }) else {
        throw CompressError(
          "the extent of \(shown) varies along axis \(varying.map(String.init).joined(separator: ", ")); only the "
            + "batch may", kind: .input)
      }
      guard tensor.dims.allSatisfy({ $0 > 0 }) else {
        throw CompressError("\(shown) is empty: shape \(tensor.dims)", kind: .input)
      }
      _ = try Shape(checking: tensor.dims)
      var held = Held(name: "", dims: tensor.dims, hasBatch: tensor.dims.count > 1 && tensor.dims[0] == batch)
      // Where all the file does with an image is to bring its channels to the end, it is held like that at once.
      let order = held.hasBatch && turns(index) ? [1, 2, 0] : Array(held.shape.dims.indices)
      held.dims = (held.hasBatch ? [batch] : []) + order.map { held.shape[$0] }
      held.name = try emit(.input(Input(held.shape)), [], named: tensor.label)
      activations[held.name] = try encoding(tensor).map { .affine($0) }
      found.append(interface(held, index, name: name(index, graph.inputNames), order: order))
      if order != Array(order.indices) {
        for reader in readers[index] ?? [] { turned.insert(reader) }
      }
      values[index] = .held(held)
      stands[held.name] = 1
    }
    return found
  }

  /// Nodes that transpose an input which is held as they give it.
  private(set) var turned: Set<Int> = []
  /// Layers from here on are those of the node that is being read.
  var firstOfNode = 0

  /// Whether all that reads an input is one transposition from channels first to channels last.
  private func turns(_ input: Int) -> Bool {
    let readers = (readers[input] ?? []).map { graph.nodes[$0] }
    return graph.tensors[input].dims.count == 4 && !readers.isEmpty && uses[input] == readers.count
      && readers.allSatisfy { node in
        guard node.kind == "TRANSPOSE", !node.isCustom, node.inputs.count == 2, node.inputs[0] == input,
          let output = node.outputs.first, let order = try? known(node.inputs[1])?.integers()
        else { return false }
        let isAlike = graph.tensors[output].quantization == graph.tensors[input].quantization
        return order == [0, 2, 3, 1] && isAlike
      }
  }

  private mutating func finished(_ inputs: [ModelInterface.Value]) throws -> Model {
    guard !graph.outputs.isEmpty else { throw CompressError("the graph has no outputs", kind: .input) }
    var outputs: [ModelInterface.Value] = [], taken: Set<String> = []
    for index in graph.outputs {
      let tensor = graph.tensors[index]
      let shown = "output \"\(tensor.name.escapedForTerminal.shortened(to: 120))\""
      guard case .held(var held)? = values[index] else {
        throw CompressError(
          try known(index) == nil ? "no node gives the \(shown)" : "the \(shown) is a constant", kind: .input)
      }
      // An output is no input, and none is another one.
      if taken.contains(held.name) || layers[held.name].op.isInput {
        held.name = try identity(held.name, named: tensor.label, activations[held.name])
      }
      taken.insert(held.name)
      outputs.append(
        interface(held, index, name: name(index, graph.outputNames), order: Array(held.shape.dims.indices)))
    }
    let ends = outputs.map(\.value)
    let rounded = activations
    layers = try ImportedPatterns.recognized(layers, ends: ends) { rounded[$0] != nil }
    let network = try Graph(layers.needed(for: ends), outputs: ends)
    var model = try Model(
      graph: network, parameters: layers.parameters.filter { network[$0.key] != nil },
      activations: activations.filter { network[$0.key] != nil })
    let interface = ModelInterface(format: TFLiteFile.fileExtension, inputs: inputs, outputs: outputs)
    model.adopt(try ModelSignature(classes: nil, preprocessing: nil, interface: interface))
    return model
  }

  // MARK: Emitting

  /// Takes from what may still be made.
  mutating func spend(_ count: Int) throws {
    guard count <= budget else {
      throw CompressError("more elements would be made of constants than a file of this size can mean", kind: .limit)
    }
    budget -= count
  }

  /// Adds a layer.
  ///
  /// - Returns: its name.
  mutating func emit(
    _ op: Operator, _ inputs: [String], named wanted: String, _ own: [ParameterRole: Parameter] = [:]
  ) throws -> String {
    try layers.add(op, inputs, named: wanted, own)
  }

  /// The same value once more, rounded in its own way.
  mutating func identity(_ name: String, named wanted: String, _ encoding: ActivationEncoding?) throws -> String {
    let copy = try emit(.reshape(Reshape(layers.shapes[name]!)), [name], named: wanted)
    activations[copy] = encoding
    return copy
  }

  /// The same elements under another shape.
  mutating func reshape(_ name: String, _ shape: Shape, named wanted: String) throws -> String {
    var source = name
    if case .reshape = layers[name].op {
      let before = layers[name].inputs[0]
      if activations[name] == activations[before] { source = before }
    }
    if layers.shapes[source] == shape { return source }
    let reshaped = try emit(.reshape(Reshape(shape)), [source], named: wanted)
    activations[reshaped] = activations[source]
    return reshaped
  }

  // MARK: The batch

  /// The value with the batch as an axis like others.
  mutating func unbatched(_ value: Held) throws -> Held {
    guard value.hasBatch else { return value }
    guard batch == 1 else {
      throw CompressError("mixes the batch with other axes; only a batch of 1 may take part", kind: .input)
    }
    var held = value
    held.hasBatch = false
    held.name = try reshape(value.name, held.shape, named: value.name + " reshaped")
    return held
  }

  /// The value with its first axis, of one element, as the batch.
  mutating func batched(_ value: Held) throws -> Held {
    guard !value.hasBatch else { return value }
    guard batch == 1, value.dims.first == 1 else {
      throw CompressError("takes a batch, but its input of shape \(value.dims) has none", kind: .input)
    }
    var held = value
    held.hasBatch = true
    held.name = try reshape(value.name, held.shape, named: value.name + " reshaped")
    return held
  }

  /// An image `[batch, height, width, channels]`.
  mutating func image(_ value: Held) throws -> Held {
    guard value.dims.count == 4 else {
      throw CompressError("works on a value of shape \(value.dims); supported are images", kind: .input)
    }
    return try batched(value)
  }

  /// A value of the network under its shape for the file.
  func held(_ name: String, hasBatch: Bool) -> Held {
    Held(name: name, dims: (hasBatch ? [batch] : []) + layers.shapes[name]!.dims, hasBatch: hasBatch)
  }

  /// Adds a layer.
  mutating func emitHeld(
    _ op: Operator, _ inputs: [String], named wanted: String, _ own: [ParameterRole: Parameter] = [:], hasBatch: Bool
  ) throws -> Held {
    let name = try emit(op, inputs, named: wanted, own)
    return held(name, hasBatch: hasBatch)
  }

  // MARK: Axes

  /// An axis as the file counts it, from the end if negative.
  static func axis(_ axis: Int, rank: Int) throws -> Int {
    let index = axis < 0 ? axis + rank : axis
    guard (0..<rank).contains(index) else {
      throw CompressError("axis \(axis) of a value with \(rank) axes", kind: .input)
    }
    return index
  }

  /// The value, and an axis of the network's value; the batch becomes one where the operator works along it.
  mutating func along(_ value: Held, _ axis: Int) throws -> (held: Held, axis: Int) {
    let index = try Self.axis(axis, rank: value.dims.count)
    guard value.hasBatch else { return (value, index) }
    return index == 0 ? (try unbatched(value), 0) : (value, index - 1)
  }
}
