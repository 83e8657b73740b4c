import CPacked
import Tensors
import Testing

@testable import Formats

/// The coder of packed files itself: every coding on every kind of elements.
@Suite struct PackedStreamTests {
  /// Elements of a kind, in a shape, as bytes.
  private struct Case: CustomStringConvertible {
    let kind: Int32
    let rows: Int
    let row: Int
    let inner: Int
    let share: Double
    let offsets: [Int16]

    var description: String { "kind \(kind), \(rows) rows of \(row), \(share) left" }

    func bytes(_ random: inout SeededRandom) -> [UInt8] {
      let size = cp_element_size(kind)
      return (0..<rows * row).flatMap { _ -> [UInt8] in
        guard Double(random.below(1000)) < 1000 * share else { return [UInt8](repeating: 0, count: size) }
        let value = UInt32(truncatingIfNeeded: random.next()) >> UInt32(random.below(32))
        return (0..<size).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
      }
    }
  }

  private static func cases(_ random: inout SeededRandom) -> [Case] {
    ([0, 1, 2, 3, 4, 5] as [Int32]).flatMap { kind in
      (0..<12).map { _ -> Case in
        let inner = 1 + random.below(20), rows = 1 + random.below(9)
        let offsets: [Int16] =
          kind > 1 || random.below(2) == 0
          ? [] : (0..<rows).map { _ in Int16(random.below(256) - (kind == 0 ? 128 : 0)) }
        return Case(
          kind: kind, rows: rows, row: inner * (1 + random.below(12)), inner: inner,
          share: Double(random.below(11)) / 10, offsets: offsets)
      }
    }
  }

  /// What coded bytes give back, and how many they are; nil where the coding is not for such elements.
  private func roundTrip(
    _ coding: Int, _ cases: [(bytes: [UInt8], item: Case)]
  ) -> (content: [[UInt8]], size: Int)? {
    let offsets = cases.map { item -> UnsafeMutablePointer<Int16> in
      let copy = UnsafeMutablePointer<Int16>.allocate(capacity: max(item.item.offsets.count, 1))
      copy.initialize(from: item.item.offsets, count: item.item.offsets.count)
      return copy
    }
    let given = cases.map { item -> UnsafeMutableRawPointer in
      let memory = UnsafeMutableRawPointer.allocate(byteCount: max(item.bytes.count, 1), alignment: 16)
      memory.copyMemory(from: item.bytes, byteCount: item.bytes.count)
      return memory
    }
    let found = cases.map { UnsafeMutableRawPointer.allocate(byteCount: max($0.bytes.count, 1), alignment: 16) }
    defer {
      for offsets in offsets { offsets.deallocate() }
      for memory in given + found { memory.deallocate() }
    }
    func pieces(_ memory: [UnsafeMutableRawPointer]) -> [cp_piece] {
      zip(zip(cases, memory), offsets).map { pair, offsets in
        let item = pair.0.item
        return cp_piece(
          values: pair.1, count: UInt64(item.rows * item.row), first: 0, row: UInt64(item.row),
          inner: UInt64(item.inner), offsets: offsets, offset_count: UInt64(item.offsets.count), kind: item.kind)
      }
    }
    var out = [UInt8](repeating: 0, count: 64 + 2 * cases.reduce(0) { $0 + $1.bytes.count } + 16_384)
    let source = pieces(given), target = pieces(found)
    let size = PackedFormat.withWorkspace(cp_workspace(Int32(coding), source, source.count)) {
      cp_encode(Int32(coding), source, source.count, $0, &out, out.count, nil)
    }
    guard size > 0 else { return nil }
    // In a buffer of just its size, so that what reads on behind it is found.
    let exact = Array(out.prefix(size))
    let isFine = PackedFormat.withWorkspace(cp_workspace(Int32(coding), target, target.count)) {
      cp_decode(Int32(coding), target, target.count, $0, exact, exact.count, nil)
    }
    guard isFine != 0 else { return nil }
    let content = zip(cases, found).map { item, memory in
      Array(UnsafeRawBufferPointer(start: memory, count: item.bytes.count))
    }
    return (content, size)
  }

  @Test func everyCodingGivesBackWhatItTook() throws {
    var random = SeededRandom(seed: 7)
    for item in Self.cases(&random) {
      let bytes = item.bytes(&random), size = cp_element_size(item.kind)
      for coding in [cp_plain, cp_rans, cp_mixed] + (item.kind <= Int32(cp_int32) ? [cp_bits] : []) {
        let found = roundTrip(coding, [(bytes, item)])
        #expect(found?.content == [bytes], "coding \(coding), \(item)")
      }
      let isConstant = (size..<max(bytes.count, size)).allSatisfy { bytes[$0] == bytes[$0 - size] }
      let found = roundTrip(cp_constant, [(bytes, item)])
      #expect(found?.content == (isConstant ? [bytes] : nil), "\(item)")
    }
  }

  @Test func oneStreamOfManyTensors() throws {
    var random = SeededRandom(seed: 8)
    var cases: [(bytes: [UInt8], item: Case)] = []
    for item in Self.cases(&random) { cases.append((item.bytes(&random), item)) }
    let found = roundTrip(cp_mixed, cases)
    #expect(found?.content == cases.map(\.bytes))
    #expect(roundTrip(cp_plain, cases) == nil)
  }

  @Test func integersTakeWhatTheirFrequenciesAskFor() throws {
    var random = SeededRandom(seed: 9)
    let item = Case(kind: Int32(cp_int8), rows: 64, row: 1152, inner: 128, share: 1, offsets: [])
    // 0 with probability 3/4, else one of 16.
    let bytes = (0..<item.rows * item.row).map { _ in random.below(4) > 0 ? 0 : UInt8(1 + random.below(16)) }
    let entropy = Double(bytes.count) * (0.75 * 0.4150375 + 0.25 * 6) / 8
    for coding in [cp_mixed, cp_rans] {
      let found = try #require(roundTrip(coding, [(bytes, item)]))
      #expect(found.content == [bytes])
      #expect(Double(found.size) < 1.03 * entropy, "\(Double(found.size) / entropy)")
    }
    // Columns that are zero all the way down cost next to nothing where a frequency knows no columns.
    let striped = bytes.enumerated().map { $0.offset % 1152 < 576 ? 0 : $0.element }
    let found = try #require(roundTrip(cp_mixed, [(striped, item)]))
    #expect(found.content == [striped])
    #expect(Double(found.size) < 0.56 * entropy, "\(Double(found.size) / entropy)")
  }

  /// Bits of a coder that carries into bytes that left long ago.
  @Test func longRunsOfLikelyBits() throws {
    for pattern in 0..<8 {
      let item = Case(kind: Int32(cp_uint8), rows: 1, row: 200_000, inner: 200_000, share: 1, offsets: [])
      let bytes = (0..<item.row).map { UInt8($0 % 65_521 == pattern * 7_919 ? 255 : 0) }
      let found = try #require(roundTrip(cp_mixed, [(bytes, item)]))
      #expect(found.content == [bytes])
      #expect(found.size < 200)
    }
  }
}
