import Testing

@testable import Kernels

@Suite struct ZeroPaddingTests {
  @Test(arguments: [
    ([3], [1], [2]), ([2, 3, 4], [0, 0, 1], [0, 0, 2]), ([2, 3, 4], [1, 0, 0], [0, 1, 0]), ([2, 2], [0, 0], [0, 0]),
    ([2, 1, 3, 2], [1, 0, 2, 0], [1, 3, 0, 1]),
  ])
  func surroundsAndTakesOut(shape: [Int], before: [Int], after: [Int]) throws {
    let padding = ZeroPadding(shape: shape, before: before, after: after)
    let padded = shape.indices.map { before[$0] + shape[$0] + after[$0] }
    let count = shape.reduce(1, *), batch = 3
    #expect(padding.inputCount == count && padding.outputCount == padded.reduce(1, *))
    let input = Guarded((0..<count * batch).map { Float($0 + 1) })
    let output = Guarded<Float>(padding.outputCount * batch, filling: .nan)
    var expected = [Float]()
    for index in 0..<output.count {
      var rest = index % padding.outputCount, place = index / padding.outputCount * count, stride = 1, inside = true
      for axis in shape.indices.reversed() {
        let position = rest % padded[axis] - before[axis]
        inside = inside && (0..<shape[axis]).contains(position)
        place += position * stride
        stride *= shape[axis]
        rest /= padded[axis]
      }
      expected.append(inside ? Float(place + 1) : -5)
    }
    let pool = try ThreadPool(threads: 2, smallestWork: 0)
    padding.pad(input.base, output: output.base, with: -5, batch: batch, pool: pool)
    #expect(output.array == expected && output.isIntact)
    let back = Guarded<Float>(count * batch, filling: .nan)
    padding.crop(output.base, output: back.base, batch: batch, pool: pool)
    #expect(back.array == input.array && back.isIntact)
  }
}
