import Diagnostics
import Files
import Foundation
import Pipeline

/// Where a sweep lives: `sweep.json`, `table.csv`, `index.html`, and `points/0001` with each point's files.
///
/// What a worker found out is in its point's `outcome.json`, which appears whole or not at all; everything else can be
/// made again from those.
public struct SweepFolder: Sendable {
  public let path: String

  public init(_ path: String) { self.path = ScriptRun.absolute(path) }

  public var definitionPath: String { "\(path)/sweep.json" }
  public var tablePath: String { "\(path)/table.csv" }
  public var pagePath: String { "\(path)/index.html" }
  var lockPath: String { "\(path)/.lock" }

  public func folder(of point: Int) -> String { "\(path)/\(Self.name(of: point))" }

  /// Below the sweep's folder.
  static func name(of point: Int) -> String {
    let digits = String(point)
    return "points/" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  public func outcomePath(of point: Int) -> String { "\(folder(of: point))/outcome.json" }
  func jobPath(of point: Int) -> String { "\(folder(of: point))/job.json" }
  public func logPath(of point: Int) -> String { "\(folder(of: point))/log.txt" }

  /// Whether a sweep began here.
  public var hasDefinition: Bool { Folders.isFile(definitionPath) }

  public func definition() throws -> SweepDefinition {
    let definition: SweepDefinition = try Self.read(definitionPath, "sweep")
    guard definition.version <= SweepDefinition.version else {
      throw CompressError("is of a newer version of this program", kind: .input).at(file: definitionPath)
    }
    return definition
  }

  func write(_ definition: SweepDefinition) throws { try Self.write(definition, to: definitionPath) }

  func write(job point: SweepDefinition.Point) throws {
    try Folders.create(folder(of: point.number))
    try Self.write(point, to: jobPath(of: point.number))
  }

  func job(_ number: Int) throws -> SweepDefinition.Point { try Self.read(jobPath(of: number), "point of a sweep") }

  /// What came of a point; nil when it has not ended yet.
  public func outcome(of point: Int) throws -> RunRecord? {
    guard Folders.isFile(outcomePath(of: point)) else { return nil }
    return try Self.read(outcomePath(of: point), "run's record") as RunRecord
  }

  func write(outcome: RunRecord, of point: Int) throws {
    try Folders.create(folder(of: point))
    try Self.write(outcome, to: outcomePath(of: point))
  }

  func removeOutcome(of point: Int) throws {
    do { try FileManager.default.removeItem(atPath: outcomePath(of: point)) } catch {
      throw CompressError("cannot remove: \(error.localizedDescription)", kind: .system).at(
        file: outcomePath(of: point))
    }
  }

  private static func read<Value: Decodable>(_ path: String, _ what: String) throws -> Value {
    try atFile(path) {
      guard let data = FileManager.default.contents(atPath: path) else {
        throw CompressError("cannot be read", kind: .input)
      }
      do { return try JSONDecoder().decode(Value.self, from: data) } catch {
        throw CompressError("is no \(what): \(error)", kind: .input)
      }
    }
  }

  private static func write(_ value: some Encodable, to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    try AtomicFile.write(try encoder.encode(value) + [0x0A], to: path)
  }
}
