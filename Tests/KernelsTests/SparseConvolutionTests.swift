import Testing

@testable import Kernels

/// Convolutions whose zeros are left out: the sums of the definition all the same, whatever is zero.
@Suite struct SparseConvolutionTests {
  static let cases: [ConvolutionCase] = {
    let own = [
      // Few outputs and many filters: those come in parts.
      try? ConvolutionCase(3, 3, 20, 200, (3, 3), pad: (1, 1, 1, 1), batch: 2),
      try? ConvolutionCase(4, 5, 260, 150, (1, 1), batch: 1),
      // Strips of four, three and fewer sixteens.
      try? ConvolutionCase(13, 11, 8, 20, (3, 3), pad: (1, 1, 1, 1), batch: 3),
    ]
    return ((try? ConvolutionCase.all()) ?? []).filter { ConvolutionAlgorithm.sparse.computes($0.geometry) }
      + own.compactMap { $0 }
  }()

  /// What is left of the weights, in words of so many.
  enum Left: CaseIterable { case all, half, tenth, one, none, someFilters, lastRow }

  /// Zeros the words that are not left.
  static func thin<T>(
    _ weights: inout [T], to left: Left, zero: T, outputs: Int, word: Int, _ numbers: inout Numbers
  ) {
    let words = weights.count / word, depth = words / outputs, only = numbers.random.below(words)
    for index in 0..<words {
      let stays =
        switch left {
        case .all: true
        case .half: numbers.random.below(2) == 0
        case .tenth: numbers.random.below(10) == 0
        case .one: index == only
        case .none: false
        case .someFilters: index / depth % 3 == 0
        case .lastRow: index % depth == depth - 1
        }
      if !stays { for i in index * word..<(index + 1) * word { weights[i] = zero } }
    }
  }

  @Test func thereAreCases() { #expect(Self.cases.count > 12) }

  @Test(arguments: cases, Left.allCases)
  func floatsEqualTheDefinition(_ test: ConvolutionCase, _ left: Left) throws {
    let g = test.geometry
    var numbers = Numbers(UInt64(g.weightCount + g.inputCount)), weights = numbers.floats(g.weightCount)
    Self.thin(&weights, to: left, zero: 0, outputs: g.outputChannels, word: 1, &numbers)
    if left == .tenth { for i in weights.indices where weights[i] == 0 && i % 2 == 0 { weights[i] = -0.0 } }
    let input = Guarded(numbers.floats(g.inputCount * test.batch)), bias = numbers.floats(g.outputChannels)
    let clamp: ClosedRange<Float> = -0.5...1.5
    let expected = bits(naiveConvolution(g, input.array, weights, bias, batch: test.batch, clamp))
    for isa in supportedSets {
      for threads in 1...3 {
        let convolution = weights.withUnsafeBufferPointer { weights in
          bias.withUnsafeBufferPointer {
            FloatConvolution(g, weights: weights, bias: $0, clamp: clamp, algorithm: .sparse, isa: isa)
          }
        }
        #expect(convolution.step.kernel == "f32_sparse")
        let pool = try ThreadPool(threads: threads, smallestWork: 0)
        let output = Guarded<Float>(g.outputCount * test.batch, filling: .nan)
        let keeps = runMoved(convolution.step, isa: isa, [input.base], to: output.base, batch: test.batch, pool: pool)
        #expect(bits(output.array) == expected, "\(isa), \(threads) threads")
        #expect(keeps && output.isIntact && input.isIntact)
      }
    }
  }

  @Test(arguments: cases.filter { $0.geometry.window.channels % 4 == 0 }, Left.allCases)
  func integersEqualTheDefinition(_ test: ConvolutionCase, _ left: Left) throws {
    let g = test.geometry, batch = test.batch, zeroPoint: UInt8 = 31
    var numbers = Numbers(UInt64(g.weightCount)), weights = numbers.weights(g.weightCount)
    Self.thin(&weights, to: left, zero: 0, outputs: g.outputChannels, word: 4, &numbers)
    let input = Guarded(numbers.bytes(g.inputCount * batch)), bias = numbers.sums(g.outputChannels, 3000)
    let scales = (0..<g.outputChannels).map { Float(0.5) / Float(50 * g.depth + $0) }
    let exact = IntegerConvolutionTests.sums(
      g, input.array, weights, [UInt8](repeating: zeroPoint, count: batch))
    let expected = exact.enumerated().map { index, sum in
      let channel = index % g.outputChannels
      let q = (Float(sum + Int(bias[channel])) * scales[channel]).rounded(.toNearestOrEven) + 120
      return UInt8(min(max(q, 10), 250))
    }
    for isa in supportedSets {
      for threads in 1...3 {
        let convolution = try weights.withUnsafeBufferPointer {
          try IntegerConvolution(
            g, weights: $0,
            output: .codes(inputZeroPoint: zeroPoint, bias: bias, scales: scales, zeroPoint: 120, clamp: 10...250),
            algorithm: .sparse, isa: isa)
        }
        let step = convolution.step()
        #expect(step.kernel == "u8s8_sparse")
        let pool = try ThreadPool(threads: threads, smallestWork: 0)
        let output = Guarded<UInt8>(g.outputCount * batch, filling: 1)
        let keeps = runMoved(step, isa: isa, [input.base], to: output.base, batch: batch, pool: pool)
        #expect(output.array == expected, "\(isa), \(threads) threads")
        #expect(keeps && output.isIntact)
      }
    }
  }

  @Test func countsWordsThatAreNotZero() {
    let floats: [Float] = [0, 1, -0.0, .leastNonzeroMagnitude, 2, 0]
    let count = floats.withUnsafeBufferPointer { SparseCount($0, outputs: 2) }
    #expect(count == SparseCount(nonzeros: 3, words: 6) && count.zeros == 0.5)
    let integers: [Int8] = [0, 0, 0, 0, 0, 0, 0, 1, -1, 0, 0, 0]
    #expect(integers.withUnsafeBufferPointer { SparseCount($0, outputs: 1) } == SparseCount(nonzeros: 2, words: 3))
  }

  /// A weight takes a byte more than itself; a filter's number in each block two.
  @Test func packedWeightsTakeLittleMore() throws {
    let window = try WindowGeometry(
      height: 14, width: 14, channels: 256, kernel: (3, 3), padding: .init(top: 1, left: 1, bottom: 1, right: 1))
    let g = try ConvolutionGeometry(window, outputChannels: 256)
    var numbers = Numbers(1), weights = numbers.floats(g.weightCount)
    Self.thin(&weights, to: .tenth, zero: 0, outputs: 256, word: 1, &numbers)
    let bytes = weights.withUnsafeBufferPointer {
      FloatConvolution(g, weights: $0, bias: nil, algorithm: .sparse).packedBytes
    }
    let nonzeros = weights.count { $0 != 0 }
    #expect(Double(bytes) < 1.4 * Double(4 * nonzeros))
  }

  /// Shapes of ResNet and VGG: where zeros pay, and where Winograd's method or a dense product is faster.
  @Test func zerosAreLeftOutWhereThatPays() throws {
    func algorithm(_ pixels: Int, _ channels: Int, _ outputs: Int, kernel: Int, zeros: Double, isExact: Bool = false)
      throws -> ConvolutionAlgorithm
    {
      let pad = kernel / 2
      let window = try WindowGeometry(
        height: pixels, width: pixels, channels: channels, kernel: (kernel, kernel),
        padding: .init(top: pad, left: pad, bottom: pad, right: pad))
      let g = try ConvolutionGeometry(window, outputChannels: outputs)
      let count = SparseCount(nonzeros: Int(Double(g.weightCount) * (1 - zeros)), words: g.weightCount)
      return .cheapest(g, count, isExact: isExact)
    }
    for (pixels, channels) in [(56, 64), (28, 128), (14, 256), (7, 512)] {
      #expect(try algorithm(pixels, channels, channels, kernel: 3, zeros: 0.95) == .sparse)
      #expect(try algorithm(pixels, channels, channels, kernel: 3, zeros: 0.1) != .sparse)
      #expect(try algorithm(pixels, channels, 4 * channels, kernel: 1, zeros: 0.8) == .sparse)
      #expect(try algorithm(pixels, channels, 4 * channels, kernel: 1, zeros: 0) == .pixels)
    }
    #expect(try algorithm(56, 64, 64, kernel: 3, zeros: 0.6) == .winograd4)
    #expect(try algorithm(56, 64, 64, kernel: 3, zeros: 0.8, isExact: true) == .sparse)
    // One vector of inputs: from memory zeros are not read, from a cache that saves little.
    #expect(try algorithm(1, 4096, 4096, kernel: 1, zeros: 0.9) == .sparse)
    #expect(try algorithm(1, 256, 128, kernel: 1, zeros: 0.8) == .pixels)
  }
}
