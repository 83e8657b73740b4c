import Compression
import Diagnostics
import Network
import Tensors
import Testing

@Suite struct WeightQuantizationTests {
  @Test func eachChannelHasItsOwnScale() throws {
    let weight = Tensor([1, -0.5, 0.25, 0, 100, -127] as [Float], [3, 2])
    let q = try IntegerValues(quantizing: weight, bits: 8, granularity: .channel)
    #expect(q.scales == [1 / 127, 0.25 / 127, 1])
    #expect(q.values.array(Int8.self) == [127, -64, 127, 0, 100, -127])
  }

  @Test func oneScaleForTheTensor() throws {
    let q = try IntegerValues(
      quantizing: Tensor([1, -0.5, 0.25, 0] as [Float], [2, 2]), bits: 8, granularity: .tensor)
    #expect(q.scales == [1 / 127])
    #expect(q.values.array(Int8.self) == [127, -64, 32, 0])
  }

  @Test(arguments: 2...8) func errorIsAtMostHalfAStep(_ bits: Int) throws {
    var random = SeededRandom(seed: 7)
    let weight = Tensor(normal: [5, 3, 3, 2], using: &random)
    let q = try IntegerValues(quantizing: weight, bits: bits, granularity: .channel)
    let decoded = q.decoded.array(Float.self)
    for (i, w) in weight.array(Float.self).enumerated() {
      let step = q.scales[i / 18]
      #expect(abs(decoded[i] - w) <= step * 0.5001)
    }
  }

  @Test func zerosStayZerosAndEmptyChannelsTakeNoHarm() throws {
    let q = try IntegerValues(quantizing: Tensor([0, 0, 3, 0] as [Float], [2, 2]), bits: 8, granularity: .channel)
    #expect(q.values.array(Int8.self) == [0, 0, 127, 0])
    #expect(q.scales[0] == 1)
  }

  @Test(arguments: [Float.nan, .infinity]) func refusesWhatIsNotFinite(_ bad: Float) {
    #expect(throws: CompressError.self) {
      try IntegerValues(quantizing: Tensor([1, bad] as [Float], [1, 2]), bits: 8, granularity: .channel)
    }
  }

  @Test func biasesTakeTheScaleOfTheAccumulator() throws {
    let q = try IntegerValues(bias: Tensor([1, -2] as [Float]), inputScale: 0.5, weightScales: [0.01, 0.1])
    #expect(q.scales == [0.5 * 0.01, 0.5 * 0.1])
    #expect(q.values.array(Int32.self) == [200, -40])
    #expect(throws: CompressError.self) {
      try IntegerValues(bias: Tensor([1e30] as [Float]), inputScale: 1e-3, weightScales: [1e-3])
    }
  }

  @Test func scalesOfLeastErrorClipWhatIsRare() throws {
    var random = SeededRandom(seed: 3)
    var values: [Float] = Tensor(normal: [400], using: &random).array()
    values[0] = 12
    let weight = Tensor(values, [1, 400])
    func error(_ fit: WeightFormat.Fit) throws -> Float {
      let q = try IntegerValues(quantizing: weight, bits: 4, granularity: .channel, fit: fit)
      return zip(q.decoded.array(Float.self), values).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    }
    #expect(try error(.error) < 0.9 * error(.peak))
  }

  @Test func scalesThatArePowersOfTwo() throws {
    let q = try IntegerValues(
      quantizing: Tensor([1, -0.3, 127, 5] as [Float], [2, 2]), bits: 8, granularity: .channel, powerOfTwo: true)
    #expect(q.scales == [1 / 64, 1])
    #expect(q.values.array(Int8.self) == [64, -19, 127, 5])
  }
}
