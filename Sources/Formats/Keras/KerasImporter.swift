import Diagnostics
import Network
import Tensors

/// Turns a configuration with its weights into a network. Keras's images have their channels last, as they have here,
/// but for layers that take them first: what those give is held with its channels last all the same, and its axes are
/// moved only where another layer asks for their order. A model that is a layer of another is put in its place.
struct KerasImporter {
  let weights: KerasWeights
  let isVersion3: Bool
  private let inputShapes: [String: [Int]]

  private(set) var layers = ImportedLayers()
  /// The layers that have weights, and constants, by what they were to be called: a layer that is called again has the
  /// same.
  private var owners: [String: String] = [:]
  /// Values of the network in other forms than they came in.
  var turned: [Held: [KerasForm: String]] = [:]

  /// Models inside each other.
  private static let deepest = 16
  /// Layers and calls of them in all, those of models that are called several times counted each time.
  private static let mostCalls = 1 << 17
  private var calls = 0

  init(_ weights: KerasWeights, isVersion3: Bool, inputShapes: [String: [Int]]) {
    (self.weights, self.isVersion3, self.inputShapes) = (weights, isVersion3, inputShapes)
  }

  mutating func imported(_ network: KerasNetwork, format: String) throws -> Model {
    let byName = Dictionary(network.layers.map { ($0.name, $0) }) { first, _ in first }
    if let name = inputShapes.keys.first(where: { name in !network.inputs.contains { $0.layer == name } }) {
      throw CompressError(
        "has no input \"\(name.escapedForTerminal.shortened(to: 80))\""
          + Suggestion.text(for: name, among: network.inputs.map(\.layer)))
    }
    let isChannelsFirst = network.isChannelsFirst
    var given: [Held] = []
    for place in network.inputs {
      guard let layer = byName[place.layer], layer.kind == "InputLayer" else {
        throw CompressError("has an input that is no InputLayer", kind: .input).at(layer: place.layer)
      }
      given.append(
        try atLayer(layer.name) {
          let dims = try inputShape(layer).dims, isTurned = isChannelsFirst && dims.count > 1
          let shape = Shape(isTurned ? dims.dropFirst() + [dims[0]] : dims)
          return Held(
            try emit(.input(Input(shape)), [], named: layer.name), KerasForm(isTurned: isTurned, isSignal: false))
        })
    }
    var outputs = try run(
      network, given, scope: weights.outermost(network.layers), path: "", depth: 0)
    for (index, output) in outputs.enumerated() {
      outputs[index] = try held(output, as: KerasForm(isTurned: output.form.isTurned, isSignal: false))
    }
    var ends = outputs.map(\.name)
    // An output is no input, and none is another one.
    for (index, end) in ends.enumerated()
    where given.contains(where: { $0.name == end }) || ends[..<index].contains(end) {
      ends[index] = try emit(.reshape(Reshape(layers.shapes[end]!)), [end], named: end + "/output")
    }
    let graph = try Graph(layers.needed(for: ends), outputs: ends)
    func value(_ name: String, _ form: KerasForm, _ place: KerasNetwork.Place) -> ModelInterface.Value {
      let axes = Array(0..<graph.shape(of: name).rank)
      return ModelInterface.Value(name, name: place.layer, order: form.isTurned ? axes.dropFirst() + [0] : axes)
    }
    let interface = ModelInterface(
      format: format, inputs: zip(given, network.inputs).map { value($0.name, $0.form, $1) },
      outputs: ends.indices.map { value(ends[$0], outputs[$0].form, network.outputs[$0]) })
    var model = try Model(graph: graph, parameters: layers.parameters.filter { graph[$0.key] != nil })
    model.adopt(try ModelSignature(classes: nil, preprocessing: nil, interface: interface))
    return model
  }

  /// Of one sample.
  private func inputShape(_ layer: KerasLayer) throws -> Shape {
    guard let extents = (layer.config["batch_shape"] ?? layer.config["batch_input_shape"])?.list, extents.count >= 2
    else {
      throw CompressError(
        "has no shape: the model was never built, or takes what has no axis but the batch", kind: .input,
        hint: "in Python: model.build((None, 224, 224, 3)) before model.save")
    }
    if let given = inputShapes[layer.name] {
      guard given.count == extents.count, zip(given, extents).dropFirst().allSatisfy({ $1.integer ?? $0 == $0 }) else {
        throw CompressError("cannot have shape \(given): the file says \(Self.text(extents))")
      }
      return try Shape(checking: Array(given.dropFirst()))
    }
    let dims = extents.dropFirst().map(\.integer)
    guard dims.allSatisfy({ $0 != nil }) else {
      throw CompressError(
        "has a shape that varies, \(Self.text(extents)); only the batch may vary", kind: .input,
        hint: "its shape can be given: --input \(layer.name.escapedForTerminal.shortened(to: 40))=1x224x224x3, say")
    }
    guard dims.allSatisfy({ $0! > 0 }) else { throw CompressError("is empty: \(Self.text(extents))", kind: .input) }
    return try Shape(checking: dims.map { $0! })
  }

  private static func text(_ extents: [KerasJSON]) -> String {
    "(" + extents.map { $0.integer.map(String.init) ?? "None" }.joined(separator: ", ") + ")"
  }

  // MARK: Calls

  /// Computes the calls of a network's layers, each once those it takes from are.
  ///
  /// - Returns: its outputs.
  private mutating func run(
    _ network: KerasNetwork, _ inputs: [Held], scope: KerasWeights.Scope, path: String, depth: Int
  ) throws -> [Held] {
    guard inputs.count == network.inputs.count else {
      throw CompressError("takes \(network.inputs.count) values, not \(inputs.count)", kind: .input)
    }
    guard depth <= Self.deepest else {
      throw CompressError("models nested more than \(Self.deepest) deep", kind: .limit)
    }
    try count(network.layers.count)
    struct Call: Hashable {
      let layer: String
      let number: Int
    }
    func call(_ place: KerasNetwork.Place) -> Call { Call(layer: place.layer, number: place.call) }
    var values: [Call: [Held]] = [:], waiting: [Call: Int] = [:], readers: [Call: [Call]] = [:], ready: [Call] = []
    var layers: [String: KerasLayer] = [:]
    for layer in network.layers where layers.updateValue(layer, forKey: layer.name) != nil {
      throw CompressError("two layers have this name", kind: .input).at(layer: layer.name)
    }
    for (place, value) in zip(network.inputs, inputs) { values[call(place)] = [value] }
    for layer in network.layers where layer.kind != "InputLayer" {
      for (number, operands) in layer.calls.enumerated() {
        let own = Call(layer: layer.name, number: number)
        var sources: Set<Call> = []
        for case .place(let place) in operands where values[call(place)] == nil { sources.insert(call(place)) }
        waiting[own] = sources.count
        for source in sources { readers[source, default: []].append(own) }
        if sources.isEmpty { ready.append(own) }
      }
    }
    var next = 0
    while next < ready.count {
      let own = ready[next], layer = layers[own.layer]!
      next += 1
      try Cancellation.checkCurrent()
      try count(1)
      values[own] = try atLayer(path + layer.name) {
        let operands = try layer.calls[own.number].map { operand -> Operand in
          switch operand {
          case .number(let number): return .number(number)
          case .place(let place):
            guard let given = values[call(place)], given.indices.contains(place.output) else {
              throw CompressError(
                "takes output \(place.output) of \"\(place.layer.escapedForTerminal.shortened(to: 80))\", which "
                  + "there is not",
                kind: .input)
            }
            return .value(given[place.output])
          }
        }
        if KerasNetwork.isModel(layer) {
          let inner = try KerasNetwork(layer.json)
          return try run(
            inner, try operands.map { try Self.held($0) }, scope: weights.scope(of: layer, inner.layers, in: scope),
            path: path + layer.name + "/", depth: depth + 1)
        }
        do {
          let call = KerasCall(layer, operands, scope: scope, path: path), form = wantedForm(call)
          let name = try self.layer(try self.call(call, as: form))
          // Vectors have one form alone.
          return [Held(name, shape(name).rank > 1 ? form : KerasForm())]
        } catch var error as CompressError {
          if error.layer == nil {
            error.message = "\(layer.kind.escapedForTerminal.shortened(to: 80)): \(error.message)"
          }
          throw error
        }
      }
      for reader in readers[own] ?? [] {
        waiting[reader]! -= 1
        if waiting[reader] == 0 { ready.append(reader) }
      }
    }
    return try network.outputs.map { place in
      guard let given = values[call(place)], given.indices.contains(place.output) else {
        throw CompressError(
          "cannot be computed: it, or what it takes, takes what is no layer's value, or itself", kind: .input
        ).at(layer: path + place.layer)
      }
      return given[place.output]
    }
  }

  private mutating func count(_ more: Int) throws {
    calls += more
    guard calls <= Self.mostCalls else { throw CompressError("has more than \(Self.mostCalls) layers", kind: .limit) }
  }

  /// A value of the network that stands for one of Keras's.
  struct Held: Hashable {
    let name: String
    let form: KerasForm

    init(_ name: String, _ form: KerasForm = KerasForm()) { (self.name, self.form) = (name, form) }
  }

  enum Operand {
    case value(Held)
    case number(Float)
  }

  static func held(_ operand: Operand) throws -> Held {
    guard case .value(let held) = operand else { throw CompressError("is called with a number", kind: .input) }
    return held
  }

  static func value(_ operand: Operand) throws -> String { try held(operand).name }

  // MARK: Emitting

  /// Adds a layer. One with weights that was added before, by the same name, is the same with other inputs.
  ///
  /// - Returns: its name.
  mutating func emit(
    _ op: Operator, _ inputs: [String], named wanted: String,
    _ tensors: () throws -> [ParameterRole: Tensor] = { [:] }
  ) throws -> String {
    let given = inputs.map { layers.shapes[$0]! }
    guard op.spec.arity.contains(given.count) else {
      throw CompressError("takes \(op.spec.arity.text) inputs, not \(given.count)", kind: .input)
    }
    _ = try op.spec.outputShapes(given)
    let specs = op.spec.parameters(given), owner = specs.isEmpty ? nil : owners[wanted]
    if given.isEmpty, let owner { return owner }
    guard !specs.isEmpty, owner == nil else { return try layers.add(op, inputs, named: wanted, sharing: owner) }
    let tensors = try tensors()
    for spec in specs where tensors[spec.role]?.shape != spec.shape {
      throw CompressError(
        "its \(spec.role.rawValue) in the file makes \(tensors[spec.role]?.shape ?? []); \(spec.shape) is expected",
        kind: .input)
    }
    let name = try layers.add(op, inputs, named: wanted, tensors.mapValues { Parameter($0.contiguous()) })
    owners[wanted] = name
    return name
  }

  /// Numbers that are the same for every sample.
  mutating func constant(_ numbers: [Float], named wanted: String) throws -> String {
    let tensor = Tensor(numbers)
    return try emit(.constant(Constant(tensor.shape)), [], named: wanted) { [.constant: tensor] }
  }
}

