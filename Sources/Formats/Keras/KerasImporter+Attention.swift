import Diagnostics
import Network
import Tensors

// Attention, with its projections and without.
extension KerasImporter {
  private static let mostChannels = 1 << 16

  /// Queries, keys and values as tokens by channels; keys are the values where none are given. Keras has keys last.
  private func attended(_ call: KerasCall) throws -> (queries: String, keys: String, values: String) {
    guard (2...3).contains(call.operands.count) else {
      throw CompressError("takes queries, values and perhaps keys, not \(call.operands.count) values", kind: .input)
    }
    let given = try call.operands.map { try Self.value($0) }
    return (given[0], given[given.count - 1], given[1])
  }

  /// `MultiHeadAttention`: three projections, attention in each head, and a projection of what the heads give.
  mutating func attentionOfHeads(_ call: KerasCall) throws -> String {
    let layer = call.layer, hasBias = layer.flag("use_bias", true), weights = weights
    for key in ["use_gate", "sliding_window"] where layer.flag(key, false) || layer.config[key]?.number != nil {
      throw CompressError("has \(key), which is not supported", kind: .input)
    }
    let heads = try layer.integer("num_heads"), size = try layer.integer("key_dim")
    let width = try layer.integer("value_dim", size)
    let (queries, keys, values) = try attended(call)
    let own = shape(queries)
    let axes = layer.config["attention_axes"]?.list?.map(\.integer) ?? [layer.config["attention_axes"]?.integer]
    guard own.rank >= 2, axes == [nil] || Set(axes) == Set((1..<own.rank).map { $0 }) else {
      throw CompressError("attends along some axes of several, which is not supported", kind: .input)
    }
    let extents = layer.config["output_shape"]?.list?.map(\.integer) ?? [layer.config["output_shape"]?.integer]
    let wanted = extents == [nil] ? [own[own.rank - 1]] : extents.map { $0 ?? 0 }
    for number in [heads, size, width] + wanted where !(1...Self.mostChannels).contains(number) {
      throw CompressError("has \(number) heads or channels", kind: .input)
    }
    func projected(_ importer: inout KerasImporter, _ value: String, _ role: String, _ size: Int) throws -> String {
      let dims = importer.shape(value).dims
      let tokens = try importer.reshaped(
        value, [dims.dropLast().reduce(1, *), dims[dims.count - 1]], named: "\(call.name)/\(role)/tokens")
      return try importer.emit(
        .dense(Dense(units: heads * size, hasBias: hasBias)), [tokens], named: "\(call.name)/\(role)"
      ) {
        let part = KerasWeights.Part(name: role, groups: ["\(role)_dense", "_\(role)_dense"])
        let given = try weights.tensors(of: layer, part: part, ["kernel"] + (hasBias ? ["bias"] : []), in: call.scope)
        // [channels, head, place]
        let kernel = try Self.weight(given, "kernel", rank: 3), units = kernel.shape[1] * kernel.shape[2]
        var tensors = [ParameterRole.weight: try kernel.contiguous().reshaped([kernel.shape[0], units]).transposed()]
        tensors[.bias] = try given["bias"].map { try $0.contiguous().reshaped([$0.count]) }
        return tensors
      }
    }
    let q = try projected(&self, queries, "query", size), k = try projected(&self, keys, "key", size)
    let v = try projected(&self, values, "value", width)
    let joined = try emit(.attention(Attention(heads: heads)), [q, k, v], named: call.name + "/attention")
    let units = wanted.reduce(1, *), isFlat = own.rank == 2 && wanted.count == 1
    let output = try emit(
      .dense(Dense(units: units, hasBias: hasBias)), [joined],
      named: isFlat ? call.name : call.name + "/attention_output"
    ) {
      let part = KerasWeights.Part(name: "attention_output", groups: ["output_dense", "_output_dense"])
      let given = try weights.tensors(of: layer, part: part, ["kernel"] + (hasBias ? ["bias"] : []), in: call.scope)
      // [head, place, channels]
      let kernel = try Self.weight(given, "kernel", rank: 2 + wanted.count), inner = kernel.shape[0] * kernel.shape[1]
      var tensors = [
        ParameterRole.weight: try kernel.contiguous().reshaped([inner, kernel.count / max(1, inner)]).transposed()
      ]
      tensors[.bias] = try given["bias"].map { try $0.contiguous().reshaped([$0.count]) }
      return tensors
    }
    return isFlat ? output : try reshaped(output, Shape(own.dims.dropLast() + wanted), named: call.name)
  }

  /// `Attention`: `softmax(q k' * scale) v`, the scale 1 or a weight.
  mutating func attention(_ call: KerasCall) throws -> String {
    let layer = call.layer, mode = layer.text("score_mode", "dot")
    guard mode == "dot" else {
      throw CompressError(
        "has score_mode \"\(mode.escapedForTerminal.shortened(to: 40))\"; dot is read", kind: .input)
    }
    let (queries, keys, values) = try attended(call)
    var scale: Float = 1
    if layer.flag("use_scale", false) {
      let given = try weights.tensors(of: layer, ["scale"], in: call.scope)["scale"]!
      guard given.count == 1 else { throw CompressError("has a scale of shape \(given.shape)", kind: .input) }
      scale = given.array(Float.self)[0]
    }
    return try emit(.attention(Attention(heads: 1, scale: scale)), [queries, keys, values], named: call.name)
  }

  /// What `keras.applications` calls so: a factor for each channel.
  mutating func layerScale(_ call: KerasCall) throws -> String {
    let layer = call.layer, input = try call.single(), channels = shape(input).dims.last ?? 1
    let gamma = try weights.tensors(of: layer, ["gamma"], in: call.scope)["gamma"]!
    guard gamma.shape == [channels] else {
      throw CompressError("has factors of shape \(gamma.shape) for \(channels) channels", kind: .input)
    }
    return try scaled(input, by: gamma.array(Float.self), plus: [0], named: call.name)
  }
}
