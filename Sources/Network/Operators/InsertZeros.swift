import Diagnostics
import Tensors

/// Zeros between the pixels of an image: `[h, w, c]` → `[(h - 1) * spacing + 1, …, c]`.
public struct InsertZeros: OperatorSpec {
  public var largestOutput: Int { 1 << 25 }
  public static let kind = "insert_zeros"
  public var asOperator: Operator { .insertZeros(self) }

  /// How far apart the pixels are set; 1 for neighbours.
  public var spacing: Size2D

  public init(_ spacing: Size2D) { self.spacing = spacing }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    let (height, width, channels) = try inputs[0].image()
    guard (1...1024).contains(spacing.height), (1...1024).contains(spacing.width), height > 0, width > 0 else {
      throw CompressError("cannot set the pixels of shape \(inputs[0]) \(spacing.height)x\(spacing.width) apart")
    }
    return [try Shape(checking: [(height - 1) * spacing.height + 1, (width - 1) * spacing.width + 1, channels])]
  }

  /// Where in the output each row of channels lies, in the order of the input's pixels.
  public func positions(_ input: Shape) -> [Int] {
    let (height, width, channels) = (input[0], input[1], input[2]), line = ((width - 1) * spacing.width + 1) * channels
    return (0..<height).flatMap { y in
      (0..<width).map { x in y * spacing.height * line + x * spacing.width * channels }
    }
  }

  public var preserves: Preserved { [.zero, .selection, .scale] }
  public var quantization: QuantizationRule { .ofInput }
  public func formatVersion(_ inputs: [Shape]) -> UInt32 { 3 }
  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling { .carried(outputs[0]) }
}

extension Graph {
  /// The same function with every transposed convolution as zeros between the pixels and a plain convolution of the same
  /// name: what training, plans and references compute.
  public func insertingZeros() throws -> Graph {
    var taken = Set(nodes.flatMap { [$0.name] + $0.outputs })
    let nodes = nodes.flatMap { node -> [Node] in
      guard case .conv2d(var conv) = node.op, conv.isTransposed else { return [node] }
      var name = node.name + " spread", plain = node
      while !taken.insert(name).inserted { name += "'" }
      let spread = Node(name, .insertZeros(InsertZeros(conv.inputDilation)), node.inputs)
      conv.inputDilation = Size2D(1)
      plain.op = .conv2d(conv)
      plain.inputs = [name]
      return [spread, plain]
    }
    return nodes.count == self.nodes.count ? self : try Graph(nodes, outputs: outputs)
  }
}

extension Model {
  /// The same with every transposed convolution as zeros between the pixels and a plain convolution.
  public func insertingZeros() throws -> Model {
    let graph = try graph.insertingZeros()
    return graph.nodes.count == self.graph.nodes.count ? self : try replacing(graph)
  }
}
