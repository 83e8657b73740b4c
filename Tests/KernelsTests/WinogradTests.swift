import Testing

@testable import Kernels

/// Winograd's convolutions against the definition, alike for every instruction set and number of threads. Gradients are
/// among the `ConvolutionGradientTests`, and what the runtime's sum is, bit for bit, with the `SessionTests`.
@Suite struct WinogradTests {
  /// Sums of a few hundred products below one.
  static let tolerance = 1e-4

  static func cases() throws -> [ConvolutionCase] {
    try ConvolutionCase.all().filter { WinogradTiles($0.geometry) != nil }
  }

  @Test func servesWhereItPays() throws {
    let ofAll = try Self.cases()
    #expect(ofAll.count >= 4)
    let around = (1, 1, 1, 1)
    let served = try [
      ConvolutionCase(8, 8, 32, 32, (3, 3), pad: around), ConvolutionCase(9, 7, 32, 32, (3, 3), pad: around),
    ]
    #expect(served.map { WinogradTiles($0.geometry)?.perImage } == [16, 20])
    let others = try [
      ConvolutionCase(3, 3, 32, 32, (3, 3), pad: around),  // mostly edge
      ConvolutionCase(8, 8, 31, 32, (3, 3), pad: around), ConvolutionCase(8, 8, 32, 31, (3, 3), pad: around),
      ConvolutionCase(8, 8, 32, 32, (3, 3), stride: (2, 2), pad: around),
      ConvolutionCase(8, 8, 32, 32, (3, 3), pad: (2, 2, 2, 2), dilation: (2, 2)),
      ConvolutionCase(8, 8, 32, 32, (5, 5), pad: (2, 2, 2, 2)),
      ConvolutionCase(8, 8, 64, 64, (3, 3), pad: around, groups: 2),
    ]
    for test in others { #expect(WinogradTiles(test.geometry) == nil, "\(test)") }
  }

  @Test(arguments: try cases())
  func equalsTheDefinition(_ test: ConvolutionCase) throws {
    let g = test.geometry, batch = test.batch
    var numbers = Numbers(UInt64(g.weightCount))
    let input = Guarded(numbers.floats(g.inputCount * batch)), weights = Guarded(numbers.floats(g.weightCount))
    let bias = Guarded(numbers.floats(g.outputChannels))
    let clamp: ClosedRange<Float> = -0.5...1.5
    for bias in [bias, nil] {
      let expected = naiveConvolution(g, input.array, weights.array, bias?.array, batch: batch, clamp)
      var first: [UInt32]?
      for isa in supportedSets {
        let convolution = try #require(WinogradConvolution(g, isa: isa))
        for threads in 1...3 {
          let pool = try ThreadPool(threads: threads, smallestWork: 0)
          let output = Guarded<Float>(g.outputCount * batch, filling: .nan)
          let intact = withScratch(convolution.scratchBytes(threads: threads)) {
            convolution.run(
              input: input.base, weights: weights.base, bias: bias?.base, clamp: clamp, output: output.base,
              batch: batch, scratch: $0, pool: pool)
          }
          #expect(intact && output.isIntact)
          if let first {
            #expect(bits(output.array) == first, "\(isa) with \(threads) threads differs")
          } else {
            first = bits(output.array)
            let worst = zip(output.array, expected).map { abs(Double($0) - Double($1)) }.max()!
            #expect(worst < Self.tolerance, "off by \(worst)")
          }
        }
      }
    }
  }

  /// One image after another, or all at once: the same bits.
  @Test func imagesDoNotDependOnEachOther() throws {
    let g = try ConvolutionCase(7, 9, 37, 64, (3, 3), pad: (1, 1, 1, 1)).geometry
    let convolution = try #require(WinogradConvolution(g))
    var numbers = Numbers(3)
    let input = numbers.floats(g.inputCount * 5), weights = numbers.floats(g.weightCount)
    var together = [Float](repeating: .nan, count: g.outputCount * 5), apart = together
    let isIntact = withScratch(convolution.scratchBytes(threads: 1)) { scratch in
      convolution.run(
        input: input, weights: weights, bias: nil, output: &together, batch: 5, scratch: scratch, pool: .serial)
      for image in 0..<5 {
        apart.withUnsafeMutableBufferPointer { apart in
          input.withUnsafeBufferPointer { input in
            convolution.run(
              input: input.baseAddress! + image * g.inputCount, weights: weights, bias: nil,
              output: apart.baseAddress! + image * g.outputCount, batch: 1, scratch: scratch, pool: .serial)
          }
        }
      }
    }
    #expect(isIntact && bits(together) == bits(apart))
  }

  /// The runtime's, of both sizes, however blocks of tiles are shared out: whole ones each, or parts of one.
  @Test(arguments: try ConvolutionCase.all().filter { WinogradProduct.applies(to: $0.geometry) })
  func preparedStepsEqualTheDefinition(_ test: ConvolutionCase) throws {
    let g = test.geometry, batch = test.batch
    var numbers = Numbers(UInt64(g.weightCount))
    let input = Guarded(numbers.floats(g.inputCount * batch)), weights = numbers.floats(g.weightCount)
    let bias = numbers.floats(g.outputChannels)
    let clamp: ClosedRange<Float> = -0.5...1.5
    let expected = naiveConvolution(g, input.array, weights, bias, batch: batch, clamp)
    for algorithm in [ConvolutionAlgorithm.winograd2, .winograd4] {
      var results: Set<[UInt32]> = []
      for isa in supportedSets {
        for limits in [CutLimits.standard, CutLimits(pieceBytes: 1, pieces: 100)] {
          for threads in 1...3 {
            let pool = try ThreadPool(threads: threads, smallestWork: 0)
            let convolution = weights.withUnsafeBufferPointer { weights in
              bias.withUnsafeBufferPointer {
                FloatConvolution(
                  g, weights: weights, bias: $0, clamp: clamp, algorithm: algorithm, limits: limits, isa: isa)
              }
            }
            let output = Guarded<Float>(g.outputCount * batch, filling: .nan)
            let keeps = runMoved(convolution.step, isa: isa, [input.base], to: output.base, batch: batch, pool: pool)
            #expect(keeps && output.isIntact && input.isIntact)
            results.insert(bits(output.array))
            let worst = zip(output.array, expected).map { abs($0 - $1) }.max()!
            #expect(Double(worst) < Self.tolerance, "\(algorithm): off by \(worst)")
          }
        }
      }
      #expect(results.count == 1, "\(algorithm)")
    }
  }

  /// Errors beside sums in double precision: for each output channel at most so many times those of the direct sums, and
  /// far below what a trained network's answers notice. Inputs are those after a ReLU, weights He et al.'s.
  @Test(arguments: [32, 128, 512]) func errorsStayNearThoseOfDirectSums(_ channels: Int) throws {
    let g = try ConvolutionCase(16, 16, channels, 32, (3, 3), pad: (1, 1, 1, 1), batch: 1).geometry
    var numbers = Numbers(UInt64(channels))
    let input = numbers.floats(g.inputCount).map { max(2 * $0, 0) }
    let deviation = (2 / Float(g.depth)).squareRoot()
    let weights = numbers.floats(g.weightCount).map { $0 * 1.7 * deviation }
    func errors(_ algorithm: ConvolutionAlgorithm, _ exact: [Double]) -> (mean: Double, worst: Double) {
      let convolution = weights.withUnsafeBufferPointer {
        FloatConvolution(g, weights: $0, bias: nil, algorithm: algorithm)
      }
      var output = [Float](repeating: .nan, count: g.outputCount)
      _ = withScratch(convolution.scratchBytes(batch: 1, threads: 1)) {
        convolution.run(input: input, output: &output, batch: 1, scratch: $0, pool: .serial)
      }
      let off = zip(output, exact).map { abs(Double($0) - $1) }
      return (off.reduce(0, +) / Double(off.count), off.max()!)
    }
    let exact = exactConvolution(g, input, weights), largest = exact.map(abs).max()!
    let direct = errors(.patches, exact), two = errors(.winograd2, exact), four = errors(.winograd4, exact)
    #expect(two.mean < 1.5 * direct.mean && four.mean < 4 * direct.mean, "\(direct) \(two) \(four)")
    #expect(two.worst < 2e-6 * largest && four.worst < 1e-5 * largest, "\(two) \(four) beside \(largest)")
  }

  private func exactConvolution(_ g: ConvolutionGeometry, _ input: [Float], _ weights: [Float]) -> [Double] {
    let w = g.window
    var out: [Double] = []
    for pixel in 0..<w.outputPixels {
      for o in 0..<g.outputChannels {
        var sum = 0.0
        for tap in 0..<9 {
          let y = pixel / w.outputWidth + tap / 3 - w.padding.top, x = pixel % w.outputWidth + tap % 3 - w.padding.left
          guard (0..<w.height).contains(y), (0..<w.width).contains(x) else { continue }
          for c in 0..<w.channels {
            sum += Double(input[(y * w.width + x) * w.channels + c]) * Double(weights[(o * 9 + tap) * w.channels + c])
          }
        }
        out.append(sum)
      }
    }
    return out
  }

  /// Which one is taken follows from the shape: large images by sixteen outputs at a time, small ones by four, and
  /// directly where the transformed weights, used only a few times, would take longer to fetch than they save.
  @Test func theCheapestFollowsFromTheShape() throws {
    func cheapest(_ pixels: Int, _ channels: Int, _ outputs: Int, stride: Int = 1, groups: Int = 1) throws
      -> ConvolutionAlgorithm
    {
      try .cheapest(
        ConvolutionCase(
          pixels, pixels, channels, outputs, (3, 3), stride: (stride, stride), pad: (1, 1, 1, 1), groups: groups
        ).geometry)
    }
    for (pixels, channels) in [(224, 64), (56, 64), (28, 512), (14, 512), (32, 64), (12, 64)] {
      #expect(try cheapest(pixels, channels, channels) == .winograd4, "\(pixels) \(channels)")
    }
    #expect(try cheapest(7, 512, 512) == .winograd2)
    #expect(try cheapest(8, 256, 256) == .winograd2)
    for (pixels, channels) in [(4, 512), (2, 512), (1, 512)] {
      #expect(try cheapest(pixels, channels, channels) == .patches, "\(pixels) \(channels)")
    }
    #expect(try cheapest(224, 3, 64) == .patches)
    #expect(try cheapest(56, 64, 64, stride: 2) == .patches)
    #expect(try cheapest(56, 64, 64, groups: 2) == .patches)
    #expect(try cheapest(56, 64, 64, groups: 64) == .taps)
    let pixel = try ConvolutionCase(56, 56, 64, 64, (1, 1)).geometry
    #expect(ConvolutionAlgorithm.cheapest(pixel) == .pixels)
  }
}
