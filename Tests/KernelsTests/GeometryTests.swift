import Diagnostics
import Testing

@testable import Kernels

@Suite struct GeometryTests {
  @Test func outputSizes() throws {
    let window = try WindowGeometry(
      height: 10, width: 9, channels: 2, kernel: (3, 2), stride: (3, 1),
      padding: .init(top: 2, left: 1, bottom: 0, right: 3), dilation: (2, 3))
    #expect(window.outputHeight == 3 && window.outputWidth == 10)
    let geometry = try ConvolutionGeometry(window, outputChannels: 6, groups: 2)
    #expect(geometry.depth == 6 && geometry.weightCount == 36 && geometry.outputCount == 180)
    let dense = try ConvolutionGeometry.dense(inputs: 5, outputs: 3)
    #expect(dense.weightCount == 15 && dense.inputCount == 5 && dense.outputCount == 3)
  }

  @Test func messages() {
    func message(_ body: () throws -> Void) -> String? { #expect(throws: CompressError.self) { try body() }?.message }
    #expect(
      message { _ = try WindowGeometry(height: 3, width: 3, channels: 1, kernel: (5, 5)) }
        == "kernel 5x5 is larger than its padded input 3x3")
    #expect(
      message { _ = try WindowGeometry(height: 3, width: 3, channels: 1, kernel: (3, 3), stride: (0, 1)) }
        == "vertical stride is 0, outside 1...16777216")
    #expect(
      message { _ = try WindowGeometry(height: 1 << 24, width: 1 << 24, channels: 1 << 24, kernel: (1, 1)) }
        == "the input image of 16777216x16777216x16777216 elements is too large")
    #expect(message { _ = try WindowGeometry(height: .max, width: 1, channels: 1, kernel: (1, 1)) } != nil)
    #expect(
      message {
        let window = try WindowGeometry(height: 3, width: 3, channels: 6, kernel: (1, 1))
        _ = try ConvolutionGeometry(window, outputChannels: 4, groups: 3)
      } == "3 groups do not divide 6 input and 4 output channels")
  }
}
