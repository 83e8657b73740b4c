import Diagnostics
import Foundation

/// Chart.js as the system's package installs it, to be inlined in reports.
public struct ChartLibrary: Sendable {
  /// The minified source, safe inside a script element.
  public let source: String
  public let version: String

  /// Debian and Ubuntu's package; the text of reports without charts names it.
  public static let package = "libjs-chart.js"

  /// Where packages put it: versions 3 and 4.
  public static let paths = [
    "/usr/share/javascript/chart.js/chart.min.js",
    "/usr/share/javascript/chart.js/chart.umd.js",
    "/usr/share/nodejs/chart.js/dist/chart.min.js",
    "/usr/share/nodejs/chart.js/dist/chart.umd.js",
  ]

  /// The first of the files that is there and usable; nil when none is.
  public static func installed(at paths: [String] = Self.paths) -> ChartLibrary? {
    for path in paths {
      guard let data = FileManager.default.contents(atPath: path) else { continue }
      if let library = ChartLibrary(source: String(decoding: data, as: UTF8.self)) { return library }
    }
    return nil
  }

  /// Nil unless the text introduces itself as Chart.js 3 or 4 and holds nothing that would end a script element.
  public init?(source: String) {
    guard let tag = source.prefix(400).firstMatch(of: #/Chart\.js v([34]\.[0-9]+\.[0-9]+)/#) else { return nil }
    let lower = source.lowercased()
    guard !lower.contains("</script"), !lower.contains("<!--") else { return nil }
    // Browsers read CR LF as LF; the digest that admits the script is of what they read.
    self.source = source.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
    version = String(tag.output.1)
  }
}
