import Diagnostics
import Tensors

/// What a model's inputs and outputs mean, for whoever runs it; what it computes does not depend on it.
public struct ModelSignature: Sendable, Hashable {
  /// A name for each score of the first output, in their order; nil where nobody said.
  public let classes: [String]?
  public let preprocessing: Preprocessing?
  /// nil where the model came from no file that others read.
  public let interface: ModelInterface?

  /// Bytes of a name.
  static let longestName = 512
  /// Bytes of all names.
  static let longestNames = 1 << 20

  public static let unknown = ModelSignature()

  private init() {
    classes = nil
    preprocessing = nil
    interface = nil
  }

  /// - Throws: `CompressError` when a name is empty, too long or there twice.
  public init(classes: [String]?, preprocessing: Preprocessing?, interface: ModelInterface? = nil) throws {
    var seen = Set<String>(), bytes = 0
    for (index, name) in (classes ?? []).enumerated() {
      guard (1...Self.longestName).contains(name.utf8.count) else {
        throw CompressError(
          "the name of class \(index + 1) has \(name.utf8.count) bytes; it may have 1 to \(Self.longestName)",
          kind: .input)
      }
      guard seen.insert(name).inserted else {
        throw CompressError(
          "two classes are called \"\(name.escapedForTerminal.shortened(to: 80))\"", kind: .input)
      }
      bytes += name.utf8.count
    }
    guard bytes <= Self.longestNames else {
      throw CompressError("names of classes of \(bytes) bytes; at most \(Self.longestNames) are taken", kind: .input)
    }
    self.classes = classes
    self.preprocessing = preprocessing
    self.interface = interface
  }

  /// What this one says, and where it says nothing what another one does.
  public func over(_ other: ModelSignature) -> ModelSignature {
    ModelSignature(
      known: classes ?? other.classes, preprocessing ?? other.preprocessing, interface ?? other.interface)
  }

  /// - Precondition: all were checked.
  private init(known classes: [String]?, _ preprocessing: Preprocessing?, _ interface: ModelInterface?) {
    self.classes = classes
    self.preprocessing = preprocessing
    self.interface = interface
  }

  /// What of it is about a network.
  public func fitting(_ graph: Graph) -> ModelSignature {
    ModelSignature(
      known: Self.mismatch(of: classes, graph) == nil ? classes : nil,
      Self.mismatch(of: preprocessing, graph) == nil ? preprocessing : nil,
      interface?.mismatch(graph) == nil ? interface : nil)
  }

  /// - Throws: `CompressError` with the numbers when there are not as many names as scores, the images are not those
  ///   that the network takes, or inputs and outputs are others.
  public func check(_ graph: Graph) throws {
    if let text = Self.mismatch(of: classes, graph) ?? Self.mismatch(of: preprocessing, graph)
      ?? interface?.mismatch(graph)
    {
      throw CompressError(text, kind: .input)
    }
  }

  private static func mismatch(of classes: [String]?, _ graph: Graph) -> String? {
    guard let classes else { return nil }
    let scores = graph.outputShapes.first?.dims.last ?? 1
    return classes.count == scores ? nil : "\(classes.count) names of classes for \(scores) scores"
  }

  private static func mismatch(of preprocessing: Preprocessing?, _ graph: Graph) -> String? {
    guard let preprocessing else { return nil }
    let image: Shape = [preprocessing.height, preprocessing.width, preprocessing.channels.count]
    let taken = graph.inputs.map { graph.shape(of: $0) }
    let shapes = taken.map(\.description).joined(separator: ", ")
    return taken == [image]
      ? nil : "preprocessing to images of shape \(image) for a network that takes \(shapes)"
  }
}
