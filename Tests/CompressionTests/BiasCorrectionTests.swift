import Compression
import Network
import Tensors
import Testing

@Suite struct BiasCorrectionTests {
  /// What quantization adds to the mean of a layer's output goes, to the digits of float32.
  @Test func meansComeBack() throws {
    var net = GraphBuilder(input: [4, 4, 6])
    net.conv2d(filters: 4, kernel: 1, groups: 2, name: "grouped")
    net.flatten(name: "flat")
    net.dense(3, name: "head")
    let model = try Model(initializing: net.graph(), seed: 3)
    let assignment = try QuantizationAssignment(model) { _, _ in
      LayerQuantization(weights: .integer(bits: 3, granularity: .tensor), correctsBias: true)
    }
    #expect(assignment.corrected == ["grouped", "head"])
    var quantized = try assignment.quantized([:])
    var random = SeededRandom(seed: 9)
    var means = InputMeans(model.graph, of: assignment.corrected), moved = means
    let input: [Float] = Tensor(uniform: [2, 4, 4, 6], 0, 1, using: &random).array()
    let middle: [Float] = Tensor(uniform: [2, 64], 0, 1, using: &random).array()
    for half in 0..<2 {  // in two batches
      input[half * 96..<half * 96 + 96].withContiguousStorageIfAvailable { means.observe("input", $0) }
      input[half * 96..<half * 96 + 96].map { $0 + 0.25 }.withUnsafeBufferPointer { moved.observe("input", $0) }
      middle[half * 64..<half * 64 + 64].withContiguousStorageIfAvailable { means.observe("grouped", $0) }
      middle[half * 64..<half * 64 + 64].withContiguousStorageIfAvailable { moved.observe("grouped", $0) }
    }
    try BiasCorrection.correct(
      &quantized, of: assignment.model, layers: assignment.corrected, means: means, roundedMeans: moved)
    for (layer, inputs, others) in [("grouped", input, input.map { $0 + 0.25 }), ("head", middle, middle)] {
      let before = Self.meanOutput(assignment.model, layer, inputs), after = Self.meanOutput(quantized, layer, others)
      for (a, b) in zip(before, after) { #expect(abs(a - b) < 1e-5, "\(layer): \(a), \(b)") }
    }
  }

  /// Each pixel that a transposed convolution makes sees one of four taps here, each tap a quarter of the pixels.
  @Test func meansOfTransposedConvolutions() throws {
    var net = GraphBuilder(input: [3, 5, 2])
    net.add(.conv2d(try Conv2D(transposed: 3, kernel: Size2D(2), stride: Size2D(2))), ["input"], name: "wider")
    let model = try Model(initializing: net.graph(), seed: 3)
    let assignment = try QuantizationAssignment(model) { _, _ in
      LayerQuantization(weights: .integer(bits: 3, granularity: .tensor), correctsBias: true)
    }
    var quantized = try assignment.quantized([:])
    var means = InputMeans(model.graph, of: ["wider"])
    [Float](repeating: 0.75, count: 30).withUnsafeBufferPointer { means.observe("input", $0) }
    try BiasCorrection.correct(
      &quantized, of: assignment.model, layers: ["wider"], means: means, roundedMeans: means)
    func mean(_ model: Model) -> [Float] {
      let w: [Float] = model["wider", .weight]!.values.array(), bias: [Float] = model["wider", .bias]!.values.array()
      return (0..<3).map { bias[$0] + 0.75 * w[$0 * 8..<($0 + 1) * 8].reduce(0, +) / 4 }
    }
    #expect(zip(mean(assignment.model), mean(quantized)).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(model["wider", .weight]!.values.array(Float.self) != quantized["wider", .weight]!.values.array())
  }

  /// What batch norms promise is what samples of the distributions they promise show.
  @Test func meansWithoutData() throws {
    var net = GraphBuilder(input: [2, 2, 3])
    net.conv2d(filters: 3, kernel: 1, name: "stem")
    let norm = net.batchNorm(name: "norm")
    let clipped = net.activation(.relu, name: "relu")
    net.conv2d(filters: 3, kernel: 1, name: "inner")
    net.batchNorm(name: "other")
    net.activation(.relu6, name: "relu6")
    net.add(net.last, clipped, name: "sum")
    net.globalAveragePool(name: "mean")
    net.flatten(name: "flat")
    net.dense(2, name: "head")
    _ = norm
    var model = try Model(initializing: net.graph(), seed: 3)
    let gamma: [Float] = [1, -2, 0], beta: [Float] = [0.5, -1, 0.25]
    let others: (gamma: [Float], beta: [Float]) = ([3, 0.5, 4], [5, -3, 0])
    for (name, gamma, beta) in [("norm", gamma, beta), ("other", others.gamma, others.beta)] {
      try model.set(Parameter(Tensor(gamma)), name, .gamma)
      try model.set(Parameter(Tensor(beta)), name, .beta)
    }
    let means = InputMeans(promisedBy: model, of: ["stem", "inner", "head"])
    #expect(means["stem"] == nil)
    var random = SeededRandom(seed: 1)
    let normal: [Float] = Tensor(normal: [200_000], using: &random).array()
    for channel in 0..<3 {
      func mean(_ value: (Float) -> Float) -> Double {
        normal.reduce(0) { $0 + Double(value($1)) } / Double(normal.count)
      }
      let relu = mean { max(0, gamma[channel] * $0 + beta[channel]) }
      let relu6 = mean { min(6, max(0, others.gamma[channel] * $0 + others.beta[channel])) }
      #expect(abs(means["inner"]![channel] - relu) < 0.02)
      #expect(abs(means["head"]![channel] - relu - relu6) < 0.03)
    }
  }

  /// The mean output of each channel, worked out by hand.
  static func meanOutput(_ model: Model, _ layer: String, _ input: [Float]) -> [Double] {
    let weight = model[layer, .weight]!, w: [Float] = weight.values.array(),
      bias: [Float] = model[layer, .bias]!.values.array()
    let depth = weight.shape.dims.last!, filters = weight.shape[0]
    let width = layer == "grouped" ? 6 : 64
    let rows = input.count / width
    return (0..<filters).map { filter in
      let first = layer == "grouped" ? filter / 2 * 3 : 0
      var sum = 0.0
      for row in 0..<rows {
        for c in 0..<depth { sum += Double(w[filter * depth + c]) * Double(input[row * width + first + c]) }
      }
      return sum / Double(rows) + Double(bias[filter])
    }
  }
}
