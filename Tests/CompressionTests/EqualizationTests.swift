import Compression
import Network
import Runtime
import Tensors
import Testing

@Suite struct EqualizationTests {
  static func model(norm: Bool = false) throws -> Model {
    var net = GraphBuilder(input: [6, 6, 3])
    net.conv2d(filters: 4, kernel: 3, padding: .same, name: "first")
    if norm { net.batchNorm(name: "norm") }
    net.activation(.relu)
    net.conv2d(filters: 4, kernel: 3, padding: .same, groups: 4, name: "depthwise")
    net.activation(.relu)
    net.maxPool(2)
    net.conv2d(filters: 5, kernel: 1, name: "point")
    net.activation(.relu6)
    net.flatten()
    net.dense(3, name: "head")
    var model = try Model(initializing: net.graph(), seed: 4)
    var weight = model["first", .weight]!.values
    // Channels of very different sizes.
    weight.withMutable(Float.self) { for i in $0.indices { $0[i] *= [100, 1, 0.01, 0][i / 27] } }
    try model.set(Parameter(weight), "first", .weight)
    try model.set(Parameter(Tensor([1, -2, 0.5, 3] as [Float])), "first", .bias)
    return model
  }

  @Test(arguments: [false, true]) func theFunctionStaysToTheBit(_ norm: Bool) throws {
    let model = try Self.model(norm: norm), (equal, pairs) = try model.equalized()
    #expect(equal.graph == model.graph)
    #expect(pairs == 2, "first to depthwise to point; relu6 does not scale")
    var random = SeededRandom(seed: 2)
    for _ in 0..<5 {
      let sample = Tensor(normal: [6, 6, 3], using: &random)
      #expect(
        try ReferenceInterpreter(equal).run(sample).array(Float.self)
          == ReferenceInterpreter(model).run(sample).array(Float.self))
    }
  }

  @Test(arguments: [false, true]) func rangesBecomeAlike(_ norm: Bool) throws {
    let equal = try Self.model(norm: norm).equalized().model.foldingBatchNorm()
    func peaks(_ layer: String) -> [Float] {
      let weight = equal[layer, .weight]!, values: [Float] = weight.values.array(),
        width = weight.count / weight.shape[0]
      return (0..<3).map { row in values[row * width..<(row + 1) * width].map(abs).max()! }
    }
    for (a, b) in zip(peaks("first"), peaks("depthwise")) { #expect(a / b < 2.9 && b / a < 2.9, "\(a), \(b)") }
    #expect(equal["first", .weight]!.values.array(Float.self).suffix(27).allSatisfy { $0 == 0 })
  }

  /// Where a depthwise convolution takes them values become alike, whatever the weights; where another layer does, in
  /// part. Functions stay to the bit.
  @Test(arguments: [false, true]) func valuesBecomeAlike(_ norm: Bool) throws {
    let model = try Self.model(norm: norm)
    #expect(model.equalizableLayers == ["depthwise", "point"])
    let magnitudes: [String: [Float]] = ["depthwise": [64, 1, 1 / 64, 1], "point": [16, 1, 1, 1 / 16]]
    let (equal, pairs) = try model.equalized(to: magnitudes)
    #expect(pairs == 2)
    func factors(_ layer: String, _ role: ParameterRole) -> [Float] {
      let before = model[layer, role]!.values.array(Float.self), after = equal[layer, role]!.values.array(Float.self)
      let each = before.count / 4
      return (0..<4).map { channel in
        let place = (channel * each..<(channel + 1) * each).first { before[$0] != 0 }
        return place.map { after[$0] / before[$0] } ?? 1
      }
    }
    // 64 : 1 : 1/64 : 1 have a geometric mean of 1.
    #expect(factors(norm ? "norm" : "first", norm ? .gamma : .bias) == [1 / 64, 1, 64, 1])
    let first = try model.equalized(to: ["depthwise": magnitudes["depthwise"]!])
    let untouched = try [first.model, model].map { try #require($0["point", .weight]).values.array(Float.self) }
    #expect(first.pairs == 1 && untouched[0] == untouched[1])
    var random = SeededRandom(seed: 3)
    for _ in 0..<5 {
      let sample = Tensor(normal: [6, 6, 3], using: &random)
      #expect(
        try ReferenceInterpreter(equal).run(sample).array(Float.self)
          == ReferenceInterpreter(model).run(sample).array(Float.self))
    }
    #expect(try model.equalized(to: [:]).pairs == 0)
    #expect(try model.equalized(to: ["depthwise": [3, 3, 3, 3]]).pairs == 0)
  }
}

/// An original as equalization would have made it, found from what was made of it.
@Suite struct EqualizedLikeTests {
  @Test(arguments: [false, true]) func weightsTellWhatWasScaled(_ norm: Bool) throws {
    let model = try EqualizationTests.model(norm: norm), equal = try model.equalized().model
    let alike = try model.equalized(like: equal)
    #expect(alike.layers == ["first", "depthwise"])
    for layer in alike.model.weightLayers {
      let mine = try #require(alike.model[layer, .weight]).values.array(Float.self)
      let wanted = try #require(alike.other[layer, .weight]).values.array(Float.self)
      // Folding rounds in either order.
      for (a, b) in zip(mine, wanted) { #expect(abs(a - b) <= 1e-5 * abs(b), "\(layer)") }
    }
    var random = SeededRandom(seed: 7)
    let sample = Tensor(normal: [6, 6, 3], using: &random)
    #expect(
      try ReferenceInterpreter(alike.model).run(sample).array(Float.self)
        == ReferenceInterpreter(model.foldingBatchNorm()).run(sample).array(Float.self))
  }

  /// Quantized as well it is found; what was only quantized, however coarsely, was not scaled.
  @Test func quantizationIsNoScaling() throws {
    let model = try EqualizationTests.model(), equal = try model.equalized().model
    #expect(try model.equalized(like: MixingTests.quantized(equal, bits: 8)).layers == ["first", "depthwise"])
    for bits in [2, 3, 4, 8] {
      #expect(try model.equalized(like: MixingTests.quantized(model, bits: bits)).layers.isEmpty, "\(bits) bits")
    }
    #expect(try model.equalized(like: model).layers.isEmpty)
    #expect(try equal.equalized(like: model).layers == ["first", "depthwise"])
    // All channels by the same factor, which is seen in lengths alone.
    var longer = model
    for (layer, role, factor) in [
      ("first", ParameterRole.weight, Float(0.5)), ("first", .bias, 0.5), ("depthwise", .weight, 2),
    ] {
      var values = try #require(longer[layer, role]).values
      values.withMutable(Float.self) { for i in $0.indices { $0[i] *= factor } }
      try longer.set(Parameter(values), layer, role)
    }
    #expect(try model.equalized(like: longer).layers == ["first"])
    var other = GraphBuilder(input: [6, 6, 3])
    other.flatten()
    other.dense(3, name: "head")
    #expect(try model.equalized(like: Model(initializing: other.graph(), seed: 1)).layers.isEmpty)
    // One filter half as large by harm is no scaling: nothing makes up for it.
    var harmed = model
    var weight = model["depthwise", .weight]!.values
    weight.withMutable(Float.self) { for i in 9..<18 { $0[i] /= 2 } }
    try harmed.set(Parameter(weight), "depthwise", .weight)
    #expect(try model.equalized(like: harmed).layers.isEmpty)
  }
}
