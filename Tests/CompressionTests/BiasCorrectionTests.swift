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

  /// The mean output of each channel, worked out by hand.
  static func meanOutput(_ model: Model, _ layer: String, _ input: [Float]) -> [Double] {
    let weight = model[layer, .weight]!, w: [Float] = weight.values.array(), bias: [Float] = model[layer, .bias]!.values.array()
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
