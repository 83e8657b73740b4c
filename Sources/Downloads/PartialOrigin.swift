import Diagnostics
import Files
import Foundation

/// Where the bytes of a partial file came from, kept beside it: an address, and what tells whether the file there is
/// still the same (its ETag, else its date; RFC 9110, 13.1.5).
enum PartialOrigin {
  private static func path(_ part: PartialFile) -> String { part.path + ".from" }

  /// For an `If-Range` header; nil when another address was asked, or its answer said nothing.
  static func tag(of part: PartialFile, from url: URL) -> String? {
    guard let text = try? String(contentsOfFile: path(part), encoding: .utf8) else { return nil }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count == 2, lines[0] == Secrets.removed(from: url.absoluteString), !lines[1].isEmpty else { return nil }
    return String(lines[1])
  }

  static func remember(_ answer: HTTPTransfer.Answer, of part: PartialFile, from url: URL) throws {
    // A weak tag says nothing about bytes.
    let strong = answer.headers["etag"].flatMap { $0.hasPrefix("\"") ? $0 : nil }
    let tag = (strong ?? answer.headers["last-modified"] ?? "").filter { !$0.isNewline }
    try AtomicFile.write("\(Secrets.removed(from: url.absoluteString))\n\(tag)".utf8, to: path(part))
  }

  static func forget(_ part: PartialFile) { try? FileManager.default.removeItem(atPath: path(part)) }
}
