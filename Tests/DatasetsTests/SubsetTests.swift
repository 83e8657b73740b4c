import Testing

@testable import Datasets

struct SubsetTests {
  let data = CountingDataset(count: 10)

  @Test func slices() throws {
    #expect(try data.taking(3).numbers == [0, 1, 2])
    #expect(try data.dropping(7).numbers == [7, 8, 9])
    #expect(try data.slice(from: 2, to: 5).numbers == [2, 3, 4])
    #expect(try data.slice(from: 2, to: 8).dropping(1).taking(2).numbers == [3, 4])
    #expect(try data.taking(0).count == 0)
    let part = try data.dropping(4)
    #expect(part.name == "counting")
    #expect(part.sampleShape == data.sampleShape)
    #expect(part.classCount == 3)
    #expect(try part.batch([1]).labels == [2])
  }

  @Test func slicesOutsideAreRefused() throws {
    #expect(try failure { try data.taking(11) }.message == "samples 1 to 11 wanted of \"counting\", which has 10")
    #expect(try failure { try data.taking(-1) }.message == "samples 1 to -1 wanted of \"counting\", which has 10")
    #expect(try failure { try data.dropping(11) }.message == "samples 12 to 10 wanted of \"counting\", which has 10")
    #expect(try failure { try data.taking(4).taking(5) }.message.hasSuffix("which has 4"))
    #expect(try failure { try data.sampled(11, seed: 1) }.message.hasSuffix("which has 10"))
  }

  @Test func samplesAreDifferentAndSeeded() throws {
    let numbers = try data.sampled(6, seed: 3).numbers
    #expect(Set(numbers).count == 6)
    #expect(Set(numbers).isSubset(of: 0..<10))
    #expect(try data.sampled(6, seed: 3).numbers == numbers)
    #expect(try data.sampled(4, seed: 3).numbers == Array(numbers.prefix(4)))
    #expect(try data.shuffled(seed: 3).numbers != data.shuffled(seed: 4).numbers)
    #expect(try data.shuffled(seed: 3).numbers.sorted() == Array(0..<10))
  }

  @Test(arguments: [(0.0, 0), (0.25, 3), (0.8, 8), (1.0, 10)])
  func splitsShareNothing(fraction: Double, first: Int) throws {
    let (a, b) = try data.split(fraction, seed: 5)
    #expect(a.count == first)
    #expect(try (a.numbers + b.numbers).sorted() == Array(0..<10))
  }

  @Test(arguments: [-0.1, 1.1, .nan, .infinity])
  func fractionsOutsideAreRefused(fraction: Double) throws {
    #expect(try failure { try data.split(fraction, seed: 5) }.message.contains("not \(fraction)"))
  }

  /// Each step costs the same, however many came before, and there is an end to them.
  @Test func longChainsOfChoicesAreFlat() throws {
    let all = CountingDataset(count: 1_000_000)
    var chosen: any Dataset = all
    for step in 1...1000 { chosen = try chosen.taking(1_000_000 - step) }
    #expect(chosen.count == 999_000 && chosen.indexBytes < 100_000)
    #expect(chosen.identity.steps.count == 1000 && chosen.identity.steps.last == "0..<999000")
    let error = try failure { try chosen.taking(5) }
    #expect(error.kind == .limit && error.message.contains("1000 steps"))
    // A part of an order shares it, a small part keeps nothing of the rest.
    let order = try all.shuffled(seed: 2)
    #expect(order.indexBytes >= 8_000_000)
    #expect(try order.taking(10).indexBytes < 1000)
    #expect(try order.dropping(3).taking(4).numbers == Array(order.taking(7).numbers.suffix(4)))
    #expect(try all.slice(from: 10, to: 20).slice(from: 2, to: 5).shuffled(seed: 1).numbers.sorted() == [12, 13, 14])
  }

  @Test func identitiesFollowTheSamples() throws {
    #expect(try data.taking(3).identity.steps == ["0..<3"])
    #expect(try data.taking(10).identity == data.identity)
    #expect(try data.sampled(4, seed: 3).identity.steps == ["shuffled, seed 3", "0..<4"])
    #expect(try data.split(0.4, seed: 3).0.identity == data.sampled(4, seed: 3).identity)
    #expect(try data.split(0.4, seed: 3).1.identity.steps == ["shuffled, seed 3", "4..<10"])
    let all = [
      data, try data.taking(3), try data.dropping(3), try data.slice(from: 3, to: 6),
      try data.shuffled(seed: 1), try data.shuffled(seed: 2), try data.sampled(3, seed: 1),
      try data.taking(3).shuffled(seed: 1),
      CountingDataset(count: 11),
    ].map(\.identity)
    #expect(Set(all).count == all.count)
    #expect(all.dropLast().allSatisfy { $0.source == data.identity.source })
  }
}
