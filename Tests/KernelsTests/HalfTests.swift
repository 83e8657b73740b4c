import CKernels
import Testing

@testable import Kernels

@Suite struct HalfTests {
  /// Every half there is goes to float32 and back unchanged, but for NaNs, which become quiet.
  @Test func allHalvesSurvive() {
    let halves = (0...UInt16.max).map { $0 }
    for isa in supportedSets {
      var floats = [Float](repeating: 0, count: halves.count), back = halves
      Conversion.fromHalf(halves, output: &floats, count: halves.count, pool: .serial, isa: isa)
      Conversion.toHalf(floats, output: &back, count: halves.count, pool: .serial, isa: isa)
      for (half, again) in zip(halves, back) {
        let isNaN = half & 0x7FFF > 0x7C00
        #expect(again == (isNaN ? half | 0x200 : half), "\(isa) \(half)")
      }
    }
  }

  @Test(
    arguments: [
      (Float(1), 0x3C00), (65504, 0x7BFF), (65519.996, 0x7BFF), (65520, 0x7C00), (-65520, 0xFC00),
      (0x1p-24, 0x0001), (0x1p-25, 0x0000), (0x1.8p-24, 0x0002), (0x1.000002p-25, 0x0001), (0x1p-14, 0x0400),
      (0x1.ff8p-15, 0x03FF), (0x1.ffcp-15, 0x0400), (0x1.ffep-15, 0x0400),
      (1.00048828125, 0x3C00), (1.00146484375, 0x3C02), (-0.0, 0x8000),
    ] as [(Float, UInt16)])
  func roundsToNearestEven(_ value: Float, _ bits: UInt16) {
    for isa in supportedSets {
      var half: UInt16 = 0
      Conversion.toHalf([value], output: &half, count: 1, pool: .serial, isa: isa)
      #expect(half == bits, "\(isa)")
    }
  }
}
