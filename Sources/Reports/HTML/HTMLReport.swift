import Diagnostics
import Files
import Foundation

/// What `results.json` says, for people: one HTML file that opens without a network.
///
/// All text that comes out of scripts and files is escaped, and the page's policy admits no scripts but its own,
/// by their digests, and no requests at all. The same results and library give the same bytes.
public struct HTMLReport {
  private let results: ResultsFile
  private let charts: ChartLibrary?

  /// - Parameter charts: nil for tables only; the report then says how to get charts.
  public init(_ results: ResultsFile, charts: ChartLibrary?) {
    self.results = results
    self.charts = charts
  }

  public func rendered() throws -> String {
    try PageTemplate.render(reportTemplate, try ReportPage(results, charts: charts))
  }

  /// Writes it whole or not at all.
  public func write(to path: String) throws { try AtomicFile.write(Array(try rendered().utf8), to: path) }
}
