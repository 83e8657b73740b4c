import Diagnostics
import Tensors

/// Networks by name, untrained. Each entry says where it comes from.
///
/// Layers are called as in the PyTorch or Keras implementation that is commonly trained, so that trained weights
/// find their place by name.
public enum Zoo {
  public struct Entry: Sendable {
    /// Options beyond the input and the number of classes.
    public enum Option: String, Sendable, CaseIterable { case stem, classifier, width, dropout, depth, upsampling }

    /// What a network tells of its input.
    public enum Task: Sendable {
      /// One score for each class.
      case classification
      /// One for each class and pixel.
      case segmentation
      /// Scores of classes and boxes, for each pixel of several scales.
      case detection
      /// The input itself: there are no classes.
      case reconstruction
    }

    public let name: String
    public let summary: String
    public let initialization: Initialization
    public let defaults: ZooOptions
    public let options: Set<Option>
    public let task: Task
    private let build: @Sendable (inout GraphBuilder, ZooOptions) -> Void

    init(
      _ name: String, _ summary: String, _ initialization: Initialization, _ defaults: ZooOptions,
      _ options: Set<Option> = [], task: Task = .classification,
      build: @escaping @Sendable (inout GraphBuilder, ZooOptions) -> Void
    ) {
      self.name = name
      self.summary = summary
      self.initialization = initialization
      self.defaults = defaults
      self.options = options
      self.task = task
      self.build = build
    }

    /// The same network with other defaults.
    func preset(_ name: String, _ summary: String, _ change: (inout ZooOptions) -> Void) -> Entry {
      var defaults = defaults
      change(&defaults)
      return Entry(name, summary, initialization, defaults, options, task: task, build: build)
    }

    /// The structure.
    ///
    /// - Throws: `CompressError` naming the layer at which the input is too small, or an option out of range.
    public func graph(_ options: ZooOptions) throws -> Graph {
      guard (1...1 << 20).contains(options.classes) else { throw CompressError("\(options.classes) classes") }
      guard (0.01...16).contains(options.width) else {
        throw CompressError("width \(options.width) is not from 0.01 to 16")
      }
      guard (0..<1).contains(options.dropout) else {
        throw CompressError("dropout \(options.dropout) is not from 0 to below 1")
      }
      guard (1...8).contains(options.depth) else { throw CompressError("depth \(options.depth) is not from 1 to 8") }
      var net = GraphBuilder(input: options.input)
      build(&net, options)
      return try net.graph()
    }

    /// The structure for samples of the given shape and number of classes.
    public func graph(_ input: Shape, _ classes: Int) throws -> Graph {
      var options = defaults
      options.input = input
      options.classes = classes
      return try graph(options)
    }
  }

  public static let entries: [Entry] = [
    labCNN, quickCNN, lenet300100, lenet5, resnet8, resnet20, resnet32, resnet56, resnet18, resnet18CIFAR, resnet50,
    vgg16, vgg16BN, vgg16BNCIFAR, mobilenetV1, mobilenetV2, mobilenetV3Small, mobilenetV3Large, efficientnetB0,
    efficientnetLite0, squeezenet11, shufflenetV2, densenet121, regnetY400MF, convnextTiny, deitTiny, inceptionV3,
    inceptionV375, dsCNN, autoencoder, unet, detector,
  ]

  /// - Throws: `CompressError` with the nearest name when there is no such network.
  public static func entry(_ name: String) throws -> Entry {
    if let entry = entries.first(where: { $0.name == name }) { return entry }
    throw CompressError(
      "no network \"\(name.escapedForTerminal)\" in the zoo" + Suggestion.text(for: name, among: entries.map(\.name)))
  }
}
