import Foundation
import Network
import Tensors
import Testing

@Suite struct EncodingTests {
  private let grid = Tensor([1, -2, 3, 0, 127, -127] as [Int8], [3, 2])

  @Test func integersDecode() throws {
    let perChannel = try IntegerValues(values: grid, scales: [0.5, 2, 1], bits: 8)
    #expect(perChannel.decoded.array() == [0.5, -1, 6, 0, 127, -127] as [Float])
    #expect(try IntegerValues(values: grid, scales: [0.25], bits: 8).decoded.array()[4] as Float == 31.75)
    let bias = try IntegerValues(values: Tensor([1 << 20, -3] as [Int32]), scales: [0.5, 1], bits: 32)
    #expect(bias.decoded.array() == [524_288, -3] as [Float])
    #expect(
      try IntegerValues(values: Tensor([5] as [Int8], []), scales: [2], bits: 4).decoded.array() == [10] as [Float])
    let encoding = Encoding.integer(perChannel)
    #expect(encoding.name == "int8" && encoding.byteCount == 6 + 12 && encoding.shape == [3, 2])
    #expect(Encoding.integer(bias).name == "int32" && Encoding.float(grid.converted(to: .float16)).name == "float16")
    #expect(try Parameter(encoding).nonzeroCount == 5 && Parameter(.integer(bias)).nonzeroCount == 2)
    #expect(try Parameter(.float(Tensor([0, -0.0, 1e-8, 1] as [Float]).converted(to: .float16))).nonzeroCount == 1)
  }

  @Test func zeroPointsAreWhatZeroIsStoredAs() throws {
    let values = Tensor([-128, 5, 7, 7, 127, -3] as [Int8], [3, 2])
    let integers = try IntegerValues(values: values, scales: [0.5, 2, 1], zeroPoints: [5, 7, -128], bits: 8)
    #expect(integers.decoded.array() == [-66.5, 0, 0, 0, 255, 125] as [Float])
    let parameter = try Parameter(.integer(integers))
    #expect(parameter.nonzeroCount == 3 && !parameter.isAllZero && parameter.encoding.byteCount == 6 + 12 + 3)
    #expect(parameter.encoding.nonzeroMask.array() == [1, 0, 0, 0, 1, 1] as [UInt8])
    let zeros = try IntegerValues(
      values: Tensor([9, 9, 0, 0] as [Int8], [2, 2]), scales: [1, 1], zeroPoints: [9, 0], bits: 8)
    #expect(try Parameter(.integer(zeros)).isAllZero)
    func failure(_ zeroPoints: [Int8], _ bits: Int) -> String {
      message { _ = try IntegerValues(values: grid, scales: [1, 1, 1], zeroPoints: zeroPoints, bits: bits) }
    }
    #expect(failure([1], 8) == "1 zero points for 3 scales")
    #expect(failure([0, 0, 0], 7) == "integer 127 is outside -64 to 63 (7 bits)")
    #expect(
      message {
        let bias = Tensor([1, 2] as [Int32])
        _ = try IntegerValues(values: bias, scales: [1], zeroPoints: [0], bits: 32)
      } == "32-bit integers have no zero points")
  }

  @Test func integersAreChecked() {
    func failure(_ values: Tensor, _ scales: [Float], _ bits: Int) -> String {
      message { _ = try IntegerValues(values: values, scales: scales, bits: bits) }
    }
    #expect(failure(grid, [1, 2], 8) == "2 scales for integers of shape [3, 2]")
    #expect(failure(grid, [], 8) == "0 scales for integers of shape [3, 2]")
    for bad in [0, -1, .nan, .infinity] as [Float] {
      #expect(failure(grid, [1, bad, 1], 8) == "scale \(bad) is not a positive number")
    }
    #expect(failure(grid, [1], 7) == "integer 127 is outside ±63 (7 bits)")
    #expect(failure(Tensor([-128] as [Int8]), [1], 8) == "integer -128 is outside ±127 (8 bits)")
    #expect(failure(grid, [1], 32) == "32-bit integers stored as int8")
    for bits in [1, 9, 0, -3, 16] { #expect(failure(grid, [1], bits) == "\(bits)-bit integers stored as int8") }
    #expect(failure(Tensor(zeros: [2]), [1], 8) == "8-bit integers stored as float32")
    #expect(failure(Tensor([4] as [Int8], []), [1, 1], 8) == "2 scales for integers of shape []")
  }

  @Test func masksAreChecked() throws {
    var parameter = Parameter(Tensor(zeros: [2, 2]))
    #expect(
      message { try parameter.setMask(Tensor(zeros: [2, 2])) }
        == "a float32 mask of shape [2, 2] for a parameter of shape [2, 2]")
    #expect(throws: (any Error).self) { try parameter.setMask(Tensor(zeros: [4], dtype: .uint8)) }
    try parameter.setMask(Tensor(zeros: [2, 2], dtype: .uint8))
    #expect(parameter.mask != nil)
  }

  @Test func activationRanges() throws {
    let relu = try ActivationQuantization(low: 0, high: 2.55)
    #expect(relu.zeroPoint == 0 && abs(relu.scale - 0.01) < 1e-8)
    let signed = try ActivationQuantization(low: -1, high: 1)
    #expect((127...128).contains(signed.zeroPoint) && abs(signed.scale * 255 - 2) < 1e-6)
    #expect(try ActivationQuantization(low: 1, high: 2).zeroPoint == 0)  // widened to hold zero
    #expect(try ActivationQuantization(low: -4, high: -1).zeroPoint == 255)
    #expect(try ActivationQuantization(low: 0, high: 0) == ActivationQuantization(scale: 1 / 255, zeroPoint: 0))
    #expect(try ActivationQuantization(low: 0, high: .leastNonzeroMagnitude).scale == 1 / 255)
    #expect(try ActivationQuantization(low: 0, high: 0, powerOfTwo: true).scale == 1 / 256)
    let most = Float.greatestFiniteMagnitude
    #expect(try ActivationQuantization(low: -most, high: most).scale.isFinite)
    for (low, high) in [(.nan, 1), (0, .nan), (-.infinity, 1), (0, .infinity)] as [(Float, Float)] {
      #expect(throws: (any Error).self) { try ActivationQuantization(low: low, high: high) }
    }
    for (scale, zero) in [(0, 0), (-1, 0), (.nan, 0), (.infinity, 0), (1, -1), (1, 256)] as [(Float, Int)] {
      #expect(
        message { _ = try ActivationQuantization(scale: scale, zeroPoint: zero) }
          == "activation scale \(scale), zero point \(zero) of 8 bits is out of range")
    }
    #expect(try decode(ActivationQuantization.self, #"{"scale": 0.5, "zero_point": 3}"#).zeroPoint == 3)
    #expect(throws: (any Error).self) { try decode(ActivationQuantization.self, #"{"scale": 0.5, "zero_point": 300}"#) }
  }
}
