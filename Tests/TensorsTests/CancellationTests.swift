import Diagnostics
import Foundation
import Tensors
import Testing

/// Operations that a request to stop cuts short.
@Suite struct CancellationTests {
  /// More than one run of every loop.
  static let count = (1 << 21) + 4
  static let many = Tensor(repeating: 2, [count])
  static let rows = try! many.reshaped([4, count / 4])

  /// By name: none of the elements of the whole result is zero.
  static let operations: [(String, @Sendable () throws -> Tensor)] = [
    ("full", { Tensor(repeating: 3, [10 * count]) }),
    ("copied", { Tensor([Float](repeating: 3, count: 40 * count)) }),
    ("uniform", { var random = SeededRandom(seed: 1); return Tensor(uniform: [count], 1, 2, using: &random) }),
    ("normal", { var random = SeededRandom(seed: 1); return Tensor(normal: [count], mean: 9, using: &random) }),
    (
      "truncated",
      {
        var random = SeededRandom(seed: 1)
        return Tensor(normal: [count], deviation: 1, truncatedAt: 2, using: &random)
      }
    ),
    ("unary", { many.applying(.exp) }),
    ("clamped", { try many.clamped(0, 1) }),
    ("binary", { try many.applying(.pow, many) }),
    ("scalar", { try many.applying(.add, 1) }),
    ("broadcast rows", { try rows.applying(.mul, Tensor(repeating: 2, [4, 1])) }),
    ("comparison", { try many.applying(.ge, many) }),
    ("logical", { try many.converted(to: .uint8).applying(.or, Tensor(scalar: 1).converted(to: .uint8)) }),
    ("not", { try Tensor(zeros: [count], dtype: .uint8).negated() }),
    ("select", { try Tensor.select(Tensor(scalar: 1).converted(to: .uint8), many, many) }),
    ("to float16", { many.converted(to: .float16).converted(to: .float32) }),
    ("to bfloat16", { many.converted(to: .bfloat16).converted(to: .float32) }),
    ("to int8", { many.converted(to: .int8).converted(to: .float32) }),
    ("to int64", { many.converted(to: .int64).converted(to: .float32) }),
    ("transposed", { try rows.transposed().contiguous() }),
    ("reversed copy", { try rows.transposed().reshaped([-1]) }),
    ("gathered", { try many.reshaped([count, 1]).gathered(axis: 1, [0, 0]) }),
    ("gathered elements", { try rows.gathered(axis: 1, Array(0..<count / 4)) }),
    ("gathered twice", { try rows.gathered(first: [0, 1, 2, 3], last: Array(0..<count / 4)) }),
    ("concatenated", { try Tensor.concatenated(Array(repeating: rows, count: 40), axis: 1) }),
    ("row sums", { try many.reshaped([count / 2, 2]).reduced(.sum, axes: [1]) }),
    ("counts", { try many.reshaped([count / 2, 2]).reduced(.nonzero, axes: [1]).converted(to: .float32) }),
    ("running sums", { try many.runningSums() }),
    ("taking", { try many.taking(Tensor(Array(0..<Int64(count)))) }),
    ("putting", { try Tensor(zeros: [count]).putting(many, at: Tensor(Array(0..<Int64(count)))) }),
    ("integers", { try many.integers(adding: 1).converted(to: .float32) }),
    ("sorted", { try many.sorted() }),
    ("sorted rows", { try rows.sorted() }),
    ("argsorted", { try rows.argsorted(axis: 0).applying(.add, 1) }),
    ("topK", { try many.topK(count).values }),
    ("kthSmallest", { Tensor(scalar: try many.kthSmallest(5)) }),
    ("matmul", { try Tensor(repeating: 1, [200, 2000]).matmul(Tensor(repeating: 1, [2000, 200])) }),
    ("outer", { try Tensor(repeating: 1, [2000]).outer(Tensor(repeating: 1, [2000])) }),
    ("singular values", { try noise([300, 400]).singularValues() }),
    ("singular vectors", { try noise([300, 400]).singularValueDecomposition().u }),
  ]

  static func noise(_ shape: Shape) -> Tensor {
    var random = SeededRandom(seed: 3)
    return Tensor(normal: shape, using: &random)
  }

  /// Requested before it begins: the loops of a whole result would have written its last element.
  @Test(arguments: operations.indices)
  func requestedOperationsDoNotRun(_ index: Int) throws {
    let (name, operation) = Self.operations[index]
    let whole = try operation().converted(to: .float32)
    #expect(whole.withElements(Float.self) { $0.last! } != 0, "\(name)")
    let cancellation = Cancellation()
    cancellation.request()
    try Cancellation.$current.withValue(cancellation) {
      do {
        let result = try operation()
        // Read where nothing is to stop.
        let last = try Cancellation.$current.withValue(nil) {
          try result.reshaped([-1]).sliced(axis: 0, result.count - 1..<result.count).converted(to: .float32).item
        }
        #expect(last == 0, "\(name)")
      } catch let error as CompressError {
        #expect(error.kind == .cancelled, "\(name): \(error)")
      }
    }
  }

  /// What takes minutes ends soon after it was asked to.
  static let long: [(String, @Sendable () throws -> Void)] = [
    ("singular values", { _ = try noise([3000, 3000]).singularValues() }),
    ("singular vectors", { _ = try noise([4000, 4000]).singularValueDecomposition() }),
    ("matmul", { _ = try noise([8000, 8000]).matmul(noise([8000, 8000])) }),
  ]

  @Test(arguments: long.indices)
  func longOperationsEndOnRequest(_ index: Int) throws {
    let (name, operation) = Self.long[index]
    let cancellation = Cancellation(), start = ContinuousClock.now
    let thread = Thread {
      Thread.sleep(forTimeInterval: 2)  // well within the operation, after the numbers are drawn
      cancellation.request()
    }
    thread.start()
    let error = #expect(throws: CompressError.self) {
      try Cancellation.$current.withValue(cancellation) { try operation() }
    }
    #expect(error?.kind == .cancelled, "\(name)")
    #expect(ContinuousClock.now - start < .seconds(10), "\(name)")
  }

  @Test func aSortOfManyBlocksIsTheSort() throws {
    var random = SeededRandom(seed: 5)
    let count = 700_001
    let values = (0..<count).map { _ in Float(random.below(1000)) - 500 }
    let sorted = try Tensor(values).sorted().array(Float.self)
    #expect(sorted == values.sorted())
    let order = try Tensor(values).argsorted(descending: true).array(Int64.self)
    #expect(zip(order, order.dropFirst()).allSatisfy { a, b in
      let (x, y) = (values[Int(a)], values[Int(b)])
      return x > y || (x == y && a < b)
    })
    let (best, indices) = try Tensor(values).topK(300_000)
    #expect(indices.array(Int64.self) == Array(order.prefix(300_000)))
    #expect(best.array(Float.self) == order.prefix(300_000).map { values[Int($0)] })
  }

  @Test func runsCoverAllIndices() {
    for (count, size) in [(0, 4), (1, 4), (4, 4), (5, 4), (17, 3), (3, 0)] {
      #expect(Cancellation.runs(count, of: size).flatMap { Array($0) } == Array(0..<count))
    }
    var pace = Cancellation.Pace()
    #expect(!pace.stops(after: .max) && !pace.stops(after: .max))
  }
}
