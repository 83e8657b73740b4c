import Diagnostics
import Files
import Foundation

/// How long layers take on a machine, by what they compute and their shapes: what `compress bench --table` has measured,
/// and nothing else. What is not in it is not known.
public struct LatencyTable: Sendable, Equatable, Codable {
  /// The machine, and with how many threads: other numbers are another table's.
  public struct Machine: Sendable, Hashable, Codable {
    public var name: String
    /// As `InstructionSet` has it.
    public var isa: String
    public var threads: Int

    public init(name: String, isa: String, threads: Int) {
      self.name = name
      self.isa = isa
      self.threads = threads
    }
  }

  /// A step of a plan, as far as its time depends on it; of one sample.
  public struct Key: Sendable, Hashable, Codable {
    /// What runs, for instance `conv 3x3, relu`, and in which numbers.
    public var operation, arithmetic: String
    public var inputs: [[Int]]
    public var output: [Int]
    /// Multiply-accumulates, which tell groups apart; and the function that runs.
    public var macs: Int
    public var kernel: String

    public init(operation: String, arithmetic: String, inputs: [[Int]], output: [Int], macs: Int, kernel: String) {
      (self.operation, self.arithmetic, self.inputs, self.output) = (operation, arithmetic, inputs, output)
      (self.macs, self.kernel) = (macs, kernel)
    }

    /// `conv 3x3, relu of 28x28x1 to 28x28x8, int8`
    public var text: String {
      let shapes = inputs.map { $0.map(String.init).joined(separator: "x") }.joined(separator: " and ")
      return "\(operation) of \(shapes) to \(output.map(String.init).joined(separator: "x")), \(arithmetic)"
    }
  }

  public private(set) var machine: Machine
  private var times: [Key: Double]

  public init(_ machine: Machine) {
    self.machine = machine
    times = [:]
  }

  public var count: Int { times.count }
  /// Milliseconds; nil where it was not measured.
  public subscript(key: Key) -> Double? { times[key] }

  /// Adds what was measured, in place of what was known of the same.
  ///
  /// - Returns: how many of them were not known.
  /// - Precondition: milliseconds are finite and not negative.
  @discardableResult
  public mutating func add(_ measured: [(key: Key, milliseconds: Double)]) -> Int {
    let before = count
    for (key, all) in Dictionary(grouping: measured, by: \.key) {
      // The same layer may occur several times.
      let sorted = all.map(\.milliseconds).sorted()
      precondition(sorted.allSatisfy { $0.isFinite && $0 >= 0 })
      times[key] = sorted[(sorted.count - 1) / 2]
    }
    return count - before
  }

  // MARK: Files

  private static let format = "compress latency table", version = 1, mostBytes = 16 << 20, mostEntries = 1 << 16

  private struct Entry: Codable {
    var operation, arithmetic: String
    var inputs: [[Int]]
    var output: [Int]
    var macs: Int
    var kernel: String
    var ms: Double
  }

  private enum CodingKeys: String, CodingKey { case format, version, machine, layers }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func wrong(_ what: String) -> DecodingError {
      .dataCorruptedError(forKey: .layers, in: container, debugDescription: what)
    }
    guard try container.decode(String.self, forKey: .format) == Self.format,
      try container.decode(Int.self, forKey: .version) == Self.version
    else { throw wrong("another format") }
    machine = try container.decode(Machine.self, forKey: .machine)
    let layers = try container.decode([Entry].self, forKey: .layers)
    guard layers.count <= Self.mostEntries, (1...65_536).contains(machine.threads) else { throw wrong("too many") }
    times = [:]
    for layer in layers {
      let extents = layer.inputs.joined() + layer.output
      guard layer.inputs.count <= 1024, layer.inputs.allSatisfy({ $0.count <= 8 }), layer.output.count <= 8,
        extents.allSatisfy({ (1...1 << 40).contains($0) }), layer.macs >= 0, layer.ms.isFinite, layer.ms >= 0,
        layer.ms < 1e9
      else { throw wrong("a layer whose numbers are none") }
      let key = Key(
        operation: layer.operation, arithmetic: layer.arithmetic, inputs: layer.inputs, output: layer.output,
        macs: layer.macs, kernel: layer.kernel)
      guard times.updateValue(layer.ms, forKey: key) == nil else { throw wrong("\(key.text) is there twice") }
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Self.format, forKey: .format)
    try container.encode(Self.version, forKey: .version)
    try container.encode(machine, forKey: .machine)
    try container.encode(entries, forKey: .layers)
  }

  private var entries: [Entry] {
    times.map { key, milliseconds in
      Entry(
        operation: key.operation, arithmetic: key.arithmetic, inputs: key.inputs, output: key.output, macs: key.macs,
        kernel: key.kernel, ms: milliseconds)
    }.sorted {
      ($0.operation, $0.arithmetic, $0.macs, "\($0.inputs) \($0.output) \($0.kernel)")
        < ($1.operation, $1.arithmetic, $1.macs, "\($1.inputs) \($1.output) \($1.kernel)")
    }
  }

  /// A line for each layer, so that people see what changed.
  public func text() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    func json(_ value: some Encodable) throws -> String { String(decoding: try encoder.encode(value), as: UTF8.self) }
    let layers = try entries.map { "  " + (try json($0)) }.joined(separator: ",\n")
    return "{\"format\": \(try json(Self.format)), \"version\": \(Self.version),\n\"machine\": \(try json(machine)),\n"
      + "\"layers\": [\n\(layers)\n]}\n"
  }

  /// - Throws: `CompressError` when it is no such table.
  public init(text: String) throws {
    guard text.utf8.count <= Self.mostBytes else {
      throw CompressError("a latency table of \(text.utf8.count) bytes", kind: .input)
    }
    try BoundedJSON.check(Array(text.utf8), values: 32 * Self.mostEntries, depth: 8)
    do { self = try JSONDecoder().decode(Self.self, from: Data(text.utf8)) } catch DecodingError.dataCorrupted(
      let wrong)
    {
      throw CompressError(
        "is no latency table: \(wrong.debugDescription.escapedForTerminal.shortened(to: 200))", kind: .input)
    } catch {
      throw CompressError("is no latency table, which compress bench --table writes", kind: .input)
    }
  }

  /// - Throws: `CompressError` with the file when it cannot be read or is none.
  public init(file path: String) throws {
    self = try atFile(path) {
      guard try Folders.size(ofFile: path) <= Self.mostBytes else {
        throw CompressError("is too large for a latency table", kind: .input)
      }
      let text = try MappedFile(path).withBytes { String(decoding: $0, as: UTF8.self) }
      return try LatencyTable(text: text)
    }
  }

  public func write(to path: String) throws { try AtomicFile.write(try text().utf8, to: path) }
}
