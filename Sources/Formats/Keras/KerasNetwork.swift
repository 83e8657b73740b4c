import Diagnostics
import Network

/// What a configuration says of a network: layers, and what each is called with. Sequential and functional models of
/// Keras 2 and 3 come to the same.
struct KerasNetwork {
  /// One of the values that a call of a layer gives.
  struct Place: Hashable {
    let layer: String
    /// Which of the layer's calls.
    let call: Int
    let output: Int
  }

  /// What a layer is called with.
  enum Operand {
    case place(Place)
    case number(Float)
  }

  let name: String
  let layers: [KerasLayer]
  let inputs: [Place]
  let outputs: [Place]

  /// - Parameter model: `{"class_name": …, "config": …}`.
  init(_ model: KerasJSON) throws {
    let kind = model["class_name"]?.text ?? "nothing"
    guard let config = model["config"] else { throw CompressError("has no configuration of a model", kind: .input) }
    name = config["name"]?.text ?? ""
    switch kind {
    case "Functional", "Model": (layers, inputs, outputs) = try Self.functional(config)
    case "Sequential": (layers, inputs, outputs) = try Self.sequential(config)
    default:
      throw CompressError(
        "is a model of class \(kind.escapedForTerminal.shortened(to: 80)), which is Python code; Sequential and "
          + "functional models are read", kind: .input, hint: KerasFile.exporting)
    }
  }

  /// Whether a layer of it, or of a model in it, takes channels first.
  var isChannelsFirst: Bool {
    layers.contains {
      $0.config["data_format"]?.text == "channels_first"
        || Self.isModel($0) && ((try? KerasNetwork($0.json))?.isChannelsFirst ?? false)
    }
  }

  /// A layer that is a model of its own.
  static func isModel(_ layer: KerasLayer) -> Bool {
    ["Functional", "Model", "Sequential"].contains(layer.kind)
  }

  private static func functional(_ config: KerasJSON) throws -> ([KerasLayer], [Place], [Place]) {
    guard let list = config["layers"]?.list else { throw CompressError("has no list of layers", kind: .input) }
    var layers = try list.map(KerasLayer.init)
    guard let inputs = places(config["input_layers"]), var outputs = places(config["output_layers"]),
      !inputs.isEmpty, !outputs.isEmpty
    else { throw CompressError("does not say which layers are its inputs and outputs", kind: .input) }
    // Keras 2 counts the making of a model as its first call, and does not write it down: then what refers to the calls
    // of one goes to the number of those written.
    let models = Dictionary(layers.filter(isModel).map { ($0.name, $0.calls.count) }) { first, _ in first }
    var shifted: Set<String> = []
    for case .place(let place) in layers.flatMap(\.calls).joined() + outputs.map(Operand.place)
    where place.call == models[place.layer] { shifted.insert(place.layer) }
    func own(_ place: Place) -> Place {
      shifted.contains(place.layer) ? Place(layer: place.layer, call: place.call - 1, output: place.output) : place
    }
    if !shifted.isEmpty {
      for layer in layers.indices {
        layers[layer].calls = layers[layer].calls.map { call in
          call.map { if case .place(let place) = $0 { .place(own(place)) } else { $0 } }
        }
      }
      outputs = outputs.map(own)
    }
    return (layers, inputs, outputs)
  }

  private static func sequential(_ config: KerasJSON) throws -> ([KerasLayer], [Place], [Place]) {
    guard let list = config["layers"]?.list ?? config.list, !list.isEmpty else {
      throw CompressError("has no list of layers", kind: .input)
    }
    var layers = try list.map(KerasLayer.init)
    if layers[0].kind != "InputLayer" {
      // The shape is the first layer's, or that of the first call.
      let first = layers[0].config
      let shape = first["batch_input_shape"] ?? first["batch_shape"] ?? config["build_input_shape"]
      layers.insert(KerasLayer(input: layers[0].name + "_input", shape: shape), at: 0)
    }
    for index in layers.indices.dropFirst() {
      layers[index].calls = [[.place(Place(layer: layers[index - 1].name, call: 0, output: 0))]]
    }
    return (
      layers, [Place(layer: layers[0].name, call: 0, output: 0)],
      [Place(layer: layers[layers.count - 1].name, call: 0, output: 0)]
    )
  }

  /// `["name", 0, 0]`, a list of such, or an object of such.
  private static func places(_ json: KerasJSON?) -> [Place]? {
    guard let json else { return nil }
    if let place = Place(json) { return [place] }
    if case .object(let fields) = json {
      let places = fields.sorted { $0.key < $1.key }.map { Place($0.value) }
      return places.contains { $0 == nil } ? nil : places.compactMap { $0 }
    }
    guard let items = json.list?.map(Place.init), items.allSatisfy({ $0 != nil }) else { return nil }
    return items.compactMap { $0 }
  }
}

extension KerasNetwork.Place {
  init?(_ json: KerasJSON) {
    guard let items = json.list, items.count >= 3, let layer = items[0].text, let call = items[1].integer,
      let output = items[2].integer
    else { return nil }
    guard (0...1 << 30).contains(call), (0...1 << 30).contains(output) else { return nil }
    self.init(layer: layer, call: call, output: output)
  }
}

/// A layer as a configuration has it.
struct KerasLayer {
  typealias Operand = KerasNetwork.Operand

  let kind: String
  let name: String
  let config: KerasJSON
  /// Of a layer that is a model: the whole.
  let json: KerasJSON
  /// Whether it is one of Keras's functions (`keras.ops`), not a layer.
  let isFunction: Bool
  fileprivate(set) var calls: [[Operand]]

  init(_ json: KerasJSON) throws {
    guard let kind = json["class_name"]?.text, let config = json["config"] else {
      throw CompressError("has a layer without a class and a configuration", kind: .input)
    }
    guard let name = json["name"]?.text ?? config["name"]?.text, (1...400).contains(name.utf8.count) else {
      throw CompressError(
        "has a layer of class \(kind.escapedForTerminal.shortened(to: 80)) without a name", kind: .input)
    }
    (self.kind, self.name, self.config, self.json) = (kind, name, config, json)
    isFunction = kind == "TFOpLambda" || json["module"]?.text?.contains(".ops.") ?? false
    calls = try atLayer(name) { try (json["inbound_nodes"]?.list ?? []).map { try Self.call($0, of: kind) } }
  }

  /// An input that a sequential model does not name.
  init(input name: String, shape: KerasJSON?) {
    (kind, self.name, isFunction, calls) = ("InputLayer", name, false, [])
    config = .object(shape.map { ["batch_shape": $0] } ?? [:])
    json = .null
  }

  /// What classes call the values they take, where those may be given by name.
  private static let argumentNames = ["MultiHeadAttention": ["query", "value", "key"]]

  private static func call(_ json: KerasJSON, of kind: String) throws -> [Operand] {
    // Keras 3: {"args": […], "kwargs": {…}}.
    if let arguments = json["args"]?.list {
      let given = arguments.flatMap { $0["class_name"] == nil ? $0.list ?? [$0] : [$0] }
      return try withNamed(given.map(operand), json["kwargs"], of: kind)
    }
    // Keras 2: a list of ["name", call, output, {…}], or for one of TensorFlow's functions one of them with its
    // arguments.
    guard let items = json.list else { throw CompressError("is called with what is no list", kind: .input) }
    guard items.first?.text != nil else {
      let given = try items.map { item -> Operand in
        guard let place = KerasNetwork.Place(item) else {
          throw CompressError("is called with what is no layer", kind: .input)
        }
        return .place(place)
      }
      let named = items.compactMap { $0.list.flatMap { $0.count > 3 ? $0[3] : nil } }
      for given in named { try checkRuns(given) }
      return try withNamed(given, named.first, of: kind)
    }
    var operands = [try operand(json)]
    if items.count > 3, case .object(let named) = items[3] {
      for (key, value) in named.sorted(by: { $0.key < $1.key }) where key != "name" {
        if case .null = value { continue }
        operands.append(try operand(value))
      }
    }
    return operands
  }

  /// That a layer is called as when a network runs: batch norms and dropout do something else while one is trained. What
  /// Keras 3 notes of it does not count there, either: how the whole model is called does.
  private static func checkRuns(_ named: KerasJSON?) throws {
    guard named?["training"]?.truth != true else {
      throw CompressError(
        "is called with training=True: it would do something else than when a network runs", kind: .input)
    }
  }

  /// The values that a layer takes by their order, and behind them those by name, in the order of the names.
  private static func withNamed(_ given: [Operand], _ json: KerasJSON?, of kind: String) throws -> [Operand] {
    guard case .object(let named)? = json else { return given }
    let names = (argumentNames[kind] ?? []).dropFirst(given.count)
    let tensors = named.filter { hasTensor($0.value) }
    if let name = tensors.keys.sorted().first(where: { !names.contains($0) }) {
      throw CompressError(
        "is called with a value by name, \(name.escapedForTerminal.shortened(to: 80)), which is not supported",
        kind: .input)
    }
    if named["use_causal_mask"]?.truth == true {
      throw CompressError(
        "is called with use_causal_mask, which is not supported", kind: .input, hint: KerasFile.exporting)
    }
    guard names.prefix(tensors.count).allSatisfy({ tensors[$0] != nil }) else {
      throw CompressError("is called without a \(names.first ?? "value")", kind: .input)
    }
    return try given + names.prefix(tensors.count).map { try operand(tensors[$0]!) }
  }

  private static func hasTensor(_ json: KerasJSON) -> Bool {
    if json["class_name"]?.text == "__keras_tensor__" || KerasNetwork.Place(json) != nil { return true }
    return json.list?.contains(where: hasTensor) ?? false
  }

  private static func operand(_ json: KerasJSON) throws -> Operand {
    if json["class_name"]?.text == "__keras_tensor__", let history = json["config"]?["keras_history"],
      let place = KerasNetwork.Place(history)
    {
      return .place(place)
    }
    if let number = json.number { return .number(Float(number)) }
    if let items = json.list, items.first?.text == "_CONSTANT_VALUE", items.count > 2, let number = items[2].number {
      return .number(Float(number))
    }
    if let place = KerasNetwork.Place(json) { return .place(place) }
    throw CompressError("is called with what is neither a layer's value nor a number", kind: .input)
  }

  // MARK: Configuration

  func wrong(_ key: String) -> CompressError {
    CompressError("has \(key) that is missing or out of range", kind: .input)
  }

  func integer(_ key: String, _ otherwise: Int? = nil) throws -> Int {
    guard let value = config[key] else {
      guard let otherwise else { throw wrong(key) }
      return otherwise
    }
    guard let integer = value.integer, (-(1 << 30)...1 << 30).contains(integer) else { throw wrong(key) }
    return integer
  }

  func number(_ keys: String..., otherwise: Float) throws -> Float {
    for key in keys {
      guard let value = config[key] else { continue }
      // Some are written as a list of one.
      guard let number = value.number ?? value.list?.first?.number, Float(number).isFinite else { throw wrong(key) }
      return Float(number)
    }
    return otherwise
  }

  func flag(_ key: String, _ otherwise: Bool) -> Bool { config[key]?.truth ?? otherwise }
  func text(_ key: String, _ otherwise: String) -> String { config[key]?.text ?? otherwise }

  /// Whether it is for signals of one dimension; they are images of height 1.
  var isOfSignals: Bool { kind.contains("1D") }

  /// Height and width, or one number for both.
  func size(_ key: String, _ otherwise: Size2D? = nil) throws -> Size2D {
    guard let value = config[key] else {
      guard let otherwise else { throw wrong(key) }
      return otherwise
    }
    var numbers = value.list?.map(\.integer) ?? [value.integer, value.integer]
    if isOfSignals { numbers = value.list.map { [1] + $0.map(\.integer) } ?? [1, value.integer] }
    guard numbers.count == 2, let height = numbers[0], let width = numbers[1], (0...1 << 16).contains(height),
      (0...1 << 16).contains(width)
    else { throw wrong(key) }
    return Size2D(height, width)
  }

  /// `[[top, bottom], [left, right]]`, `[vertical, horizontal]` or one number; of signals `[left, right]` or one
  /// number.
  func margins(_ key: String) throws -> (top: Int, bottom: Int, left: Int, right: Int) {
    if isOfSignals {
      let numbers = config[key]?.list?.map(\.integer) ?? [config[key]?.integer, config[key]?.integer]
      guard numbers.count == 2, let left = numbers[0], let right = numbers[1], (0...1 << 16).contains(left),
        (0...1 << 16).contains(right)
      else { throw wrong(key) }
      return (0, 0, left, right)
    }
    let sides =
      config[key]?.list?.map { $0.list?.map(\.integer) ?? [$0.integer, $0.integer] }
      ?? [[config[key]?.integer, config[key]?.integer], [config[key]?.integer, config[key]?.integer]]
    let numbers = sides.flatMap { $0 }.compactMap { $0 }
    guard sides.count == 2, numbers.count == 4, numbers.allSatisfy((0...1 << 16).contains) else { throw wrong(key) }
    return (numbers[0], numbers[1], numbers[2], numbers[3])
  }
}
