import Testing

@testable import Tensors

@Suite struct ConversionTests {
  @Test func everyHalfSurvivesTheWayThroughFloat() {
    for bits in 0...UInt16.max {
      let half = Half(bits: bits), wide = Float(half)
      if wide.isNaN {
        #expect(bits & 0x7C00 == 0x7C00 && bits & 0x3FF != 0)
        #expect(Float(Half(wide)).isNaN && Half(wide).bits & 0x8000 == bits & 0x8000)
      } else {
        #expect(Half(wide).bits == bits)
      }
    }
  }

  @Test func halvesMeanWhatTheStandardSays() {
    let cases: [(UInt16, Float)] = [
      (0x3C00, 1), (0xC000, -2), (0x7BFF, 65504), (0x0400, 0x1p-14), (0x0001, 0x1p-24), (0x03FF, 0x1.ff8p-15),
      (0x3555, 0x1.554p-2), (0x7C00, .infinity), (0xFC00, -.infinity), (0x8000, -0.0),
    ]
    for (bits, value) in cases {
      #expect(Float(Half(bits: bits)) == value && Float(Half(bits: bits)).sign == value.sign)
    }
  }

  @Test func floatsRoundToTheNearestHalf() {
    // Between each pair of neighbours: the middle goes to the even one, either side of it to the nearer.
    for bits in 0..<0x7BFF as Range<UInt16> {
      let low = Float(Half(bits: bits)), high = Float(Half(bits: bits + 1))
      let middle = (low + high) / 2
      #expect(Half(middle).bits == (bits & 1 == 0 ? bits : bits + 1))
      #expect(Half(middle.nextDown).bits == bits && Half(middle.nextUp).bits == bits + 1)
      #expect(Half(-middle.nextUp).bits == 0x8000 | (bits + 1))
    }
    #expect(Half(65519.996).bits == 0x7BFF && Half(65520).bits == 0x7C00 && Half(1e38).bits == 0x7C00)
    #expect(Half(0x1p-25).bits == 0 && Half(Float(0x1p-25).nextUp).bits == 1 && Half(.leastNonzeroMagnitude).bits == 0)
    #expect(Half(-.leastNonzeroMagnitude).bits == 0x8000)
  }

  @Test func floatsBecomeIntegersByRoundingAndSaturating() {
    let values = Tensor([0.5, 1.5, -2.5, 126.6, 127.5, 1e9, -1e20, .nan, .infinity, -.infinity, -0.4] as [Float])
    #expect(values.converted(to: .int8).array() == [0, 2, -2, 127, 127, 127, -128, 0, 127, -128, 0] as [Int8])
    #expect(values.converted(to: .uint8).array() == [0, 2, 0, 127, 128, 255, 0, 0, 255, 0, 0] as [UInt8])
    #expect(values.converted(to: .int32).array()[5...6] == [1_000_000_000, Int32.min])
    #expect(values.converted(to: .int64).array()[8...9] == [Int64.max, Int64.min])
    let ends = Tensor([126.5, 127.49, 127.5, 128, -127.5, -128.5, -129, 254.5, 255.5] as [Float])
    #expect(ends.converted(to: .int8).array() == [126, 127, 127, 127, -128, -128, -128, 127, 127] as [Int8])
    #expect(ends.converted(to: .uint8).array(UInt8.self)[7...8] == [254, 255])
    let top = Tensor([0x1p31, Float(0x1p31).nextDown, -0x1p31, Float(-0x1p31).nextDown] as [Float])
    #expect(top.converted(to: .int32).array() == [Int32.max, Int32.max - 127, Int32.min, Int32.min] as [Int32])
  }

  @Test func everyTypeToEveryType() throws {
    let small = Tensor([0, 1, 2, 100, 127] as [Float], [5, 1])
    for from in DType.allCases {
      for to in DType.allCases {
        let there = small.converted(to: from).converted(to: to)
        #expect(
          there.dtype == to && there.shape == [5, 1] && there.converted(to: .float32).array() == small.array(Float.self)
        )
      }
    }
    #expect(Tensor([300, -5] as [Int32]).converted(to: .uint8).array() == [255, 0] as [UInt8])
    #expect(Tensor([Int64.max] as [Int64]).converted(to: .int32).array() == [Int32.max] as [Int32])
    let view = try Tensor([1, 2, 3, 4] as [Int8], [2, 2]).transposed().converted(to: .float32)
    #expect(view.array() == [1, 3, 2, 4] as [Float])
  }
}
