import Testing

@testable import Tensors

@Suite struct SelectionTests {
  /// Awkward to rank: ties, both zeros, negatives, infinities, neighbours in the last bit.
  static func chunks(seed: UInt64) -> [Tensor] {
    var random = SeededRandom(seed: seed)
    let special: [Float] = [
      0, -0.0, .infinity, -.infinity, 1, 1 + .ulpOfOne, 1 - .ulpOfOne / 2, -.leastNonzeroMagnitude,
      .leastNonzeroMagnitude, -3,
    ]
    return [40, 0, 1, 173, 64].map { count in
      Tensor(
        (0..<count).map { _ in
          switch random.below(3) {
          case 0: special[random.below(special.count)]
          case 1: Float(random.below(5)) - 2
          default: Float(random.normal())
          }
        })
    }
  }

  @Test(arguments: [ThresholdSearch.End.smallest, .largest]) func agreesWithSorting(_ end: ThresholdSearch.End) throws {
    for seed in 0..<4 as Range<UInt64> {
      let chunks = Self.chunks(seed: seed)
      let all = chunks.flatMap { $0.array(Float.self) }
      let ranked = all.indices.sorted {
        let (a, b) = end == .smallest ? (all[$0], all[$1]) : (all[$1], all[$0])
        return a != b ? a < b : $0 < $1
      }
      for k in [0, 1, 2, 17, 100, 139, 140, 200, all.count - 1, all.count] {
        var passes = 0
        func feed(_ visit: (Tensor) throws -> Void) throws {
          passes += 1
          try chunks.forEach(visit)
        }
        var search = try end == .smallest ? .smallest(k, chunks: feed) : ThresholdSearch.largest(k, chunks: feed)
        #expect(passes <= 2 && search.total == all.count && search.count == k)
        #expect(search.threshold == (k == 0 ? nil : all[ranked[k - 1]]))
        #expect(search.ties == ranked[..<k].count { all[$0] == search.threshold })
        let taken = chunks.flatMap { search.taken(from: $0).array(UInt8.self) }
        #expect(taken.indices.filter { taken[$0] == 1 } == ranked[..<k].sorted())
      }
    }
  }

  @Test func everyBitCounts() throws {
    // Values that differ in one half, or in both.
    let bits: [UInt32] = [0x3F80_0000, 0x3F80_0001, 0x3F80_0400, 0x3F90_0000, 0x4780_0000, 0xBF80_0001, 0xBF80_0000]
    let values = Tensor(bits.map(Float.init(bitPattern:)))
    let sorted = values.array(Float.self).sorted()
    for k in 1...bits.count { #expect(try values.kthSmallest(k) == sorted[k - 1]) }
  }

  @Test func refusals() throws {
    let values = Tensor([1, 2, 3] as [Float])
    #expect(message { _ = try values.kthSmallest(4) } == "cannot take 4 of 3 values")
    #expect(message { _ = try values.kthSmallest(0) }.contains("no 0-th smallest"))
    #expect(message { _ = try values.topK(-1) } == "cannot take -1 values")
    let broken = Tensor([1, .nan] as [Float])
    #expect(message { _ = try broken.kthSmallest(1) } == "cannot rank NaN, at element 1 of a tensor of shape [2]")
    #expect(throws: (any Error).self) { try broken.sorted() }
    #expect(throws: (any Error).self) { try broken.uniqueCounts() }
    var pass = 0
    #expect(
      message {
        _ = try ThresholdSearch.smallest(1) { visit in
          pass += 1
          try visit(Tensor(zeros: [pass]))
        }
      } == "the values to rank changed between two passes: 1 and then 2")
  }

  @Test func topK() throws {
    let values = Tensor([3, 5, 1, 5, -2, 5] as [Float], [2, 3])
    let (top, indices) = try values.topK(4)
    #expect(top.array() == [5, 5, 5, 3] as [Float] && indices.array() == [1, 3, 5, 0] as [Int64])
    #expect(try values.topK(2).indices.array() == [1, 3] as [Int64])
    #expect(try values.topK(0).values.count == 0)
    #expect(try Tensor([1, 9, 4] as [Int8]).topK(1).values.array() == [9] as [Float])
  }

  @Test func sorting() throws {
    for tensor in try awkwardTensors() + Self.chunks(seed: 9) {
      for axis in -tensor.rank..<max(tensor.rank, 1) where tensor.rank > 0 {
        for descending in [false, true] {
          let sorted = try tensor.sorted(axis: axis, descending: descending)
          let order = try tensor.argsorted(axis: axis, descending: descending)
          #expect(sorted.shape == tensor.shape && order.shape == tensor.shape)
          let positive = axis < 0 ? axis + tensor.rank : axis
          for index in indices(tensor.shape) where index[positive] == 0 {
            func line(_ t: Tensor) throws -> [Float] {
              var t = t.converted(to: .float32)
              for (axis, i) in index.enumerated().reversed() where axis != positive {
                t = try t.selected(axis: axis, i)
              }
              return t.array()
            }
            let values = try line(tensor)
            let expected = values.indices.sorted {
              values[$0] != values[$1] ? (values[$0] < values[$1]) != descending : $0 < $1
            }
            #expect(try line(order).map { Int($0) } == expected)
            #expect(try line(sorted) == expected.map { values[$0] })
          }
        }
      }
    }
    #expect(try Tensor(scalar: 3).sorted().array() == [3] as [Float])
    #expect(try Tensor(scalar: 3).argsorted().array() == [0] as [Int64])
    #expect(throws: (any Error).self) { try Tensor(zeros: [2]).sorted(axis: 1) }
  }

  @Test func distinctValues() throws {
    let counts = try Tensor([2, -0.0, 2, 0, -1] as [Float]).uniqueCounts()
    #expect(counts.map(\.value) == [-1, 0, 2] && counts.map(\.count) == [1, 2, 2])
    #expect(message { _ = try Tensor([1, 2, 3] as [Float]).uniqueCounts(limit: 2) } == "more than 2 distinct values")
  }
}
