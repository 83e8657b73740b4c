import Diagnostics
import Files
import Foundation
import Network
import Tensors

/// What a packed file says of a model beside its numbers. What follows from the graph (which parameters there are,
/// their order and shapes) is not said.
struct PackedDescription: Codable, Sendable {
  /// One parameter.
  struct Entry: Codable, Sendable {
    /// `float32`, `float16`, `bfloat16`, `int8`, `int32` or `codes`.
    let type: String
    /// Of integers that have fewer than their type.
    var bits: Int?
    var scales: Scales?
    /// As many as scales.
    var zeroPoints: [Int8]?
    /// How many values the table of codes has.
    var table: Int?
    /// In its place: how many values it has, where these are whole multiples of one step; only the step stands among
    /// the numbers.
    var steps: Int?
    /// The code whose value is nearest to zero, which codes are told from; absent for 0.
    var zero: Int?
    var mask: Mask?
    var structure: SparsityStructure?

    private enum CodingKeys: String, CodingKey {
      case type, bits, scales, zeroPoints = "zero_points", table, steps, zero, mask, structure
    }
  }

  enum Scales: String, Codable, Sendable {
    /// One for all, or one for each index of axis 0.
    case one, each
    /// Those of the layer's weight, times that of the layer's first input.
    case derived
  }

  enum Mask: String, Codable, Sendable {
    /// The values that are not zero are kept.
    case nonzero
    /// A tensor of its own: 1 where it says otherwise.
    case own
  }

  let graph: Graph
  /// In the order of the nodes, and of their operators' parameters.
  let parameters: [Entry]
  /// By value of the graph: the zero point; null where it is not quantized. Absent when none is.
  let activations: [Int?]?
  /// Of those that are, where some have not 8.
  let activationBits: [Int]?
  /// By value: how many levels it is rounded to, or null. Absent when none is.
  let levels: [Int?]?
  let classes: [String]?
  let preprocessing: Preprocessing?
  let interface: ModelInterface?

  private enum CodingKeys: String, CodingKey {
    case graph, parameters, activations, activationBits = "activation_bits", levels, classes, preprocessing, interface
  }

  /// Compact, with sorted keys: equal descriptions give equal bytes.
  func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self))
  }

  /// Numbers, texts, lists and objects, as many as the native file may have.
  private static let mostValues = 1 << 21

  /// - Throws: `CompressError` when the bytes are no description.
  init(json bytes: [UInt8]) throws {
    do {
      try BoundedJSON.check(bytes, values: Self.mostValues)
      self = try JSONDecoder().decode(PackedDescription.self, from: Data(bytes))
    } catch let error as CompressError {
      throw error
    } catch {
      throw CompressError(
        "broken description of the model: \("\(error)".escapedForTerminal.shortened(to: 300))", kind: .input)
    }
  }

  init(
    graph: Graph, parameters: [Entry], activations: [Int?]?, activationBits: [Int]?, levels: [Int?]?,
    signature: ModelSignature
  ) {
    self.graph = graph
    self.parameters = parameters
    self.activations = activations
    self.activationBits = activationBits
    self.levels = levels
    classes = signature.classes
    preprocessing = signature.preprocessing
    interface = signature.interface
  }
}
