import Diagnostics

/// How the file that a model came from holds its inputs and outputs, so that one written in that format again can be
/// used in its place: names, order of axes and type of elements. What the model computes does not depend on it.
public struct ModelInterface: Sendable, Hashable, Codable {
  /// What an input or output is made of in the file; of the model's own it is float32.
  public enum Element: String, Sendable, Hashable, Codable {
    case float32, float16, bfloat16, float64
    case uint8, int8, uint16, int16, uint32, int32, uint64, int64, bool
  }

  /// An input or output.
  public struct Value: Sendable, Hashable, Codable {
    /// In the model.
    public let value: String
    /// In the file.
    public let name: String
    /// Axis `i` of the model's value is axis `order[i]` of the file's; both without the batch.
    public let order: [Int]
    /// Whether the file's has the batch as its first axis.
    public let hasBatch: Bool
    public let element: Element
    /// Whether integers stand for themselves, as indices and pixels do, rather than for numbers of a scale: those are
    /// quantized as the model's value is.
    public var isPlain: Bool { plain ?? false }
    private let plain: Bool?

    public init(
      _ value: String, name: String, order: [Int], hasBatch: Bool = true, element: Element = .float32,
      isPlain: Bool = false
    ) {
      self.value = value
      self.name = name
      self.order = order
      self.hasBatch = hasBatch
      self.element = element
      plain = isPlain ? true : nil
    }

    private enum CodingKeys: String, CodingKey { case value, name, order, hasBatch = "batch", element, plain }
  }

  /// Bytes of a name.
  static let longestName = 512

  /// What the format's files are called after their dot.
  public let format: String
  /// In the order of the model's inputs and outputs.
  public let inputs: [Value]
  public let outputs: [Value]

  public init(format: String, inputs: [Value], outputs: [Value]) {
    self.format = format
    self.inputs = inputs
    self.outputs = outputs
  }

  /// What speaks against its being about a network.
  func mismatch(_ graph: Graph) -> String? {
    for (named, known, what) in [(inputs, graph.inputs, "input"), (outputs, graph.outputs, "output")] {
      guard named.map(\.value) == known else { return "\(what)s of the file that are not the network's" }
      for value in named {
        let shown = "\(what) \"\(value.name.escapedForTerminal.shortened(to: 80))\""
        guard (1...Self.longestName).contains(value.name.utf8.count) else {
          return "the name of an \(what) has \(value.name.utf8.count) bytes; it may have 1 to \(Self.longestName)"
        }
        guard value.order.sorted() == Array(0..<graph.shape(of: value.value).rank) else {
          return "\(shown) with its axes in the order \(value.order), of shape \(graph.shape(of: value.value))"
        }
      }
    }
    return nil
  }
}
