import Testing

@testable import Tensors

@Suite struct SeededRandomTests {
  /// Computed by a second implementation of the published algorithms.
  @Test func goldenValues() {
    func draws(_ random: SeededRandom, _ count: Int) -> [UInt64] {
      var random = random
      return (0..<count).map { _ in random.next() }
    }
    #expect(draws(SeededRandom(seed: 0), 3) == [0x99EC5F36CB75F2B4, 0xBF6E1F784956452A, 0x1A5F849D4933E6E0])
    #expect(draws(SeededRandom(seed: 3), 3) == [0xB0CDABDAE5668CC0, 0xA3FD1DEA5E1864EE, 0x37E00AFB3229FD51])
    #expect(draws(SeededRandom(seed: .max), 3) == [0x8F5520D52A7EAD08, 0xC476A018CAA1802D, 0x81DE31C0D260469E])
    #expect(draws(SeededRandom(seed: 3).stream("shuffle"), 2) == [0x8FB0799A9BF1B06F, 0x5D513177AF274804])
  }

  @Test func streamsAreIndependent() {
    let root = SeededRandom(seed: 5)
    var a = root.stream("a"), b = root.stream("b"), again = root.stream("a"), other = SeededRandom(seed: 6).stream("a")
    let first = a.next()
    #expect(first == again.next() && first != b.next() && first != other.next())
  }

  @Test func uniformDrawsFillTheirRange() {
    var random = SeededRandom(seed: 1)
    var counts = [Int](repeating: 0, count: 10), faces = [Int](repeating: 0, count: 7)
    for _ in 0..<70_000 {
      let value = random.uniform(-2..<3)
      #expect((-2..<3).contains(value))
      counts[Int((value + 2) * 2)] += 1
      faces[random.below(7)] += 1
    }
    // Five standard deviations of a fair draw.
    #expect(counts.allSatisfy { abs($0 - 7000) < 400 } && faces.allSatisfy { abs($0 - 10_000) < 470 })
    #expect((0..<100).allSatisfy { _ in random.below(1) == 0 })
    let huge = random.below(Int.max)
    #expect(huge >= 0 && huge < Int.max)
  }

  @Test func normalDraws() throws {
    var random = SeededRandom(seed: 2)
    let values = Tensor(normal: [100_000], mean: 3, deviation: 2, using: &random)
    let mean = try values.value(.mean), variance = try values.value(.variance)
    #expect(abs(mean - 3) < 0.04 && abs(variance - 4) < 0.1)
    #expect(values.firstNonFinite == nil)
    let within = values.array(Float.self).count { abs($0 - 3) < 2 }
    #expect(abs(within - 68_269) < 800)
  }

  @Test func permutations() {
    var random = SeededRandom(seed: 4)
    let order = random.permutation(1000)
    #expect(order.sorted() == Array(0..<1000) && order != Array(0..<1000))
    #expect(random.permutation(0) == [] && random.permutation(1) == [0])
    var seen = Set<[Int]>()
    for _ in 0..<300 { seen.insert(random.permutation(3)) }
    #expect(seen.count == 6)
  }
}
