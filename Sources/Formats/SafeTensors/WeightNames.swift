import Network
import Tensors

/// What a network's parameters are called in a PyTorch state dict, and how they lie there.
///
/// A layer's name and `weight` or `bias`; batch norms have `weight`, `bias`, `running_mean`, `running_var`.
/// Convolutions are OIHW there and OHWI here. A dense layer behind a flattened image has its columns in the order
/// channel, row, column there and row, column, channel here.
struct WeightNames {
  struct Place {
    let layer: String
    let role: ParameterRole
    let name: String
    /// As stored in a file.
    let shape: Shape
    let layout: Layout
  }

  enum Layout {
    case same
    case convolution
    /// Columns are the pixels of an image of that shape.
    case flattened(height: Int, width: Int, channels: Int)
  }

  /// In the graph's order.
  let places: [Place]

  init(_ graph: Graph) {
    places = graph.nodes.flatMap { node in
      graph.parameterSpecs(of: node).map { spec in
        let layout = spec.role == .weight ? Self.layout(of: node, in: graph) : .same
        var shape = spec.shape
        if case .convolution = layout { shape = [shape[0], shape[3], shape[1], shape[2]] }
        return Place(
          layer: node.name, role: spec.role, name: "\(node.name).\(Self.suffix(spec.role))", shape: shape,
          layout: layout)
      }
    }
  }

  private static func suffix(_ role: ParameterRole) -> String {
    switch role {
    case .weight, .gamma: "weight"
    case .bias, .beta: "bias"
    case .mean: "running_mean"
    case .variance: "running_var"
    case .weightScale, .outputScale: role.rawValue
    }
  }

  private static func layout(of node: Node, in graph: Graph) -> Layout {
    if case .conv2d = node.op { return .convolution }
    // Back through what leaves a vector's order as it is.
    var source = graph[node.inputs[0]]!
    while true {
      let shape = graph.inputShapes(of: source).first
      switch source.op {
      case .activation, .dropout, .batchNorm: source = graph[source.inputs[0]]!
      case .flatten where shape!.rank == 3:
        let (height, width, channels) = (shape![0], shape![1], shape![2])
        return height * width == 1 || channels == 1
          ? .same : .flattened(height: height, width: width, channels: channels)
      default: return .same
      }
    }
  }
}

extension WeightNames.Place {
  /// From a file's layout to the network's.
  func imported(_ tensor: Tensor) throws -> Tensor {
    switch layout {
    case .same: tensor
    case .convolution: try tensor.transposed([0, 2, 3, 1]).contiguous()
    case .flattened(let height, let width, let channels):
      try tensor.reshaped([shape[0], channels, height, width]).transposed([0, 2, 3, 1]).reshaped(shape.dims)
    }
  }

  /// From the network's layout to a file's.
  func exported(_ tensor: Tensor) throws -> Tensor {
    switch layout {
    case .same: tensor
    case .convolution: try tensor.transposed([0, 3, 1, 2]).contiguous()
    case .flattened(let height, let width, let channels):
      try tensor.reshaped([shape[0], height, width, channels]).transposed([0, 3, 1, 2]).reshaped(shape.dims)
    }
  }
}
