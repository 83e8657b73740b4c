import Diagnostics
import Foundation
import LuaHost
import Pipeline
import Reports

/// Everything that is remembered about one run of a script: what was asked for, where it ran, and what came out.
///
/// Workers hand it over as a JSON file; the run store keeps it.
public struct RunRecord: Codable, Sendable, Equatable {
  public enum Status: String, Codable, Sendable, CaseIterable {
    case done, failed, stopped
  }

  /// Where it ran.
  public struct Environment: Codable, Sendable, Hashable {
    public var cpu: String
    public var cores: Int
    public var isa: String
    /// `Linux 6.1.0`, say.
    public var system: String
    public var program: String
    public var lua: String

    public init(cpu: String, cores: Int, isa: String, system: String, program: String, lua: String) {
      self.cpu = cpu
      self.cores = cores
      self.isa = isa
      self.system = system
      self.program = program
      self.lua = lua
    }

    /// This one.
    ///
    /// - Parameter program: the version of this program.
    public init(program: String) {
      let machine = ResultsFile.Machine()
      var name = utsname()
      uname(&name)
      self.init(
        cpu: machine.cpu, cores: machine.cores, isa: machine.isa,
        system: Self.text(&name.sysname) + " " + Self.text(&name.release), program: program, lua: LuaState.version)
    }

    private static func text<Characters>(_ characters: inout Characters) -> String {
      withUnsafeBytes(of: &characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
  }

  /// A stage of a variant that was compared, or of a leaf of the graph.
  public struct Stage: Codable, Sendable, Equatable {
    public var key: String
    public var kind: String
    public var label: String
    /// How long it took when it was computed, by this run or another.
    public var seconds: Double
    /// Whether this run computed it; otherwise it came from the store.
    public var isComputed: Bool

    public init(key: String, kind: String, label: String, seconds: Double, isComputed: Bool) {
      self.key = key
      self.kind = kind
      self.label = label
      self.seconds = seconds
      self.isComputed = isComputed
    }

    private enum CodingKeys: String, CodingKey { case key, kind, label, seconds, isComputed = "computed" }
  }

  /// What was found out about one variant.
  public struct Variant: Codable, Sendable, Equatable {
    public var name: String
    /// Finite; what is no number counts as not measured.
    private var metrics: [String: Double]
    /// The median of each turn it was timed in, milliseconds; nil where that was not kept, as in the run store.
    public private(set) var turnMedians: [Double]?

    public init(name: String, metrics: [Metric: Double], turnMedians: [Double]? = nil) {
      self.name = name
      self.turnMedians = turnMedians
      self.metrics = Dictionary(uniqueKeysWithValues: metrics.map { ($0.rawValue, $1) }).filter { $0.value.isFinite }
    }

    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      name = try container.decode(String.self, forKey: .name)
      metrics = try container.decode([String: Double].self, forKey: .metrics).filter { $0.value.isFinite }
      turnMedians = try container.decodeIfPresent([Double].self, forKey: .turnMedians)
    }

    private enum CodingKeys: String, CodingKey { case name, metrics, turnMedians = "turns_p50_ms" }

    public subscript(metric: Metric) -> Double? { metrics[metric.rawValue] }

    /// By what it was judged: accuracy, or agreement with the run's first variant where there were no labels.
    public var measure: Metric { self[.accuracy] == nil && self[.agreement] != nil ? .agreement : .accuracy }
    /// Its share of that.
    public var share: Double? { self[measure] }
  }

  /// A file that the run wrote.
  public struct Artifact: Codable, Sendable, Equatable {
    /// Below the run's folder.
    public var path: String
    public var bytes: Int
    public var sha256: String

    public init(path: String, bytes: Int, sha256: String) {
      self.path = path
      self.bytes = bytes
      self.sha256 = sha256
    }
  }

  /// What whoever ran it says of it, to find it again.
  public struct Labels: Codable, Sendable, Hashable {
    public var name: String?
    /// Sorted, each once.
    public var tags: [String]
    public var note: String?

    /// Characters.
    private static let longestName = 80, longestNote = 2000, mostTags = 32

    /// - Throws: `CompressError` when a text is empty or too long, or a tag or name has characters that conditions and
    ///   shells take for something else.
    public init(name: String? = nil, tags: [String] = [], note: String? = nil) throws {
      for (kind, text) in [("name", name)] + tags.map({ ("tag", $0) }) {
        guard let text else { continue }
        guard (1...Self.longestName).contains(text.count),
          text.allSatisfy({ $0.isLetter || $0.isNumber || "-_.:+/ ".contains($0) })
        else {
          throw CompressError(
            "the \(kind) \"\(text.escapedForTerminal.shortened(to: 40))\" may have 1 to \(Self.longestName) letters, digits, "
              + "spaces and - _ . : + /")
        }
        guard kind != "name" || Int(text) == nil else {
          throw CompressError("the name \"\(text)\" would be taken for the number of a run")
        }
      }
      guard tags.count <= Self.mostTags else {
        throw CompressError("\(tags.count) tags; at most \(Self.mostTags) are taken")
      }
      if let note, !(1...Self.longestNote).contains(note.count) {
        throw CompressError("a note of \(note.count) characters; it may have 1 to \(Self.longestNote)")
      }
      self.name = name
      self.tags = Set(tags).sorted()
      self.note = note
    }

    public var isEmpty: Bool { name == nil && tags.isEmpty && note == nil }
  }

  /// What names it everywhere: hexadecimal for a plain run, the sweep's and a number for a point of a sweep.
  public var uid: String
  public var script: String
  /// SHA-256 of the script's text; nil when it could not be read.
  public var scriptDigest: String?
  public var params: [String: ParamValue] {
    didSet { params = params.mapValues(\.withoutSecrets) }
  }
  public var seed: UInt64
  public var threads: Int
  public var status = Status.stopped
  /// Without the credentials of addresses in it, as `command` and the texts of `params`.
  public var error: String? {
    didSet { error = error.map(Secrets.removed) }
  }
  public var started: Date
  public var seconds: Double = 0
  /// `--out`, as an absolute path.
  public var folder: String?
  /// The arguments that repeat it, the program's name first.
  public var command: [String] {
    didSet { command = command.map(Secrets.removed) }
  }
  public var environment: Environment
  /// Plugins by name, with the SHA-256 of their files.
  public var plugins: [String: String] = [:]
  public var stages: [Stage] = []
  public var variants: [Variant] = []
  public var artifacts: [Artifact] = []
  /// nil where nobody said anything.
  public var labels: Labels?

  public init(
    uid: String, script: String, params: [String: ParamValue] = [:], seed: UInt64, threads: Int, started: Date,
    folder: String? = nil, command: [String] = [], environment: Environment
  ) {
    self.uid = uid
    self.script = script
    // Observers do not see what an initializer sets.
    self.params = params.mapValues(\.withoutSecrets)
    self.seed = seed
    self.threads = threads
    self.started = started
    self.folder = folder
    self.command = command.map(Secrets.removed)
    self.environment = environment
  }

  /// Without the credentials of addresses, wherever it came from: what is decoded is taken as it is.
  public var withoutSecrets: RunRecord {
    var copy = self
    // Their observers do it.
    (copy.command, copy.params, copy.error) = (command, params, error)
    return copy
  }

  /// A new name for a plain run.
  public static func newID() -> String {
    let digits = String(UInt64.random(in: 0...(.max)), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

extension RunRecord.Variant {
  init(_ result: VariantResult) {
    self.init(
      name: result.name,
      metrics: [
        // The share means another thing where there were no labels.
        result.agreement == nil ? .accuracy : .agreement: result.accuracy,
        .flips: Double(result.flips), .parameters: Double(result.parameters),
        .nonzero: Double(result.nonzeroWeights), .macs: Double(result.macs), .nativeBytes: Double(result.nativeBytes),
        .gzipBytes: Double(result.gzipBytes), .mean: result.timing.mean, .p50: result.timing.p50,
        .p90: result.timing.p90, .p99: result.timing.p99, .memory: Double(result.timing.peakMemoryBytes),
      ], turnMedians: result.timing.medians)
  }
}
