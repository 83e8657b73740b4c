import Network
import Tensors

/// What a network's parameters are called in a PyTorch state dict, and how they lie there.
///
/// A layer's name and `weight` or `bias`; batch norms have `weight`, `bias`, `running_mean`, `running_var`; a constant
/// is called as its layer.
/// Convolutions are OIHW there and OHWI here. Behind a flattened image a dense layer's columns and a batch norm's
/// elements are in the order channel, row, column there and row, column, channel here.
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
    /// The last axis runs over the elements of a vector in that order.
    case vector(VectorOrder)
  }

  /// In the graph's order.
  let places: [Place]

  /// - Throws: `CompressError` naming the layer where the order of a vector's elements is not the same here and there,
  ///   and no order of the weights makes up for it.
  init(_ graph: Graph) throws {
    let orders = try VectorOrder.all(in: graph)
    places = graph.nodes.filter { $0.sharing == nil }.flatMap { node in
      graph.parameterSpecs(of: node).map { spec in
        let layout = Self.layout(of: spec.role, node, orders)
        var shape = spec.shape
        if case .convolution = layout { shape = [shape[0], shape[3], shape[1], shape[2]] }
        return Place(
          layer: node.name, role: spec.role, name: Self.name(node.name, spec.role), shape: shape, layout: layout)
      }
    }
  }

  private static func name(_ layer: String, _ role: ParameterRole) -> String {
    switch role {
    case .weight, .gamma, .slope: "\(layer).weight"
    case .bias, .beta: "\(layer).bias"
    case .mean: "\(layer).running_mean"
    case .variance: "\(layer).running_var"
    case .constant, .embedding: layer
    case .weightScale, .outputScale: "\(layer).\(role.rawValue)"
    }
  }

  private static func layout(of role: ParameterRole, _ node: Node, _ orders: [String: VectorOrder]) -> Layout {
    // What is there for each element of a layer's input: nil for images, which have one for each channel.
    let order = node.inputs.first.flatMap { orders[$0] }.flatMap { $0.isSame ? nil : $0 }
    return switch (node.op, role) {
    case (.conv2d, .weight): .convolution
    case (.dense, .weight), (.batchNorm, _): order.map(Layout.vector) ?? .same
    default: .same
    }
  }
}

extension WeightNames.Place {
  /// From a file's layout to the network's.
  func imported(_ tensor: Tensor) throws -> Tensor {
    switch layout {
    case .same: tensor
    case .convolution: try tensor.transposed([0, 2, 3, 1]).contiguous()
    case .vector(let order): try tensor.gathered(axis: tensor.rank - 1, order.places)
    }
  }

  /// From the network's layout to a file's.
  func exported(_ tensor: Tensor) throws -> Tensor {
    switch layout {
    case .same: return tensor
    case .convolution: return try tensor.transposed([0, 3, 1, 2]).contiguous()
    case .vector(let order):
      let places = order.places
      var elements = [Int](repeating: 0, count: places.count)
      for (element, place) in places.enumerated() { elements[place] = element }
      return try tensor.gathered(axis: tensor.rank - 1, elements)
    }
  }
}
