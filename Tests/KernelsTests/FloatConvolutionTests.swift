import Testing

@testable import Kernels

@Suite struct FloatConvolutionTests {
  @Test(arguments: try ConvolutionCase.all())
  func equalsItsDefinition(_ test: ConvolutionCase) throws {
    let g = test.geometry
    var numbers = Numbers(UInt64(g.weightCount + g.inputCount))
    let input = Guarded(numbers.floats(g.inputCount * test.batch))
    let weights = numbers.floats(g.weightCount), bias = numbers.floats(g.outputChannels)
    let clamp: ClosedRange<Float> = -0.5...1.5
    let expected = bits(naiveConvolution(g, input.array, weights, bias, batch: test.batch, clamp))
    for isa in supportedSets {
      let convolution = weights.withUnsafeBufferPointer { weights in
        bias.withUnsafeBufferPointer { FloatConvolution(g, weights: weights, bias: $0, clamp: clamp, isa: isa) }
      }
      for threads in 1...3 {
        let pool = try ThreadPool(threads: threads, smallestWork: 0)
        let output = Guarded<Float>(g.outputCount * test.batch, filling: .nan)
        let intact = withScratch(convolution.scratchBytes(batch: test.batch, threads: threads)) {
          convolution.run(input: input.base, output: output.base, batch: test.batch, scratch: $0, pool: pool)
        }
        #expect(bits(output.array) == expected, "\(isa), \(threads) threads")
        #expect(intact && output.isIntact && input.isIntact)
      }
    }
  }

  /// Every direct algorithm that computes a convolution forms the same sums, however the work is cut into pieces.
  @Test(arguments: try ConvolutionCase.all().filter { $0.geometry.isDepthwise })
  func algorithmsGiveTheSameBits(_ test: ConvolutionCase) throws {
    let g = test.geometry
    var numbers = Numbers(UInt64(g.weightCount))
    let input = Guarded(numbers.floats(g.inputCount * test.batch)), weights = numbers.floats(g.weightCount)
    let codes = Guarded(numbers.bytes(g.inputCount * test.batch)), integers = numbers.weights(g.weightCount)
    let able = ConvolutionAlgorithm.allCases.filter { $0.computes(g) && $0.isDirect }
    #expect(able.count > 1)
    let pool = try ThreadPool(threads: 2, smallestWork: 0)
    for isa in supportedSets {
      var results: Set<[UInt32]> = [], sums: Set<[UInt8]> = []
      for algorithm in able {
        for limits in [CutLimits.standard, CutLimits(pieceBytes: 1, pieces: 100)] {
          let float = weights.withUnsafeBufferPointer {
            FloatConvolution(g, weights: $0, bias: nil, algorithm: algorithm, limits: limits, isa: isa)
          }
          let out = Guarded<Float>(g.outputCount * test.batch, filling: .nan)
          let floatsKeep = runMoved(float.step, isa: isa, [input.base], to: out.base, batch: test.batch, pool: pool)
          #expect(floatsKeep)
          results.insert(bits(out.array))
          let integer = try integers.withUnsafeBufferPointer {
            try IntegerConvolution(
              g, weights: $0,
              output: .codes(
                inputZeroPoint: 9, bias: nil,
                scales: [Float](repeating: 1 / Float(50 * g.depth), count: g.outputChannels),
                zeroPoint: 100, clamp: 0...255), algorithm: algorithm, limits: limits, isa: isa)
          }
          let coded = Guarded<UInt8>(out.count, filling: 0)
          let codesKeep = runMoved(
            integer.step(), isa: isa, [codes.base], to: coded.base, batch: test.batch, pool: pool)
          #expect(codesKeep)
          sums.insert(coded.array)
        }
      }
      #expect(results.count == 1 && sums.count == 1, "\(isa)")
    }
  }
}
