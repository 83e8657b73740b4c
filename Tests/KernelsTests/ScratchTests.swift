import Testing

@testable import Kernels

@Suite struct ScratchTests {
  @Test(arguments: [(28, 1, 12, 3), (6, 40, 70, 3), (32, 16, 16, 3), (9, 5, 3, 1)])
  func scratchForABatchServesSmallerOnes(size: Int, channels: Int, outputs: Int, kernel: Int) throws {
    let window = try WindowGeometry(height: size, width: size, channels: channels, kernel: (kernel, kernel))
    let geometry = try ConvolutionGeometry(window, outputChannels: outputs)
    let weights = [Float](repeating: 0, count: geometry.weightCount)
    let codes = [Int8](repeating: 0, count: geometry.weightCount)
    for isa in supportedSets {
      let float = weights.withUnsafeBufferPointer { FloatConvolution(geometry, weights: $0, bias: nil, isa: isa) }
      let scales = [Float](repeating: 1, count: outputs)
      let integer = try codes.withUnsafeBufferPointer {
        try IntegerConvolution(
          geometry, weights: $0,
          output: .floats(scales: scales, bias: nil, clamp: -.infinity ... .infinity), isa: isa)
      }
      for batch in 1...40 {
        #expect(float.scratchBytes(batch: batch, threads: 2) <= float.scratchBytes(batch: batch + 1, threads: 2))
        #expect(integer.scratchBytes(batch: batch, threads: 2) <= integer.scratchBytes(batch: batch + 1, threads: 2))
      }
    }
  }
}
