import Tensors
import Testing

@testable import Kernels

/// Functions of two operands that are broadcast, against their definition.
@Suite struct PairTests {
  static let shapes: [([Int], [Int])] = [
    ([5, 7, 3], [5, 7, 3]), ([4, 5, 19], [19]), ([4, 5, 19], [1, 1, 19]), ([4, 5, 3], []), ([4, 5, 1], [4, 5, 33]),
    ([1, 3], [5, 1]), ([3], [4, 5, 3]), ([2, 1, 4, 1, 3], [1, 5, 1, 2, 1]),
    ([2, 1, 2, 1, 2, 1, 2, 1], [1, 3, 1, 2, 1, 2, 1, 2]),  // as many axes as a shape has
    ([40, 30, 24], [24]),  // rows of a sample shared out
    ([300, 1, 3], [300, 4, 3]),  // many short blocks
    ([2, 9000], [9000]), ([70000], [1]),  // rows longer than a piece
  ]

  /// For each element of the result of a batch, the elements it comes from.
  static func places(_ a: Shape, _ b: Shape, batch: Int) throws -> [(a: Int, b: Int)] {
    let shape = try Shape.broadcast(a, b)
    return (0..<batch * shape.count).map { index in
      func place(_ own: Shape) -> Int {
        var rest = index % shape.count, place = 0, step = 1
        for axis in 0..<own.rank {
          let extent = own[own.rank - 1 - axis], all = shape[shape.rank - 1 - axis]
          place += rest % all % extent * step
          step *= extent
          rest /= all
        }
        return index / shape.count * own.count + place
      }
      return (place(a), place(b))
    }
  }

  @Test(arguments: shapes, [PairFunction.add, .multiply])
  func floats(_ shapes: ([Int], [Int]), _ function: PairFunction) throws {
    let (shapeA, shapeB) = (Shape(shapes.0), Shape(shapes.1)), batch = 5
    let broadcast = try Broadcast(shapeA, shapeB)
    var numbers = Numbers(UInt64(broadcast.count))
    let a = Guarded(numbers.floats(batch * shapeA.count)), b = Guarded(numbers.floats(batch * shapeB.count))
    let clamp: ClosedRange<Float> = -0.25...0.75
    let (x, y) = (a.array, b.array)
    let expected = try Self.places(shapeA, shapeB, batch: batch).map { place -> Float in
      let result = function == .add ? x[place.a] + y[place.b] : x[place.a] * y[place.b]
      return min(max(result, clamp.lowerBound), clamp.upperBound)
    }
    for isa in supportedSets {
      for threads in [1, 3] {
        let pool = try ThreadPool(threads: threads, smallestWork: 0)
        let out = Guarded<Float>(batch * broadcast.count, filling: .nan)
        broadcast.run(function, a.base, b.base, output: out.base, clamp: clamp, batch: batch, pool: pool, isa: isa)
        let isEqual = out.array == expected && out.isIntact
        #expect(isEqual, "\(isa), \(threads) threads")
      }
    }
  }

  @Test(arguments: shapes, [PairFunction.add, .multiply])
  func codes(_ shapes: ([Int], [Int]), _ function: PairFunction) throws {
    let (shapeA, shapeB) = (Shape(shapes.0), Shape(shapes.1)), batch = 2
    let broadcast = try Broadcast(shapeA, shapeB)
    var numbers = Numbers(UInt64(broadcast.count))
    let a = Guarded(numbers.bytes(batch * shapeA.count)), b = Guarded(numbers.bytes(batch * shapeB.count))
    let codingA = AffineQuantization(scale: 0.5, zeroPoint: 10),
      codingB = AffineQuantization(scale: 0.25, zeroPoint: 200)
    let result = AffineQuantization(scale: function == .add ? 0.7 : 40, zeroPoint: 100, limit: 210)
    let (x, y) = (a.array, b.array)
    let expected = try Self.places(shapeA, shapeB, batch: batch).map { place -> UInt8 in
      let p = Int(x[place.a]) - 10, q = Int(y[place.b]) - 200
      let value =
        function == .add
        ? Float(p) * (0.5 / result.scale) + Float(q) * (0.25 / result.scale)
        : Float(p * q) * (Float(0.5) * 0.25 / result.scale)
      return UInt8(min(max(value.rounded(.toNearestOrEven) + 100, 20), 210))
    }
    for isa in supportedSets {
      for threads in [1, 3] {
        let pool = try ThreadPool(threads: threads, smallestWork: 0)
        let out = Guarded<UInt8>(batch * broadcast.count, filling: 7)
        let step = broadcast.step(function, codingA, codingB, to: result, clamp: 20...255)
        _ = runMoved(step, isa: isa, [a.base, b.base], to: out.base, batch: batch, pool: pool)
        let isEqual = out.array == expected && out.isIntact
        #expect(isEqual, "\(isa), \(threads) threads")
      }
    }
  }

  @Test func onlyOperandsThatLieAlikeAreReplaced() throws {
    #expect(try Broadcast([2, 3], [1, 2, 3]).step(.add, clamp: 0...1).worksInPlace)
    #expect(try !Broadcast([2, 3], [3]).step(.add, clamp: 0...1).worksInPlace)
    #expect(try !Broadcast([3], [2, 3]).step(.multiply, clamp: 0...1).worksInPlace)
  }
}
