import Foundation
import Reports

extension Terminal {
  /// One JSON value and a line's end, for other programs; keys are sorted.
  func writeJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    writeVerbatim(String(decoding: try encoder.encode(value), as: UTF8.self) + "\n")
  }
}
