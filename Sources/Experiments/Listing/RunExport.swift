import Runs
import Diagnostics
import Foundation
import Reports

/// Rows of runs for other programs: as CSV (RFC 4180) or as JSON, one row a run and variant.
public struct RunExport {
  public enum Format: Sendable { case csv, json }

  private let format: Format
  private let params: [String]
  private let write: (String) throws -> Void
  private var count = 0

  /// - Parameters:
  ///   - params: the columns for params, in CSV.
  ///   - write: receives the text piece by piece.
  public init(_ format: Format, params: [String], write: @escaping (String) throws -> Void) {
    self.format = format
    self.params = params
    self.write = write
  }

  /// Before the first row.
  public func begin() throws {
    switch format {
    case .json: try write("[")
    case .csv:
      let columns =
        ["id", "uid", "sweep", "point", "script", "seed", "threads", "status", "error", "started", "seconds", "folder"]
        + params.map { "param.\($0)" } + ["variant"] + Metric.allCases.map(\.name) + ["name", "tags", "note"]
      try write(CSV.line(columns))
    }
  }

  public mutating func add(_ row: RunRow) throws {
    count += 1
    switch format {
    case .csv: try write(csv(row))
    case .json: try write((count == 1 ? "\n" : ",\n") + Self.json(row))
    }
  }

  /// After the last row.
  public func end() throws {
    if format == .json { try write("\n]\n") }
  }

  private func csv(_ row: RunRow) -> String {
    let run: [String] = [
      String(row.id), row.uid, row.sweep.map { String($0) } ?? "", row.point.map { String($0) } ?? "", row.script,
      String(row.seed), String(row.threads), row.status.rawValue, row.error ?? "", Self.time(row.started),
      CSV.number(row.seconds), row.folder ?? "",
    ]
    let values = params.map { row.params[$0]?.text ?? "" }
    return CSV.line(
      run + values + [row.variant?.name ?? ""] + Metric.allCases.map { row.variant?[$0].map(CSV.number) ?? "" }
        + [row.name ?? "", row.tags.joined(separator: " "), row.note ?? ""])
  }

  private struct JSONRow: Encodable {
    let id: Int64
    let uid: String
    let sweep: Int64?
    let point: Int?
    let script: String
    let seed: UInt64
    let threads: Int
    let status: String
    let error: String?
    let started: String
    let seconds: Double
    let folder: String?
    let params: [String: ParamValue]
    let variant: String?
    let metrics: [String: Double]
    let name, note: String?
    let tags: [String]
  }

  private static func json(_ row: RunRow) throws -> String {
    let metrics = Metric.allCases.compactMap { metric in row.variant?[metric].map { (metric.name, $0) } }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let data = try encoder.encode(
      JSONRow(
        id: row.id, uid: row.uid, sweep: row.sweep, point: row.point, script: row.script, seed: row.seed,
        threads: row.threads, status: row.status.rawValue, error: row.error, started: time(row.started),
        seconds: row.seconds, folder: row.folder, params: row.params, variant: row.variant?.name,
        metrics: Dictionary(uniqueKeysWithValues: metrics), name: row.name, note: row.note, tags: row.tags))
    return String(decoding: data, as: UTF8.self)
  }

  private static func time(_ date: Date) -> String { RunText.time(date) }
}

/// Comma-separated values as RFC 4180 has them, with plain line ends.
enum CSV {
  static func line(_ fields: [String]) -> String { fields.map(field).joined(separator: ",") + "\n" }

  /// Spreadsheets take a cell for a formula that begins with one of these, in either width.
  private static let formulas = Set("=+-@\t\r\n＝＋－＠".unicodeScalars)

  /// What looks like a formula and is no number gets an apostrophe in front, which spreadsheets show as text.
  private static func inert(_ text: String) -> String {
    guard let first = text.unicodeScalars.first, formulas.contains(first), Double(text) == nil else { return text }
    return "'" + text
  }

  private static func field(_ content: String) -> String {
    let text = inert(content)
    let isSpecial = text.unicodeScalars.contains { ",\"".unicodeScalars.contains($0) || Character($0).isNewline }
    guard isSpecial else { return text }
    return "\"" + text.replacingScalars(["\"": "\"\""]) + "\""
  }

  /// Whole numbers without a fraction, others so that they read back the same.
  static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int(saturating: value)) : String(value)
  }
}
