import Diagnostics
import Tensors

extension CodedValues {
  /// Whole steps of one width, at most 256 of them from the least to the greatest, zero among them.
  ///
  /// - Parameter levels: int8.
  public init(levels: Tensor, step: Float) throws {
    let (low, high) = levels.withElements(Int8.self) { levels in
      levels.reduce(into: (0, 0)) { $0 = (min($0.0, Int($1)), max($0.1, Int($1))) }
    }
    var codes = Tensor(zeros: levels.shape, dtype: .uint8)
    levels.withElements(Int8.self) { levels in
      codes.withMutable(UInt8.self) { codes in
        for run in Cancellation.runs(codes.count) { for i in run { codes[i] = UInt8(Int(levels[i]) - low) } }
      }
    }
    try self.init(codes: codes, table: Self.table(step: step, zero: -low, count: high - low + 1))
  }

  /// Whole multiples of a step; the code `zero` is that of 0.
  public static func table(step: Float, zero: Int, count: Int) -> [Float] {
    (0..<count).map { Float($0 - zero) * step }
  }

  /// The step of a table that has whole multiples of one, each the next after the one before, and the code of 0; nil of
  /// other tables.
  public var steps: (step: Float, zero: Int)? {
    guard table.count > 1, let zero = table.firstIndex(of: 0) else { return nil }
    let step = zero + 1 < table.count ? table[zero + 1] : -table[zero - 1]
    guard step > 0 else { return nil }
    let even = Self.table(step: step, zero: zero, count: table.count)
    return even.map(\.bitPattern) == table.map(\.bitPattern) ? (step, zero) : nil
  }
}
