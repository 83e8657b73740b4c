import Diagnostics

/// Finds which k of many values are the smallest (or largest) without sorting or holding them: the
/// values pass by twice, in chunks, and are counted by their bits.
///
/// An order-preserving image of the float's 32 bits is resolved 16 bits at a time, so time is linear and memory
/// constant. The result is exact. Equal values (+0 and -0 are equal) are taken in
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
    for isFirst in [true, false] {
      var histogram = DigitHistogram()
      var seen = 0
      try chunks { chunk in
        seen += chunk.count
        try chunk.converted(to: .float32).withElements(Float.self) { values in
          if isFirst {
            if let nan = try Self.firstNaN(values) {
              throw CompressError("cannot rank NaN, at element \(nan) of a tensor of shape \(chunk.shape)")
            }
            histogram.addUpperHalves(values, flip: flip)
          } else {
            histogram.addLowerHalves(values, flip: flip, upper: prefix)
          }
        }
      }
      try Cancellation.checkCurrent()  // what was not all counted says nothing
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
      prefix = prefix << 16 | digit
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
    chunk.converted(to: .float32).withElements(Float.self) { values in
      out.withMutable(UInt8.self) { mark(values, into: $0, taken: 1, left: 0) }
    }
    return out
  }

  /// Like `taken(from:)`, into memory at hand and with marks of choice.
  ///
  /// - Precondition: as many marks as values.
  public mutating func mark(
    _ values: UnsafeBufferPointer<Float>, into marks: UnsafeMutableBufferPointer<UInt8>, taken: UInt8, left: UInt8
  ) {
    precondition(values.count == marks.count, "\(marks.count) marks for \(values.count) values")
    guard let threshold else { return marks.update(repeating: left) }
    guard let from = values.baseAddress, let to = marks.baseAddress else { return }
    // There is no NaN, so floats compare as their keys do. Sixteen at a time; ties one by one, since few are equal.
    let sixteen = SIMD16(repeating: threshold)
    let yes = SIMD16(repeating: Int32(taken)), no = SIMD16(repeating: Int32(left)), isSmallest = end == .smallest
    let even = values.count & ~15
    for part in Cancellation.runs(even) {  // of a multiple of 16 elements
      for start in stride(from: part.lowerBound, to: part.upperBound, by: 16) {
        let run = UnsafeRawPointer(from + start).loadUnaligned(as: SIMD16<Float>.self)
        let chosen = isSmallest ? run .< sixteen : run .> sixteen
        UnsafeMutableRawPointer(to + start).storeBytes(
          of: SIMD16<UInt8>(truncatingIfNeeded: no.replacing(with: yes, where: chosen)), as: SIMD16<UInt8>.self)
        if tiesLeft > 0, any(run .== sixteen) { takeTies(from, to, start..<start + 16, threshold, taken) }
      }
    }
    for i in even..<values.count {
      to[i] = (isSmallest ? from[i] < threshold : from[i] > threshold) ? taken : left
    }
    takeTies(from, to, even..<values.count, threshold, taken)
  }

  /// Takes values equal to the threshold, as long as there are any to take.
  private mutating func takeTies(
    _ from: UnsafePointer<Float>, _ to: UnsafeMutablePointer<UInt8>, _ range: Range<Int>, _ threshold: Float,
    _ taken: UInt8
  ) {
    for i in range where from[i] == threshold && tiesLeft > 0 {
      to[i] = taken
      tiesLeft -= 1
    }
  }

  private static func firstNaN(_ values: UnsafeBufferPointer<Float>) throws -> Int? {
    var greatest: Int32 = 0  // the magnitude's bits: those of NaN are greater than those of infinity
    for run in Cancellation.runs(values.count) {
      for i in run { greatest = max(greatest, Int32(bitPattern: values[i].bitPattern & 0x7FFF_FFFF)) }
    }
    return greatest > Int32(bitPattern: Float.infinity.bitPattern) ? try values.firstHeeding(where: \.isNaN) : nil
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

/// Counts halves of the values' keys.
private struct DigitHistogram {
  private static let size = 1 << 16
  /// Neighbouring values count into different tables, so that runs of equal values do not wait for each other.
  private var tables = [Int](repeating: 0, count: 2 * size)

  var counts: [Int] { (0..<Self.size).map { tables[$0] + tables[$0 + Self.size] } }

  mutating func addUpperHalves(_ values: UnsafeBufferPointer<Float>, flip: UInt32) {
    guard let from = values.baseAddress else { return }
    tables.withUnsafeMutableBufferPointer { tables in
      let table = tables.baseAddress!
      for run in Cancellation.runs(values.count) {
        for i in run {
          let key = ThresholdSearch.key(from[i]) ^ flip
          table[(i & 1) &* Self.size &+ Int(key &>> 16)] &+= 1
        }
      }
    }
  }

  /// Of the values with that upper half, of which there are few as a rule: runs without any are passed over by range.
  mutating func addLowerHalves(_ values: UnsafeBufferPointer<Float>, flip: UInt32, upper: UInt32) {
    let (first, last) = (upper << 16 ^ flip, (upper << 16 | 0xFFFF) ^ flip)
    // Keys beyond those of the infinities are NaN's, which compares with nothing.
    let (low, high) = (ThresholdSearch.value(min(first, last)), ThresholdSearch.value(max(first, last)))
    let lowest = SIMD16(repeating: low.isNaN ? -Float.infinity : low)
    let highest = SIMD16(repeating: high.isNaN ? Float.infinity : high)
    tables.withUnsafeMutableBufferPointer { tables in
      func count(_ range: Range<Int>) {
        for i in range {
          let key = ThresholdSearch.key(values[i]) ^ flip
          if key &>> 16 == upper { tables[(i & 1) &* Self.size &+ Int(key & 0xFFFF)] &+= 1 }
        }
      }
      let even = values.count & ~15
      for part in Cancellation.runs(even) {  // of a multiple of 16 elements
        for start in stride(from: part.lowerBound, to: part.upperBound, by: 16) {
          let run = UnsafeRawPointer(values.baseAddress! + start).loadUnaligned(as: SIMD16<Float>.self)
          if any((run .>= lowest) .& (run .<= highest)) { count(start..<start + 16) }
        }
      }
      count(even..<values.count)
    }
  }
}
