import Compression
import Diagnostics
import Kernels
import Network
import Tensors
import Testing

@Suite struct LearnedRoundingTests {
  /// A layer, inputs that vary together, and what they are once what comes before is rounded.
  private struct Case {
    let graph: Graph
    let node: Node
    let weight: Tensor
    let original: [Float]
    let rounded: [Float]

    init(groups: Int, shift: Float) throws {
      var net = GraphBuilder(input: [3, 3, 8])
      net.conv2d(filters: 6, kernel: 3, padding: .same, groups: groups, name: "conv")
      graph = try net.graph()
      node = graph["conv"]!
      var random = SeededRandom(seed: 4)
      var weights: [Float] = Tensor(normal: [6 * 9 * 8 / groups], using: &random).array()
      for i in stride(from: 0, to: weights.count, by: 5) { weights[i] = 0 }
      weight = Tensor(weights, [6, 3, 3, 8 / groups])
      let common: [Float] = Tensor(normal: [40 * 9], using: &random).array()
      let noise: [Float] = Tensor(normal: [40 * 72], using: &random).array()
      let inputs = noise.indices.map { common[$0 / 8] + 0.3 * noise[$0] }
      original = inputs
      rounded = inputs.map { $0 * (1 + shift) }
    }

    func learned(_ nearest: IntegerValues, threads: Int = 1) throws -> IntegerValues {
      let pool = try ThreadPool(threads: threads), learning = LearnedRounding(graph, node)
      for half in 0..<2 {
        let part = half * original.count / 2..<(half + 1) * original.count / 2
        try Array(original[part]).withUnsafeBufferPointer { original in
          try Array(rounded[part]).withUnsafeBufferPointer {
            try learning.observe(original: original, rounded: $0, pool: pool)
          }
        }
      }
      return try learning.rounded(weight, nearest, pool: pool)
    }

    /// Of the middle pixel of each image, where all taps are inside: the squared error of the output.
    func error(_ values: IntegerValues) -> Double {
      let w: [Float] = weight.array(), q: [Float] = values.decoded.array(), depth = weight.count / 6
      let perGroup = weight.shape[3], groups = 8 / perGroup
      var sum = 0.0
      for image in 0..<40 {
        for filter in 0..<6 {
          let first = filter / (6 / groups) * perGroup
          var wanted = 0.0, found = 0.0
          for i in 0..<depth {
            let place = image * 72 + i / perGroup * 8 + first + i % perGroup
            wanted += Double(w[filter * depth + i] * original[place])
            found += Double(q[filter * depth + i] * rounded[place])
          }
          sum += (wanted - found) * (wanted - found)
        }
      }
      return sum
    }
  }

  @Test(arguments: [1, 2], [0, 0.1] as [Float]) func outputsErrLess(_ groups: Int, _ shift: Float) throws {
    let row = try Case(groups: groups, shift: shift)
    let nearest = try IntegerValues(quantizing: row.weight, bits: 3, granularity: .channel, fit: .error)
    let learned = try row.learned(nearest)
    #expect(row.error(learned) < 0.6 * row.error(nearest))
    let zeros = row.weight.array(Float.self).indices.filter { row.weight.array(Float.self)[$0] == 0 }
    #expect(zeros.allSatisfy { learned.values.array(Int8.self)[$0] == 0 })
    #expect(learned.bits == 3 && learned.scales.count == 6)
    let again = try row.learned(nearest, threads: 3)
    #expect(again.values.array(Int8.self) == learned.values.array(Int8.self) && again.scales == learned.scales)
  }

  /// One scale for all, and powers of two, are not touched.
  /// A dense layer is used at every token, as a convolution of 1x1 pixels is at every pixel: the same inputs teach both
  /// the same. A transposed convolution sees zeros between the pixels, as one behind an operator that puts them there.
  @Test func otherWaysToWriteALayer() throws {
    var random = SeededRandom(seed: 8)
    let inputs: [Float] = Tensor(normal: [6 * 12 * 5], using: &random).array()
    func learned(
      _ input: Shape, _ weight: Tensor, _ inputs: [Float], _ build: (inout GraphBuilder) throws -> Void
    ) throws -> [Float] {
      var net = GraphBuilder(input: input)
      try build(&net)
      let graph = try net.graph(), pool = try ThreadPool(threads: 1)
      let learning = LearnedRounding(graph, graph["layer"]!)
      try inputs.withUnsafeBufferPointer { try learning.observe(original: $0, rounded: $0, pool: pool) }
      let nearest = try IntegerValues(quantizing: weight, bits: 3, granularity: .channel, fit: .error)
      return try learning.rounded(weight, nearest, pool: pool).decoded.array()
    }
    let rows = Tensor(normal: [7, 5], using: &random), pixels = try rows.reshaped([7, 1, 1, 5])
    let dense = try learned([3, 4, 5], rows, inputs) { $0.dense(7, name: "layer") }
    let tokens = try learned([12, 5], rows, inputs) { $0.dense(7, name: "layer") }
    let conv = try learned([3, 4, 5], pixels, inputs) { $0.conv2d(filters: 7, kernel: 1, name: "layer") }
    #expect(dense == conv && tokens == conv)

    let weight = Tensor(normal: [7, 3, 3, 5], using: &random)
    let transposed = try Conv2D(
      transposed: 7, kernel: Size2D(3), stride: Size2D(2), padding: Size2D(1), outputPadding: Size2D(1))
    let narrow = try learned([3, 4, 5], weight, inputs) { $0.add(.conv2d(transposed), ["input"], name: "layer") }
    // The same with the zeros in the input.
    var apart = [Float](repeating: 0, count: 6 * 5 * 7 * 5)
    for image in 0..<6 {
      for y in 0..<3 {
        for x in 0..<4 {
          for c in 0..<5 {
            apart[((image * 5 + 2 * y) * 7 + 2 * x) * 5 + c] = inputs[((image * 3 + y) * 4 + x) * 5 + c]
          }
        }
      }
    }
    var plain = transposed
    plain.inputDilation = Size2D(1)
    let wide = try learned([5, 7, 5], weight, apart) { $0.add(.conv2d(plain), ["input"], name: "layer") }
    #expect(narrow == wide)
  }

  @Test func scalesThatAreSettledStay() throws {
    let row = try Case(groups: 1, shift: 0)
    for (granularity, powerOfTwo) in [(WeightFormat.Granularity.tensor, false), (.channel, true)] {
      let nearest = try IntegerValues(
        quantizing: row.weight, bits: 4, granularity: granularity, powerOfTwo: powerOfTwo)
      let learned = try row.learned(nearest)
      #expect(learned.scales == nearest.scales)
      #expect(row.error(learned) < row.error(nearest))
    }
  }
}
