import Diagnostics
import Tensors

/// Values that are few: a code for each, and the table that says what the codes stand for.
public struct CodedValues: Sendable {
  /// uint8.
  public let codes: Tensor
  /// 1 to 256 finite values.
  public let table: [Float]

  /// - Throws: `CompressError` when the table is empty, too long or not finite, or a code lies beyond it.
  public init(codes: Tensor, table: [Float]) throws {
    guard codes.dtype == .uint8 else { throw CompressError("codes stored as \(codes.dtype)", kind: .input) }
    guard (1...256).contains(table.count) else {
      throw CompressError("a table has 1 to 256 values, not \(table.count)", kind: .input)
    }
    if let bad = table.first(where: { !$0.isFinite }) {
      throw CompressError("a table with the value \(bad)", kind: .input)
    }
    if let code = codes.withElements(UInt8.self, { $0.first { $0 >= table.count } }) {
      throw CompressError("code \(code) in a table of \(table.count) values", kind: .input)
    }
    self.codes = codes
    self.table = table
  }

  /// The nearest of the levels for each value.
  public init(_ values: Tensor, levels: RoundingLevels) throws {
    var codes = Tensor(zeros: values.shape, dtype: .uint8)
    values.withElements(Float.self) { values in
      codes.withMutable(UInt8.self) { codes in
        for run in Cancellation.runs(codes.count) {
          for i in run { codes[i] = UInt8(levels.index(of: values[i])) }
        }
      }
    }
    try self.init(codes: codes, table: levels.values)
  }

  /// What it takes to tell the values apart.
  public var bits: Int { Self.bits(forTableOf: table.count) }

  /// What it takes to tell so many values apart.
  public static func bits(forTableOf count: Int) -> Int { max(1, Int.bitWidth - (count - 1).leadingZeroBitCount) }

  public var decoded: Tensor {
    var out = Tensor(zeros: codes.shape)
    codes.withElements(UInt8.self) { codes in
      out.withMutable(Float.self) { out in
        for run in Cancellation.runs(out.count) { for i in run { out[i] = table[Int(codes[i])] } }
      }
    }
    return out
  }

  var nonzeroCount: Int { codes.withElements(UInt8.self) { $0.count { table[Int($0)] != 0 } } }
}
