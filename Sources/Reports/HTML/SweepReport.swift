import Diagnostics
import Files
import Foundation

/// A sweep for people: one HTML file beside its points' reports, which opens without a network.
///
/// It is made as `HTMLReport` is, and as safe.
public struct SweepReport {
  private let results: SweepResults
  private let charts: ChartLibrary?

  /// - Parameter charts: nil for tables only.
  public init(_ results: SweepResults, charts: ChartLibrary?) {
    self.results = results
    self.charts = charts
  }

  public func rendered() throws -> String {
    try PageTemplate.render(sweepTemplate, try SweepPage(results, charts: charts))
  }

  /// Writes it whole or not at all.
  public func write(to path: String) throws { try AtomicFile.write(Array(try rendered().utf8), to: path) }
}
