import Testing

@testable import Kernels

/// Winograd's convolution against the definition in double precision, alike for every instruction set and number of
/// threads. Its gradients are among the `ConvolutionGradientTests`.
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
}
