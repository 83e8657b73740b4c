import Diagnostics
import Files
import Foundation
import Pipeline
import Runs

/// Where a sweep lives: `sweep.json`, `table.csv`, `index.html`, and `points/0001` with each point's files.
///
/// What a worker found out is in its point's `outcome.json`, which appears whole or not at all; everything else can be
/// made again from those.
public struct SweepFolder: Sendable {
  public let path: String

  public init(_ path: String) { self.path = Folders.absolute(path) }

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

  /// What its worker is at.
  static func progressName(of point: Int) -> String { "\(name(of: point))/progress.txt" }

  public func outcomePath(of point: Int) -> String { "\(folder(of: point))/outcome.json" }
  func jobPath(of point: Int) -> String { "\(folder(of: point))/job.json" }
  public func logPath(of point: Int) -> String { "\(folder(of: point))/log.txt" }

  /// The sweep's folder, whatever lies in it: none of its links is followed.
  func held() throws -> HeldFolder { try HeldFolder(path) }

  private static let definitionName = "sweep.json", outcomeName = "outcome.json", jobName = "job.json"

  /// Bytes and values of each file, at most: of a definition, those of 100,000 points with many params.
  private static let longestDefinition = 256 << 20, mostDefinitionValues = 1 << 23
  private static let longestOutcome = 64 << 20, mostOutcomeValues = 1 << 21
  private static let longestJob = 1 << 20

  /// Whether a sweep began here.
  public var hasDefinition: Bool { (try? held())?.has(Self.definitionName) ?? false }

  /// - Throws: `CompressError` when there is none that can be believed, see `SweepDefinition.check()`.
  public func definition() throws -> SweepDefinition {
    guard
      let definition: SweepDefinition = try read(
        Self.definitionName, "sweep", limit: Self.longestDefinition, values: Self.mostDefinitionValues)
    else { throw CompressError("cannot be read", kind: .input).at(file: definitionPath) }
    try atFile(definitionPath) { try definition.check() }
    return definition
  }

  /// For this user alone: params may hold what is nobody else's business.
  func write(_ definition: SweepDefinition) throws { try write(definition, to: Self.definitionName, mode: 0o600) }

  func write(job point: SweepDefinition.Point) throws {
    try write(point, to: "\(Self.name(of: point.number))/\(Self.jobName)", mode: 0o600)
  }

  func job(_ number: Int) throws -> SweepDefinition.Point {
    let name = "\(Self.name(of: number))/\(Self.jobName)"
    guard
      let job: SweepDefinition.Point = try read(name, "point of a sweep", limit: Self.longestJob, values: 1 << 14)
    else { throw CompressError("cannot be read", kind: .input).at(file: jobPath(of: number)) }
    guard job.number == number else {
      throw CompressError("is point \(job.number)'s", kind: .input).at(file: jobPath(of: number))
    }
    return job
  }

  /// What came of a point; nil when it has not ended yet.
  ///
  /// A record that was written by somebody else is believed as far as it goes: it must be this point's, its folder is
  /// where it lies now, and its files are those of that folder that still are what it says.
  ///
  /// - Parameter refused: hears of files that are not.
  /// - Throws: `CompressError` when there is a file and it is no record of this point.
  public func outcome(
    of point: SweepDefinition.Point, in definition: SweepDefinition, refused: (String) -> Void = { _ in }
  ) throws -> RunRecord? {
    let name = "\(Self.name(of: point.number))/\(Self.outcomeName)"
    guard
      var record: RunRecord = try read(
        name, "run's record", limit: Self.longestOutcome, values: Self.mostOutcomeValues)
    else { return nil }
    guard record.uid == definition.uid(of: point), record.seed == point.seed else {
      throw CompressError("is another run's record: \(record.uid.escapedForTerminal.shortened(to: 60))", kind: .input)
        .at(file: outcomePath(of: point.number))
    }
    record = record.withoutSecrets
    record.folder = folder(of: point.number)
    if !record.artifacts.isEmpty {
      let folder = try held().folder(Self.name(of: point.number))
      record.artifacts = record.artifacts.filter { artifact in
        guard let problem = artifact.problem(in: folder) else { return true }
        refused("point \(point.number): \(problem)")
        return false
      }
    }
    return record
  }

  func write(outcome: RunRecord, of point: Int) throws {
    try write(outcome, to: "\(Self.name(of: point))/\(Self.outcomeName)")
  }

  /// The last bytes of what a worker said; nothing when there is no log.
  func endOfLog(of point: Int, bytes: Int) -> String {
    let end = try? held().end(of: Self.name(of: point) + "/log.txt", bytes: bytes)
    return end.map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  /// What a worker that runs is at; nil where it has not said.
  func progress(of point: Int) -> String? {
    guard let bytes = try? held().contents(Self.progressName(of: point), limit: 4096) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  func removeProgress(of point: Int) { try? held().remove(Self.progressName(of: point)) }

  func removeOutcome(of point: Int) throws { try held().remove("\(Self.name(of: point))/\(Self.outcomeName)") }

  private func read<Value: Decodable>(_ name: String, _ what: String, limit: Int, values: Int) throws -> Value? {
    guard let bytes = try held().contents(name, limit: limit) else { return nil }
    return try atFile("\(path)/\(name)") {
      try BoundedJSON.check(bytes, values: values)
      do { return try JSONDecoder().decode(Value.self, from: Data(bytes)) } catch {
        throw CompressError("is no \(what): \("\(error)".escapedForTerminal.shortened(to: 300))", kind: .input)
      }
    }
  }

  private func write(_ value: some Encodable, to name: String, mode: mode_t = 0o666) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    try held().write(try encoder.encode(value) + [0x0A], to: name, mode: mode)
  }
}

extension RunRecord.Artifact {
  /// A model's file; more is not read into memory to be sent.
  private static let largest = 4 << 30

  /// The file's content, which is what was recorded.
  ///
  /// - Throws: `CompressError` when it is outside the folder, behind a link, no regular file or another one by now.
  func content(in folder: HeldFolder) throws -> [UInt8] {
    guard bytes >= 0, bytes <= Self.largest else {
      throw CompressError("\(bytes) bytes; at most \(Self.largest) are read", kind: .limit)
    }
    guard let content = try folder.contents(path, limit: bytes) else {
      throw CompressError("is not there any more", kind: .input)
    }
    guard content.count == bytes, Digest.of(content) == sha256 else {
      throw CompressError("is not what was recorded", kind: .input)
    }
    return content
  }

  /// Why the file is not to be believed; nil when it is.
  fileprivate func problem(in folder: HeldFolder) -> String? {
    do {
      _ = try content(in: folder)
      return nil
    } catch {
      let reason = (error as? CompressError)?.message ?? "\(error)"
      return "the file \"\(path.escapedForTerminal.shortened(to: 80))\" is left out: \(reason)"
    }
  }
}
