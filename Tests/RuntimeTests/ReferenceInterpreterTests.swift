import Diagnostics
import Network
import Runtime
import Tensors
import Testing

/// Results worked out by hand.
@Suite struct ReferenceInterpreterTests {
  private func model(_ net: GraphBuilder, _ parameters: [String: [ParameterRole: Parameter]] = [:]) throws -> Model {
    try Model(graph: net.graph(), parameters: parameters)
  }

  private func image(_ values: [Float], _ shape: Shape) -> Tensor { Tensor(values, shape) }

  @Test func convolutionWithAsymmetricPaddingAndStride() throws {
    var net = GraphBuilder(input: [2, 3, 1])
    let window = Window(Size2D(2), stride: Size2D(1, 2), padding: .explicit(top: 1, left: 0, bottom: 0, right: 1))
    net.add(.conv2d(Conv2D(filters: 1, window: window)), ["input"], name: "conv")
    let weight = Parameter(Tensor([1, 10, 100, 1000] as [Float], [1, 2, 2, 1]))
    let model = try model(net, ["conv": [.weight: weight, .bias: Parameter(Tensor([0.5] as [Float]))]])
    let out = try ReferenceInterpreter(model).run(image([1, 2, 3, 4, 5, 6], [2, 3, 1]))
    #expect(out.shape == [2, 2, 1])
    #expect(out.array() == [2100.5, 300.5, 5421.5, 603.5] as [Float])
  }

  @Test func groupsSeeTheirOwnChannels() throws {
    var net = GraphBuilder(input: [1, 1, 4])
    net.conv2d(filters: 2, kernel: 1, groups: 2, bias: false, name: "conv")
    let model = try model(net, ["conv": [.weight: Parameter(Tensor([1, 10, 100, 1000] as [Float], [2, 1, 1, 2]))]])
    #expect(try ReferenceInterpreter(model).run(image([1, 2, 3, 4], [1, 1, 4])).array() == [21, 4300] as [Float])
  }

  @Test func poolingLeavesPaddingOut() throws {
    var net = GraphBuilder(input: [2, 2, 1])
    net.averagePool(2, stride: 2, padding: .explicit(top: 1, left: 1, bottom: 1, right: 1))
    let average = try ReferenceInterpreter(model(net)).run(image([-1, -2, -3, -4], [2, 2, 1]))
    #expect(average.array() == [-1, -2, -3, -4] as [Float])
    var other = GraphBuilder(input: [2, 2, 1])
    other.maxPool(2, stride: 1, padding: .same)
    let maximum = try ReferenceInterpreter(model(other)).run(image([-4, -2, -3, -1], [2, 2, 1]))
    #expect(maximum.array() == [-1, -1, -1, -1] as [Float])
  }

  @Test func structureAndActivations() throws {
    var net = GraphBuilder(input: [1, 2, 2])
    let relu = net.activation(.relu6, name: "clamped")
    let sum = net.add("input", relu)
    net.concat([sum, "input"])
    net.flatten()
    let out = try ReferenceInterpreter(model(net)).run(image([-1, 2, 7, 0], [1, 2, 2]))
    #expect(out.array() == [-1, 4, -1, 2, 13, 0, 7, 0] as [Float])
    var head = GraphBuilder(input: [3])
    head.activation(.softmax)
    let probabilities = try ReferenceInterpreter(model(head)).run(image([1000, 1000, -1000], [3]))
    #expect(probabilities.array() == [0.5, 0.5, 0] as [Float])
  }

  // Input scale 0.5, zero point 10; weight scale 0.25; output scale 1, zero point 100.
  private func integerDense(
    bias: Parameter?, relu: Activation? = nil, output: ActivationQuantization?
  ) throws -> Model {
    var net = GraphBuilder(input: [2])
    net.dense(2, bias: bias != nil, name: "fc")
    if let relu { net.activation(relu, name: "act") }
    let weight = try IntegerValues(values: Tensor([2, 3, -4, 127] as [Int8], [2, 2]), scales: [0.25], bits: 8)
    var parameters: [ParameterRole: Parameter] = [.weight: try Parameter(.integer(weight))]
    parameters[.bias] = bias
    var model = try model(net, ["fc": parameters])
    try model.setActivation(ActivationQuantization(scale: 0.5, zeroPoint: 10), of: "input")
    try model.setActivation(output.map { .affine($0) }, of: relu == nil ? "fc" : "act")
    return model
  }

  @Test func requantizationRoundsHalvesToEven() throws {
    // 3, -1 are 16, 8 in integers: the sums are 6 * 2 - 2 * 3 + 2 = 8 and -24 - 254 + 0 = -278, times 0.125.
    let bias = Parameter(Tensor([0.25, 0] as [Float]))
    let model = try integerDense(bias: bias, output: ActivationQuantization(scale: 1, zeroPoint: 100))
    let values = try ReferenceInterpreter(model).values(Tensor([3, -1] as [Float]))
    guard case .quantized(let q, _)? = values["fc"] else { return #expect(Bool(false), "fc is not quantized") }
    #expect(q.array() == [101, 65] as [UInt8])
    // 4 times 0.125 is one half: down to the even 0. 12 times 0.125 is 1.5: up to 2.
    let other = Parameter(Tensor([-0.25, 36.25] as [Float]))
    let half = try integerDense(bias: other, output: ActivationQuantization(scale: 1, zeroPoint: 100))
    #expect(try ReferenceInterpreter(half).run(Tensor([3, -1] as [Float])).array() == [0, 2] as [Float])
  }

  @Test func integerBiasesAreTakenAsTheyAre() throws {
    let integers = try IntegerValues(values: Tensor([2, 278] as [Int32]), scales: [0.125], bits: 32)
    let output = try ActivationQuantization(scale: 1, zeroPoint: 100)
    let model = try integerDense(bias: Parameter(.integer(integers)), output: output)
    #expect(try ReferenceInterpreter(model).run(Tensor([3, -1] as [Float])).array() == [1, 0] as [Float])
  }

  @Test func fusedBoundsAreThoseOfTheQuantization() throws {
    let bias = Parameter(Tensor([100, 0] as [Float]))
    let model = try integerDense(bias: bias, relu: .relu6, output: ActivationQuantization(scale: 1, zeroPoint: 100))
    #expect(try ReferenceInterpreter(model).run(Tensor([3, -1] as [Float])).array() == [6, 0] as [Float])
  }

  @Test func withoutOutputQuantizationTheResultIsFloat() throws {
    let model = try integerDense(bias: Parameter(Tensor([0.3, 0] as [Float])), output: nil)
    #expect(
      try ReferenceInterpreter(model).run(Tensor([3, -1] as [Float])).array() == [0.75 + 0.3, -34.75] as [Float])
  }

  @Test func saturation() throws {
    let model = try integerDense(bias: nil, output: ActivationQuantization(scale: 1e-6, zeroPoint: 100))
    let out = try ReferenceInterpreter(model).values(Tensor([.infinity, -.infinity] as [Float]))["fc"]!
    guard case .quantized(let q, _) = out else { return #expect(Bool(false), "fc is not quantized") }
    // Inputs saturate at 255 and 0: 245 * 2 - 10 * 3 = 460, and -4 * 245 - 127 * 10 = -2250.
    #expect(q.array() == [255, 0] as [UInt8])
  }

  @Test func otherShapesAreRefused() throws {
    var net = GraphBuilder(input: [3])
    net.activation(.relu)
    let model = try model(net)
    #expect(throws: CompressError("a sample of shape [2] for a network that takes [3]")) {
      try ReferenceInterpreter(model).run(Tensor([1, 2] as [Float]))
    }
  }
}
