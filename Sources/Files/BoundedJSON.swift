import Diagnostics

/// A look at JSON from outside before it is taken apart: decoders keep tens of bytes for every value, and recurse into
/// what is nested.
public enum BoundedJSON {
  /// Counts in one pass, without keeping anything. Whether it is JSON at all is for the decoder to say.
  ///
  /// - Parameters:
  ///   - values: most numbers, strings, lists and objects together, names of fields included.
  ///   - depth: most lists and objects inside each other.
  /// - Throws: `CompressError` of kind `.limit` when there are more.
  public static func check(_ bytes: UnsafeRawBufferPointer, values: Int, depth: Int = 32) throws {
    var found = 1, open = 0, at = 0
    while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: "\""):
        at += 1
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
      case UInt8(ascii: ","), UInt8(ascii: ":"): found += 1
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        found += 1
        open += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"): open -= 1
      default: break
      }
      guard found <= values else { throw CompressError("JSON of more than \(values) values", kind: .limit) }
      guard open <= depth else { throw CompressError("JSON nested more than \(depth) deep", kind: .limit) }
      at += 1
    }
  }

  public static func check(_ bytes: [UInt8], values: Int, depth: Int = 32) throws {
    try bytes.withUnsafeBytes { try check($0, values: values, depth: depth) }
  }
}
