import Compression
import Diagnostics
import Network
import Runtime
import Tensors
import Testing

/// Filters that are dead or nearly so, values that never change, values of few levels.
@Suite struct DegenerateValuesTests {
  /// A convolution of four filters, a global average pool and a dense layer; the fourth filter is given.
  private static func network(last filter: Float, weights: Float = 1, bias: Float = 0.45) throws -> Model {
    var net = GraphBuilder(input: [8, 8, 1])
    net.conv2d(filters: 4, kernel: 3, name: "conv")
    net.activation(.relu, name: "relu")
    net.globalAveragePool(name: "mean")
    net.flatten(name: "flat")
    net.dense(3, name: "dense")
    var model = try Model(initializing: net.graph(), seed: 4)
    var weight = model["conv", .weight]!.values.array(Float.self).map { $0 * weights }
    for i in 27..<36 { weight[i] *= filter }
    try model.set(Parameter(Tensor(weight, model["conv", .weight]!.shape)), "conv", .weight)
    try model.set(Parameter(Tensor([0.1, 0.2, 0.1, bias] as [Float])), "conv", .bias)
    return model
  }

  /// The greatest difference of an output after static int8, calibrated on the very samples.
  private static func difference(
    _ model: Model, _ samples: Tensor, per granularity: WeightFormat.Granularity = .channel,
    _ method: RangeMethod = .minmax
  ) throws -> Float {
    let assignment = try QuantizationAssignment(model) { _, _ in
      LayerQuantization(weights: .integer(bits: 8, granularity: granularity), activations: ActivationFormat(method))
    }
    var observers = try assignment.observed.mapValues { try Observer($0) }
    let count = CompileOptions(maxBatch: samples.shape[0])
    let session = Session(try compile(assignment.model, count))
    var error: (any Error)?
    try session.run(samples) { value, elements in
      do { try observers[value]?.observe(elements) } catch let found { error = found }
    }
    if let error { throw error }
    let quantized = try assignment.quantized(observers.mapValues { try $0.encoding() })
    let a = try Session(compile(model, count)).run(samples).array(Float.self)
    let b = try Session(compile(quantized, count)).run(samples).array(Float.self)
    return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
  }

  private static func samples(_ greatest: Float) -> Tensor {
    var random = SeededRandom(seed: 2)
    return Tensor(uniform: [16, 8, 8, 1], 0, greatest, using: &random)
  }

  /// The scale of a nearly dead filter is so fine that its bias does not fit: the bias decides.
  @Test(arguments: [1e-6, 1e-9, 1e-20, 1e-38, 0] as [Float], WeightFormat.Granularity.allCases)
  func aDeadFilterKeepsItsBias(_ factor: Float, _ granularity: WeightFormat.Granularity) throws {
    for bias in [0.45, -0.45, 0, 1e-12, 30] as [Float] {
      let model = try Self.network(last: factor, bias: bias)
      let alive = try Self.network(last: 1, bias: bias)
      let difference = try Self.difference(model, Self.samples(1), per: granularity)
      let usual = try Self.difference(alive, Self.samples(1), per: granularity)
      #expect(difference <= max(2 * usual, 0.006 * max(1, abs(bias))), "\(factor), bias \(bias): \(difference), \(usual)")
    }
  }

  /// Bytes as they are, from 0 to 255, and weights to match: a scale of 1 would make steps of the input's.
  @Test func aFilterOfZerosInFrontOfCoarseValues() throws {
    let model = try Self.network(last: 0, weights: 1 / 255)
    #expect(try Self.difference(model, Self.samples(255)) <= 0.006)
  }

  /// Every filter dead: what reaches the dense layer is always zero.
  @Test(arguments: RangeMethod.named.map(\.method)) func aValueThatIsAlwaysZero(_ method: RangeMethod) throws {
    var model = try Self.network(last: 1)
    try model.set(Parameter(Tensor([-100, -100, -100, -100] as [Float])), "conv", .bias)
    try model.set(Parameter(Tensor([0.313, -0.127, 2.5] as [Float])), "dense", .bias)
    #expect(try Self.difference(model, Self.samples(1), method) <= 0.006)
    #expect(try Self.difference(model, Tensor(zeros: [4, 8, 8, 1]), method) <= 0.006)
  }

  @Test func weightsAreCoarsenedOnlyAsFarAsTheBiasNeeds() throws {
    let model = try Self.network(last: 1e-9)
    let assignment = try QuantizationAssignment(model) { _, _ in
      LayerQuantization(weights: .integer(bits: 8, granularity: .channel), activations: ActivationFormat())
    }
    let range = ActivationEncoding.affine(try ActivationQuantization(low: 0, high: 1))
    let ranges = assignment.observed.mapValues { _ in range }
    let quantized = try assignment.quantized(ranges)
    guard case .integer(let weight)? = quantized["conv", .weight]?.encoding,
      case .integer(let bias)? = quantized["conv", .bias]?.encoding
    else { throw CompressError("no integers") }
    let plain = try IntegerValues(quantizing: model["conv", .weight]!.values, bits: 8, granularity: .channel)
    #expect(Array(weight.scales[..<3]) == Array(plain.scales[..<3]))
    #expect(weight.values.array(Int8.self)[..<27] == plain.values.array(Int8.self)[..<27])
    let last = bias.values.array(Int32.self)[3]
    #expect((1 << 28...1 << 30).contains(last))
    #expect(abs(bias.decoded.array(Float.self)[3] - 0.45) < 1e-6)
  }

  /// Whatever the observer, values of few levels are as good as with all that was seen, to 3 dB.
  @Test(
    arguments: RangeMethod.named.map(\.method),
    [
      [0, 0.5, 1], [0, 1], [1], [0], [-1, 1], [-3, -2, -1], [0, 0, 0, 0, 0, 0, 0, 1], [0, 1, 2, 3, 4, 5, 6, 7], [1e-30],
      [0, 255], [-0.25, 0, 1000],
    ] as [[Float]])
  func valuesOfFewLevels(_ method: RangeMethod, _ levels: [Float]) throws {
    let values = (0..<6144).map { levels[$0 % levels.count] } + [levels.max()!]
    func noise(_ method: RangeMethod) throws -> Double {
      var observer = try Observer(ActivationFormat(method))
      try values.withUnsafeBufferPointer { try observer.observe($0) }
      guard case .affine(let found) = try observer.encoding() else { throw CompressError("levels") }
      return values.reduce(0) { $0 + Double(($1 - found.rounded($1)) * ($1 - found.rounded($1))) }
    }
    let power = values.reduce(0) { $0 + Double($1 * $1) }
    #expect(try noise(method) <= 2 * noise(.minmax) + 1e-9 * power, "\(method) of \(levels)")
  }
}
