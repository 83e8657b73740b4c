import Diagnostics

/// Finds which k of many values are the smallest (or largest) without sorting or holding them: the
/// values pass by three times, in chunks, and are counted by their bits.
///
/// An order-preserving image of the float's 32 bits is resolved 11, 11 and 10 bits at a time, so time
/// is linear and memory constant. The result is exact. Equal values (+0 and -0 are equal) are taken in
/// the order of the chunks, then of the elements. For example, over the scores of all layers, one
/// layer's scores in memory at a time:
///
///     var search = try ThresholdSearch.smallest(k) { visit in
///       for layer in layers { try visit(scores(layer)) }
///     }
///     for layer in layers { let removed = try search.taken(from: scores(layer)) … }
public struct ThresholdSearch: Sendable {
  public enum End: String, Sendable { case smallest, largest }

  public let end: End
  /// How many values are taken.
  public let count: Int
  /// The last value that is taken; nil when none is.
  public let threshold: Float?
  /// How many values equal to the threshold are taken, the first ones in order.
  public let ties: Int
  /// How many values there were.
  public let total: Int
  private var tiesLeft: Int

  /// Searches for the `k` smallest values. `chunks` is called once a pass and hands every chunk to the
  /// closure it is given: the same ones in the same order each time.
  ///
  /// - Throws: `CompressError` when there are fewer than `k` values, one is NaN, or the passes differ in
  ///   their number of values; and whatever `chunks` throws.
  public static func smallest(
    _ k: Int, chunks: (_ visit: (Tensor) throws -> Void) throws -> Void
  ) throws -> ThresholdSearch {
    try ThresholdSearch(.smallest, k, chunks)
  }

  /// Searches for the `k` largest values, otherwise like `smallest`.
  public static func largest(
    _ k: Int, chunks: (_ visit: (Tensor) throws -> Void) throws -> Void
  ) throws -> ThresholdSearch {
    try ThresholdSearch(.largest, k, chunks)
  }

  private init(_ end: End, _ k: Int, _ chunks: (_ visit: (Tensor) throws -> Void) throws -> Void) throws {
    guard k >= 0 else { throw CompressError("cannot take \(k) values") }
    let flip = Self.flip(end)
    var prefix: UInt32 = 0
    var left = k  // how many are still to be taken among the values with this prefix
    var total: Int?
    // Bits that are known before the pass, and bits that it resolves.
    for (known, width) in [(0, 11), (11, 11), (22, 10)] as [(UInt32, UInt32)] {
      let shift = 32 - known - width
      var histogram = DigitHistogram(width: width)
      var seen = 0
      try chunks { chunk in
        seen += chunk.count
        try chunk.converted(to: .float32).withElements(Float.self) { values in
          if known == 0 {
            for i in values.indices where values[i].isNaN {
              throw CompressError("cannot rank NaN, at element \(i) of a tensor of shape \(chunk.shape)")
            }
          }
          histogram.add(values, flip: flip, known: known, prefix: prefix, shift: shift)
        }
      }
      guard total == nil || total == seen else {
        throw CompressError("the values to rank changed between two passes: \(total!) and then \(seen)")
      }
      total = seen
      guard k <= seen else { throw CompressError("cannot take \(k) of \(seen) values") }
      guard k > 0 else { break }
      var digit: UInt32 = 0
      for (value, count) in histogram.counts.enumerated() {
        digit = UInt32(value)
        if left <= count { break }
        left -= count
      }
      prefix = prefix << width | digit
    }
    self.end = end
    self.count = k
    self.total = total ?? 0
    threshold = k > 0 ? Self.value(prefix ^ flip) : nil
    ties = left
    tiesLeft = left
  }

  /// Which elements of the next chunk are taken: uint8, 1 where taken. Chunks come in the order in
  /// which they were searched, each once.
  public mutating func taken(from chunk: Tensor) -> Tensor {
    var out = Tensor(zeros: chunk.shape, dtype: .uint8)
    guard let threshold else { return out }
    let last = Self.key(threshold) ^ Self.flip(end), flip = Self.flip(end)
    var ties = tiesLeft
    chunk.converted(to: .float32).withElements(Float.self) { values in
      out.withMutable(UInt8.self) { out in
        for i in out.indices {
          let key = Self.key(values[i]) ^ flip
          out[i] = key < last ? 1 : 0
          if key == last, ties > 0 {
            ties -= 1
            out[i] = 1
          }
        }
      }
    }
    tiesLeft = ties
    return out
  }

  private static func flip(_ end: End) -> UInt32 { end == .smallest ? 0 : .max }

  /// Unsigned integers in the order of the floats. Adding zero makes -0 +0.
  @inline(__always)
  static func key(_ value: Float) -> UInt32 {
    let bits = (value + 0).bitPattern
    return bits ^ (UInt32(bitPattern: Int32(bitPattern: bits) >> 31) | 0x8000_0000)
  }

  @inline(__always)
  static func value(_ key: UInt32) -> Float {
    Float(bitPattern: key & 0x8000_0000 != 0 ? key ^ 0x8000_0000 : ~key)
  }
}

/// Counts one digit of the values' keys. Neighbouring values count into different tables, so that runs
/// of equal values do not wait for each other; values with another prefix count into a slot that is
/// never read, which is faster than a branch that cannot be foreseen.
private struct DigitHistogram {
  private static let tableCount = 4
  private var tables: [Int]
  private let size: Int

  init(width: UInt32) {
    size = 1 << Int(width)
    tables = Array(repeating: 0, count: Self.tableCount * (size + 1))
  }

  var counts: [Int] {
    (0..<size).map { digit in (0..<Self.tableCount).reduce(0) { $0 + tables[$1 * (size + 1) + digit] } }
  }

  mutating func add(_ values: UnsafeBufferPointer<Float>, flip: UInt32, known: UInt32, prefix: UInt32, shift: UInt32) {
    let size = size, digits = UInt32(size - 1)
    let knownBits = ~UInt32(0) << (32 - known), wanted = prefix << (32 - known)
    tables.withUnsafeMutableBufferPointer { tables in
      for i in values.indices {
        let key = ThresholdSearch.key(values[i]) ^ flip
        let slot = key & knownBits == wanted ? Int(key &>> shift & digits) : size
        tables[(i & (Self.tableCount - 1)) * (size + 1) + slot] += 1
      }
    }
  }
}
