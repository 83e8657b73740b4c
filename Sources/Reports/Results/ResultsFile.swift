import Diagnostics
import Files
import Foundation
import Kernels
import Pipeline

/// `results.json`, as docs/results.md describes it. Keys are never renamed, only added.
public struct ResultsFile: Codable, Sendable {
  public static let version = 4

  public var format = "compress results"
  public var version = Self.version
  /// When the measurements ended, ISO 8601, UTC.
  public var created: String
  public var run: Run
  public var machine: Machine
  /// Where variants were timed, if not there; missing in files of older versions.
  public var device: DeviceRecord?
  public var comparison: Setting
  public var variants: [Variant]
  /// How variants were pruned, round by round; missing where none was, and in files of older versions.
  public var pruning: [Course]?
  /// What the script scanned; missing likewise.
  public var sensitivity: [Scan]?

  /// What was run, so that it can be repeated.
  public struct Run: Codable, Sendable {
    public var script: String
    /// SHA-256 of the script's text.
    public var scriptDigest: String
    public var params: [String: ParamValue]
    public var seed: UInt64
    public var threads: Int
    public var version: String
    /// The arguments that repeat it, the program's name first, without the credentials of addresses; nil in files of
    /// older versions.
    public var command: [String]?

    public init(
      script: String, scriptDigest: String, params: [String: ParamValue], seed: UInt64, threads: Int, version: String,
      command: [String]? = nil
    ) {
      self.script = script
      self.scriptDigest = scriptDigest
      self.params = params.mapValues(\.withoutSecrets)
      self.seed = seed
      self.threads = threads
      self.version = version
      self.command = command?.map(Secrets.removed)
    }

    private enum CodingKeys: String, CodingKey {
      case script, scriptDigest = "script_sha256", params, seed, threads, version = "compress_version", command
    }
  }

  public struct Machine: Codable, Sendable {
    public var cpu: String
    public var cores: Int
    public var isa: String

    public init(cpu: String, cores: Int, isa: String) {
      self.cpu = cpu
      self.cores = cores
      self.isa = isa
    }

    /// This one.
    public init() {
      let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
      let model = info.split(separator: "\n").first { $0.hasPrefix("model name") }?.split(separator: ":").last
      cpu = model?.trimmingCharacters(in: .whitespaces) ?? "unknown"
      cores = ProcessInfo.processInfo.activeProcessorCount
      isa = InstructionSet.current.reportName
    }
  }

  public struct Setting: Codable, Sendable {
    public var data: String
    public var evaluated: Int
    /// How many classes the data has; nil in files of older versions.
    public var classes: Int?
    public var images: Int
    public var order: String
    public var warmUp: Int
    public var cooldownSeconds: Double
    /// As many as were asked for; nil in files of older versions, which have one.
    public var turns: Int?
    public var threads: Int

    private enum CodingKeys: String, CodingKey {
      case data, evaluated, classes, images, order, warmUp = "warm_up", cooldownSeconds = "cooldown_s", turns, threads
    }
  }

  /// Whether the data has no labels, so that the first variant is the measure of the others.
  public var isByAgreement: Bool { variants.contains { $0.agreement != nil } }

  public init(_ result: ComparisonOutcome, run: Run, machine: Machine = Machine(), created: Date = Date()) {
    self.created = ISO8601DateFormatter().string(from: created)
    self.run = run
    self.machine = machine
    device = result.device
    comparison = Setting(
      data: result.data, evaluated: result.evaluated, classes: result.classes, images: result.images,
      order: result.order.rawValue,
      warmUp: result.warmUp, cooldownSeconds: result.cooldown, turns: result.turns, threads: result.threads)
    let first = result.variants.first
    variants = result.variants.enumerated().map { index, variant in
      Variant(variant, evaluated: result.evaluated, first: index == 0 ? nil : first)
    }
    let isByAgreement = isByAgreement
    pruning =
      result.courses.isEmpty ? nil : result.courses.map { Course($0, isByAgreement: isByAgreement) }
    sensitivity = result.scans.isEmpty ? nil : result.scans.map(Scan.init)
  }

  /// Writes it whole or not at all.
  public func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    try AtomicFile.write(try encoder.encode(self) + [0x0A], to: path)
  }

  /// Bytes of a file, and values in it: every timed image is one.
  private static let longest = 1 << 30, mostValues = 1 << 26

  /// - Throws: `CompressError` naming the file when it is no results file of a version this program knows.
  public static func read(_ path: String) throws -> ResultsFile {
    try atFile(path) {
      guard Folders.isFile(path) else { throw CompressError("cannot be read", kind: .input) }
      let mapped = try MappedFile(path, limit: longest)
      try mapped.withBytes { try BoundedJSON.check($0, values: mostValues) }
      let data = mapped.withBytes { Data($0) }
      do {
        let file = try JSONDecoder().decode(ResultsFile.self, from: data)
        guard file.version <= Self.version else {
          throw CompressError("results of version \(file.version); this program knows \(Self.version)", kind: .input)
        }
        return file
      } catch let error as DecodingError {
        throw CompressError("is no results file: \(error)", kind: .input)
      }
    }
  }
}
