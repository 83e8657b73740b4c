import Diagnostics
import Network
import Tensors

/// How the network holds one of Keras's values, both without the batch.
struct KerasForm: Hashable {
  /// Keras's first axis, the channels, comes last here.
  var isTurned = false
  /// A signal of one dimension is an image of height 1 here.
  var isSignal = false
}

/// One call of a layer.
struct KerasCall {
  let layer: KerasLayer
  let scope: KerasWeights.Scope
  /// What the layer is called in the network.
  let name: String
  fileprivate(set) var operands: [KerasImporter.Operand]
  /// In which the operands are held.
  fileprivate(set) var form: KerasForm

  init(
    _ layer: KerasLayer, _ operands: [KerasImporter.Operand], scope: KerasWeights.Scope, path: String,
    form: KerasForm = KerasForm()
  ) {
    (self.layer, self.operands, self.scope, self.form) = (layer, operands, scope, form)
    name = path + layer.name
  }

  /// The value it takes, if it takes just one.
  func single() throws -> String {
    guard operands.count == 1 else { throw CompressError("takes one value, not \(operands.count)", kind: .input) }
    return try KerasImporter.value(operands[0])
  }

  /// Which axis of the network's value, of so many, one of Keras's is, which counts the batch; nil where there is none.
  func axis(_ axis: Int, rank: Int) -> Int? {
    let count = form.isSignal ? rank - 1 : rank, own = axis < 0 ? axis + count : axis - 1
    guard (0..<count).contains(own) else { return nil }
    let here = form.isTurned ? (own == 0 ? count - 1 : own - 1) : own
    return form.isSignal ? here + 1 : here
  }
}

// Which form layers take values in.
extension KerasImporter {
  /// Classes that do the same with each element, in whatever order those are.
  private static let elementwise: Set = [
    "ReLU", "LeakyReLU", "ELU", "Activation", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum",
    "Concatenate",
  ]

  /// In which form a call wants what it takes, so that its own axis of channels is the last one here.
  func wantedForm(_ call: KerasCall) -> KerasForm {
    let layer = call.layer, values = call.operands.compactMap { if case .value(let held) = $0 { held } else { nil } }
    guard let first = values.first else { return KerasForm() }
    /// Of a layer that works along an axis of Keras's.
    func along(_ axis: Int) -> KerasForm {
      let rank = rank(first)
      return KerasForm(isTurned: rank > 1 && (axis < 0 ? axis + rank + 1 : axis) == 1, isSignal: first.form.isSignal)
    }
    if Self.idle.contains(layer.kind) { return first.form }
    switch layer.kind {
    case "BatchNormalization", "BatchNormalizationV1", "BatchNormalizationV2", "LayerNormalization",
      "GroupNormalization", "Normalization", "Softmax":
      return along(layer.config["axis"]?.list?.first?.integer ?? layer.config["axis"]?.integer ?? -1)
    case "PReLU":
      let shared = layer.config["shared_axes"]?.list?.compactMap(\.integer) ?? []
      return along(shared.contains(1) || !shared.contains(rank(first)) ? -1 : 1)
    case "Flatten": return along(layer.text("data_format", "channels_last") == "channels_first" ? 1 : -1)
    case "Activation" where ["softmax", "log_softmax"].contains(layer.config["activation"]?.text): return along(-1)
    case "Activation" where layer.config["activation"]?["class_name"]?.text == "Softmax": return along(-1)
    case "Rescaling":
      let isOfChannels = ["scale", "offset"].contains { layer.config[$0]?.list?.count ?? 0 > 1 }
      return isOfChannels ? along(-1) : first.form
    default: break
    }
    if layer.isFunction || Self.elementwise.contains(layer.kind) || values.count < call.operands.count {
      // Several are taken as the first of them is held, where all have as many axes: then axes mean the same.
      return values.allSatisfy { rank($0) == rank(first) } ? first.form : KerasForm()
    }
    guard Self.supported.contains(layer.kind) else { return KerasForm() }
    return KerasForm(
      isTurned: layer.text("data_format", "channels_last") == "channels_first", isSignal: layer.isOfSignals)
  }

  /// Axes of Keras's value, without the batch.
  private func rank(_ held: Held) -> Int { shape(held.name).rank - (held.form.isSignal ? 1 : 0) }

  /// A call with what it takes in a form.
  mutating func call(_ call: KerasCall, as form: KerasForm) throws -> KerasCall {
    var call = call
    for (index, operand) in call.operands.enumerated() {
      guard case .value(let held) = operand else { continue }
      call.operands[index] = .value(try self.held(held, as: form))
    }
    call.form = form
    return call
  }

  /// A value in another form.
  mutating func held(_ value: Held, as form: KerasForm) throws -> Held {
    guard value.form != form else { return value }
    if let known = turned[value]?[form] { return Held(known, form) }
    var name = value.name
    if value.form.isSignal {
      name = try reshaped(name, Shape(Array(shape(name).dims.dropFirst())), named: value.name + "/signal")
    }
    if value.form.isTurned != form.isTurned {
      let axes = Array(0..<shape(name).rank)
      guard axes.count > 1 else {
        throw CompressError("takes a value of more axes than its one and the batch", kind: .input)
      }
      let order: [Int] = form.isTurned ? axes.dropFirst() + [0] : [axes.count - 1] + axes.dropLast()
      name = try transposed(name, order, named: value.name + "/turned")
    }
    if form.isSignal {
      guard shape(name).rank == 2 else {
        throw CompressError("takes a signal of two axes, not shape \(shape(name))", kind: .input)
      }
      name = try reshaped(name, Shape([1] + shape(name).dims), named: value.name + "/image")
    }
    turned[value, default: [:]][form] = name
    return Held(name, form)
  }

  /// The same elements under another shape.
  mutating func reshaped(_ value: String, _ shape: Shape, named name: String) throws -> String {
    if self.shape(value) == shape { return value }
    var source = value
    if case .reshape = layers[value].op { source = layers[value].inputs[0] }
    return self.shape(source) == shape ? source : try emit(.reshape(Reshape(shape)), [source], named: name)
  }

  /// Axis `i` is axis `axes[i]` of the value.
  mutating func transposed(_ value: String, _ axes: [Int], named name: String) throws -> String {
    var source = value, axes = axes
    if case .transpose(let earlier) = layers[value].op {
      source = layers[value].inputs[0]
      axes = axes.map { earlier.axes[$0] }
    }
    return axes == Array(axes.indices) ? source : try emit(.transpose(Transpose(axes)), [source], named: name)
  }
}
