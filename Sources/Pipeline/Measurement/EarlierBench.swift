import Diagnostics
import Files
import Foundation

/// What `compress bench --json` told another time, to be compared with.
public struct EarlierBench: Sendable, Decodable {
  struct Layer: Sendable, Decodable {
    let layer: String
    let milliseconds: Double

    private enum CodingKeys: String, CodingKey { case layer, milliseconds = "p50_ms" }
  }

  public let model, precision: String
  public let threads, batch: Int
  public let p50: Double
  private let layers: [Layer]?

  private enum CodingKeys: String, CodingKey { case model, precision, threads, batch, p50 = "p50_ms", layers }

  /// - Throws: `CompressError` when the file cannot be read or is none of those.
  public init(file path: String) throws {
    let data = try MappedFile(path).withBytes { bytes in
      guard bytes.count <= 64 << 20 else { throw CompressError("\(bytes.count) bytes are no report").at(file: path) }
      return Data(bytes)
    }
    do { self = try JSONDecoder().decode(Self.self, from: data) } catch {
      throw CompressError("it is not what compress bench --json writes", kind: .input).at(file: path)
    }
    guard ([p50] + (layers ?? []).map(\.milliseconds)).allSatisfy({ $0.isFinite && $0 >= 0 }), p50 > 0 else {
      throw CompressError("its times are no times", kind: .input).at(file: path)
    }
  }

  /// In what it differs from a report by more than its times, for people; empty when in nothing.
  public func differences(from report: BenchReport) -> [String] {
    let pairs = [
      ("model", model, report.model), ("precision", precision, report.precision),
      ("threads", "\(threads)", "\(report.threads)"), ("batch", "\(batch)", "\(report.batch)"),
    ]
    return pairs.filter { $0.1 != $0.2 }.map { "\($0.0) \($0.1), now \($0.2)" }
  }

  /// Milliseconds of each of a report's layers, nil for those that were not there; of equal names in their order.
  public func milliseconds(of report: [BenchReport.Layer]) -> [Double?] {
    var known = Dictionary(grouping: layers ?? [], by: \.layer).mapValues { $0.map(\.milliseconds)[...] }
    return report.map { known[$0.layer]?.popFirst() }
  }

  public var hasLayers: Bool { layers != nil }
}
