import Diagnostics
import Tensors

/// Networks by name, untrained. Each entry says where it comes from.
public enum Zoo {
  public struct Entry: Sendable {
    public let name: String
    public let summary: String
    public let initializer: WeightInitializer
    /// The structure for samples of the given shape and number of classes.
    public let graph: @Sendable (_ input: Shape, _ classes: Int) throws -> Graph
    public let defaultInput: Shape
  }

  public static let entries: [Entry] = [labCNN, quickCNN, lenet300100]

  /// - Throws: `CompressError` with the nearest name when there is no such network.
  public static func entry(_ name: String) throws -> Entry {
    if let entry = entries.first(where: { $0.name == name }) { return entry }
    throw CompressError("no network \"\(name)\" in the zoo" + Suggestion.text(for: name, among: entries.map(\.name)))
  }

  /// The CNN of the edge lab (and of TensorFlow's pruning and quantization tutorials): one
  /// convolution, one pooling, one dense layer. 20,410 parameters on MNIST.
  static let labCNN = Entry(
    name: "lab_cnn", summary: "conv 12@3x3, max-pool, dense: 20,410 parameters on MNIST",
    initializer: .glorotUniform,
    graph: { input, classes in
      var net = GraphBuilder(input: input)
      net.conv2d(filters: 12, kernel: 3, name: "conv")
      net.activation(.relu, name: "relu")
      net.maxPool(2, name: "pool")
      net.flatten(name: "flatten")
      net.dense(classes, name: "dense")
      return try net.graph()
    }, defaultInput: [28, 28, 1])

  /// A small CNN with batch norms and a second convolution, for quick starts on small images.
  static let quickCNN = Entry(
    name: "quick_cnn", summary: "two convolutions with batch norm, one dense layer: 9,170 parameters on 28x28",
    initializer: .heNormal,
    graph: { input, classes in
      var net = GraphBuilder(input: input)
      for (index, filters) in [8, 16].enumerated() {
        net.conv2d(filters: filters, kernel: 3, padding: .same, bias: false, name: "conv\(index + 1)")
        net.batchNorm(name: "norm\(index + 1)")
        net.activation(.relu, name: "relu\(index + 1)")
        net.maxPool(2, name: "pool\(index + 1)")
      }
      net.flatten(name: "flatten")
      net.dense(classes, name: "dense")
      return try net.graph()
    }, defaultInput: [28, 28, 1])

  /// LeCun et al. 1998: two hidden layers of 300 and 100 units. 266,610 parameters on MNIST.
  static let lenet300100 = Entry(
    name: "lenet_300_100", summary: "dense 300, 100, classes with ReLU: 266,610 parameters on MNIST",
    initializer: .glorotUniform,
    graph: { input, classes in
      var net = GraphBuilder(input: input)
      net.flatten(name: "flatten")
      net.dense(300, name: "fc1")
      net.activation(.relu, name: "relu1")
      net.dense(100, name: "fc2")
      net.activation(.relu, name: "relu2")
      net.dense(classes, name: "fc3")
      return try net.graph()
    }, defaultInput: [28, 28, 1])
}
