import Diagnostics
import Network
import Tensors
import Testing

@testable import Datasets

@Suite struct NoiseTests {
  @Test func aSampleDependsOnItsNumberAlone() throws {
    let noise = try Noise([5, 4, 3], count: 10, seed: 3)
    #expect(!noise.hasLabels && noise.classNames == nil && noise.sampleShape == [5, 4, 3])
    let two = try noise.batch([7, 2]), one = try noise.batch([2])
    let values: [Float] = two.images.array()
    #expect(values.suffix(60) == one.images.array(Float.self)[...] && two.labels == [0, 0])
    #expect(Set(values.prefix(60)) != Set(values.suffix(60)))
    let other = try Noise([5, 4, 3], count: 10, seed: 4)
    #expect(try other.batch([2]).images.array(Float.self) != one.images.array(Float.self))
    #expect(other.identity != noise.identity)
    #expect(try noise.taking(3).hasLabels == false)
  }

  @Test(arguments: [[1, 1, 1], [64, 48, 3], [7], [3, 9], [2, 2, 2, 2]]) func everyShapeIsFilledWithinTheRange(
    dims: [Int]
  ) throws {
    let noise = try Noise(Shape(dims), count: 20, range: -2...6)
    let values: [Float] = try noise.batch(0..<20).images.array()
    #expect(values.allSatisfy { (-2...6).contains($0) })
    #expect(values.min()! < 0 && values.max()! > 4, "of twenty samples some are dark and some are bright")
  }

  @Test func rangesAreChecked() {
    for range in [1...1, 0 ... .infinity] as [ClosedRange<Float>] {
      #expect(throws: CompressError.self) { try Noise([2], count: 1, range: range) }
    }
    #expect(throws: CompressError.self) { try Noise([2], count: 0) }
  }
}
