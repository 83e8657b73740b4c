import Diagnostics
import Network
import Tensors
import Testing

@Suite struct ModelTests {
  @Test func costsOfAResidualNetwork() throws {
    let cost = ModelCost(try Model(initializing: residualGraph(), seed: 1))
    func layer(_ name: String) -> ModelCost.Layer { cost.layers.first { $0.name == name }! }
    let table: [(String, parameters: Int, macs: Int)] = [
      ("stem", 432, 27_648), ("stem_norm", 64, 0), ("a1", 2304, 147_456), ("a2", 2304, 147_456), ("a_add", 0, 0),
      ("b1", 4608, 73_728), ("b_side", 512, 8192), ("depthwise", 320, 4608), ("pool", 0, 0), ("dense", 330, 320),
    ]
    for (name, parameters, macs) in table {
      #expect(layer(name).parameters == parameters && layer(name).macs == macs, "\(name)")
    }
    #expect(cost.parameters == 432 + 3 * 64 + 2 * 2304 + 4608 + 512 + 320 + 330)
    #expect(cost.macs == 27_648 + 2 * 147_456 + 73_728 + 8192 + 4608 + 320)
    // Biases, means and shifts start at zero: 32 + 10, and twice 16 of each norm.
    #expect(cost.nonzero == cost.parameters - 42 - 3 * 32)
    #expect(layer("stem_relu").kind == "relu" && layer("dense").encoding == "float32" && layer("pool").encoding == nil)
  }

  @Test func pruningZeroesWhatTheMaskRemoves() throws {
    var model = try Model(initializing: residualGraph(), seed: 1)
    let before = model, weight = model["dense", .weight]!
    let mask = Tensor((0..<weight.count).map { UInt8($0 % 3 == 0 ? 1 : 0) }, weight.shape)
    try model.prune("dense", by: mask)
    let expected = weight.values.array(Float.self).enumerated().map { $0 % 3 == 0 ? $1 : 0 }
    #expect(model["dense", .weight]!.values.array() == expected)
    #expect(model["dense", .weight]!.mask?.array(UInt8.self) == mask.array(UInt8.self))
    // The copy that shared its values has kept them.
    #expect(before["dense", .weight]!.values.array() == weight.values.array(Float.self))
    let error = #expect(throws: CompressError.self) { try model.prune("dense", by: Tensor(zeros: [2], dtype: .uint8)) }
    #expect(error?.layer == "dense")
    #expect(throws: CompressError.self) { try model.prune("pool", by: mask) }
  }

  @Test func initializationIsSeeded() throws {
    let graph = try residualGraph()
    let a = try Model(initializing: graph, seed: 1), b = try Model(initializing: graph, seed: 1)
    let c = try Model(initializing: graph, seed: 2)
    #expect(a["a1", .weight]!.values.array(Float.self) == b["a1", .weight]!.values.array())
    #expect(a["a1", .weight]!.values.array(Float.self) != c["a1", .weight]!.values.array())
    #expect(a["a1", .weight]!.values.array(Float.self) != a["a2", .weight]!.values.array())
    let limit = Double(6.0 / (9 * 16 + 9 * 16)).squareRoot()
    let weights = a["a1", .weight]!.values
    #expect(try weights.applying(.abs).value(.max) <= limit && weights.applying(.abs).value(.max) > 0.98 * limit)
    let he = try Model(initializing: graph, .heNormal, seed: 1)["a1", .weight]!.values
    #expect(abs(try he.value(.variance) * 144 / 2 - 1) < 0.1)
    #expect(a["a1_norm", .gamma]!.values.array() == [Float](repeating: 1, count: 16))
  }

  @Test func parametersMustFitTheGraph() throws {
    var net = GraphBuilder(input: [3])
    net.dense(2, name: "d")
    let graph = try net.graph()
    let weight = Parameter(Tensor(zeros: [2, 3])), bias = Parameter(Tensor(zeros: [2]))
    let levels = ActivationEncoding.affine(try ActivationQuantization(scale: 1, zeroPoint: 0))
    func failure(
      _ parameters: [String: [ParameterRole: Parameter]], _ activations: [String: ActivationEncoding] = [:]
    ) -> String { message { _ = try Model(graph: graph, parameters: parameters, activations: activations) } }
    #expect(failure(["d": [.weight: weight]]) == "layer \"d\": has no bias")
    #expect(
      failure(["d": [.weight: Parameter(Tensor(zeros: [3, 2])), .bias: bias]])
        == "layer \"d\": weight has shape [3, 2], expected [2, 3]")
    #expect(failure(["d": [.weight: weight, .bias: bias, .gamma: bias]]) == "layer \"d\": dense has no gamma")
    #expect(failure(["d": [.weight: weight, .bias: bias], "e": [:]]) == "annotations for \"e\", which is no layer")
    #expect(
      failure(["d": [.weight: weight, .bias: bias]], ["x": levels])
        == "annotations for \"x\", which is no layer")
    #expect(
      failure(["d": [.weight: weight, .bias: bias], "input": [.bias: bias]]) == "layer \"input\": input has no bias")

    var model = try Model(graph: graph, parameters: ["d": [.weight: weight, .bias: bias]])
    #expect(message { try model.set(bias, "d", .gamma) } == "layer \"d\": has no gamma")
    #expect(message { try model.set(bias, "d", .weight) } == "layer \"d\": weight of shape [2] in place of [2, 3]")
    #expect(message { try model.setActivation(nil, of: "x") } == "there is no layer \"x\"")
    try model.set(Parameter(Tensor([1, 2] as [Float])), "d", .bias)
    #expect(model["d", .bias]?.nonzeroCount == 2 && model.weightLayers == ["d"])
    #expect(model.allParameters.map(\.role) == [.weight, .bias])
  }
}
