/// Writes small ONNX files, byte by byte: for tests of what reads them.
public struct ONNXWriter {
  public enum Attribute {
    case integer(Int)
    case integers([Int])
    case float(Float)
    case text(String)
    case tensor([UInt8])
  }

  public var nodes: [[UInt8]] = []
  public var initializers: [[UInt8]] = []
  public var inputs: [[UInt8]] = []
  public var outputs: [[UInt8]] = []
  public var functions: [[UInt8]] = []
  public var version = 18
  /// Of operators besides the standard's.
  public var domains: [String] = []

  public init() {}

  // MARK: The wire format

  public static func varint(_ value: UInt64) -> [UInt8] {
    var rest = value, bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  public static func field(_ number: Int, _ value: Int) -> [UInt8] {
    varint(UInt64(number) << 3) + varint(UInt64(bitPattern: Int64(value)))
  }

  public static func field(_ number: Int, _ bytes: [UInt8]) -> [UInt8] {
    varint(UInt64(number) << 3 | 2) + varint(UInt64(bytes.count)) + bytes
  }

  public static func field(_ number: Int, _ text: String) -> [UInt8] { field(number, Array(text.utf8)) }

  public static func field(_ number: Int, _ value: Float) -> [UInt8] {
    varint(UInt64(number) << 3 | 5) + bytes([value])
  }

  private static func bytes(_ values: [Float]) -> [UInt8] {
    values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(8 * $0)) } }
  }

  // MARK: Messages

  public static func tensor(_ name: String, _ dims: [Int], _ values: [Float]) -> [UInt8] {
    dims.flatMap { field(1, $0) } + field(2, 1) + field(8, name) + field(9, bytes(values))
  }

  /// - Parameter element: the number of a type of integers; by default that of int64.
  public static func tensor(_ name: String, _ dims: [Int]?, integers: [Int], element: Int = 7) -> [UInt8] {
    (dims ?? [integers.count]).flatMap { field(1, $0) } + field(2, element)
      + integers.flatMap { field(element == 7 ? 7 : 5, $0) } + field(8, name)
  }

  /// In a file of its own.
  public static func tensor(_ name: String, _ dims: [Int], external: [(String, String)]) -> [UInt8] {
    dims.flatMap { field(1, $0) } + field(2, 1) + field(8, name)
      + external.flatMap { field(13, field(1, $0.0) + field(2, $0.1)) } + field(14, 1)
  }

  public static func value(_ name: String, _ dims: [Int?], element: Int = 1) -> [UInt8] {
    let shape = dims.enumerated().flatMap { axis, dim in field(1, dim.map { field(1, $0) } ?? field(2, "d\(axis)")) }
    return field(1, name) + field(2, field(1, field(1, element) + field(2, shape)))
  }

  public static func node(
    _ kind: String, _ inputs: [String], _ outputs: [String], _ attributes: [String: Attribute] = [:],
    domain: String = "", name: String = ""
  ) -> [UInt8] {
    var bytes = inputs.flatMap { field(1, $0) } + outputs.flatMap { field(2, $0) } + field(3, name) + field(4, kind)
    for (name, attribute) in attributes.sorted(by: { $0.key < $1.key }) {
      let value: [UInt8] =
        switch attribute {
        case .integer(let value): field(3, value) + field(20, 2)
        case .integers(let values): values.flatMap { field(8, $0) } + field(20, 7)
        case .float(let value): field(2, value) + field(20, 1)
        case .text(let text): field(4, text) + field(20, 3)
        case .tensor(let tensor): field(5, tensor) + field(20, 4)
        }
      bytes += field(5, field(1, name) + value)
    }
    return bytes + field(7, domain)
  }

  // MARK: A model

  /// - Parameter dims: nil for an axis that varies.
  /// - Parameter element: the number of its elements' type.
  public mutating func input(_ name: String, _ dims: [Int?], element: Int = 1) {
    inputs.append(Self.value(name, dims, element: element))
  }
  public mutating func output(_ name: String, element: Int = 1) {
    outputs.append(Self.value(name, [], element: element))
  }
  public mutating func weight(_ name: String, _ dims: [Int], _ values: [Float]) {
    initializers.append(Self.tensor(name, dims, values))
  }
  public mutating func integers(_ name: String, _ values: [Int], dims: [Int]? = nil, element: Int = 7) {
    initializers.append(Self.tensor(name, dims, integers: values, element: element))
  }
  public mutating func node(
    _ kind: String, _ inputs: [String], _ output: String, _ attributes: [String: Attribute] = [:], domain: String = ""
  ) {
    nodes.append(Self.node(kind, inputs, [output], attributes, domain: domain, name: "n_" + output))
  }

  public var bytes: [UInt8] {
    let graph =
      nodes.flatMap { Self.field(1, $0) } + Self.field(2, "graph") + initializers.flatMap { Self.field(5, $0) }
      + inputs.flatMap { Self.field(11, $0) } + outputs.flatMap { Self.field(12, $0) }
    return Self.field(1, 8) + Self.field(2, "tests") + Self.field(7, graph) + Self.field(8, Self.field(2, version))
      + domains.flatMap { Self.field(8, Self.field(1, $0) + Self.field(2, 1)) }
      + functions.flatMap { Self.field(25, $0) }
  }
}
