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
}
