import Diagnostics
import Network
import Tensors

/// In which order PyTorch has the elements of a vector.
///
/// An image that is flattened becomes row, column, channel here and channel, row, column there. What follows takes the
/// order along: activations and batch norms as it is, a concatenation one part after the other. A dense layer mixes all
/// elements; behind it both orders are the same.
struct VectorOrder: Equatable {
  enum Part: Equatable {
    /// So many elements that lie alike.
    case same(Int)
    /// The pixels of an image.
    case image(height: Int, width: Int, channels: Int)

    var count: Int {
      switch self {
      case .same(let count): count
      case .image(let height, let width, let channels): height * width * channels
      }
    }
  }

  private(set) var parts: [Part] = []

  /// Of more parts an order would take more memory than the vector it is for.
  private static let mostParts = 1024

  static func same(_ count: Int) -> VectorOrder {
    var order = VectorOrder()
    order.append(.same(count))
    return order
  }

  /// Of the flattened image.
  static func image(_ shape: Shape) -> VectorOrder {
    var order = VectorOrder()
    let (height, width, channels) = (shape[0], shape[1], shape[2])
    order.append(
      height * width == 1 || channels == 1
        ? .same(shape.count) : .image(height: height, width: width, channels: channels))
    return order
  }

  var isSame: Bool {
    parts.allSatisfy { if case .same = $0 { true } else { false } }
  }

  private mutating func append(_ part: Part) {
    if part.count == 0 { return }
    if case .same(let more) = part, case .same(let count)? = parts.last {
      parts[parts.count - 1] = .same(count + more)
    } else {
      parts.append(part)
    }
  }

  /// For each element the place it has in PyTorch's order.
  var places: [Int] {
    var places: [Int] = [], start = 0
    for part in parts {
      switch part {
      case .same(let count): places += start..<start + count
      case .image(let height, let width, let channels):
        for pixel in 0..<height * width {
          for channel in 0..<channels { places.append(start + channel * height * width + pixel) }
        }
      }
      start += part.count
    }
    return places
  }
}

extension VectorOrder {
  /// The orders of all vectors of a network, by the node whose output they are. Images are not among them.
  ///
  /// - Throws: `CompressError` naming the layer where vectors of two orders meet, or where a vector is the network's
  ///   output, or becomes an image, in an order that is not PyTorch's.
  static func all(in graph: Graph) throws -> [String: VectorOrder] {
    var orders: [String: VectorOrder] = [:]
    for node in graph.nodes {
      let isReshape = if case .reshape = node.op { true } else { false }
      for value in node.outputs where graph.shape(of: value).rank == 1 || isReshape {
        let order = try atLayer(node.name) { try of(node, value, in: graph, orders) }
        if let order { orders[value] = order }
      }
    }
    for output in graph.outputs {
      guard let order = orders[output], !order.isSame else { continue }
      throw CompressError(
        "the network's output is a flattened image: its elements are in the order row, column, channel, those of the "
          + "network that the file is of in the order channel, row, column", kind: .input
      ).at(layer: output)
    }
    return orders
  }

  /// nil for what is no vector.
  private static func of(
    _ node: Node, _ value: String, in graph: Graph, _ orders: [String: VectorOrder]
  ) throws -> VectorOrder? {
    let shape = graph.shape(of: value), count = shape.count, inputs = graph.inputShapes(of: node)
    let given = node.inputs.map { orders[$0] }
    if node.op.hasWeight || node.inputs.isEmpty { return .same(count) }
    if node.op.spec.preserves.contains(.places) {
      // Inputs of one element are broadcast to all.
      let whole = zip(inputs, given).filter { $0.0.count > 1 }.map { $0.1 ?? .same($0.0.count) }
      guard let first = whole.first else { return .same(count) }
      guard whole.allSatisfy({ $0 == first }), first.isSame || first.places.count == count else {
        throw CompressError(
          "\(node.op.spec.kind)s \"\(node.inputs[0].escapedForTerminal)\" and "
            + "\"\(node.inputs[node.inputs.count - 1].escapedForTerminal)\", of which one is "
            + "a flattened image and the other is not: the network that the file is of \(node.op.spec.kind)s other "
            + "elements",
          kind: .input, hint: "flatten both, or neither; or keep the network in a native file (.cmpr)")
      }
      return first
    }
    if node.op.isReshape {
      // What the elements are in, in one order for both.
      let before = given[0] ?? (inputs[0].rank == 3 ? .image(inputs[0]) : .same(count))
      if shape.rank == 1 { return before }
      // Pixels that become tokens, or tokens pixels, take their channels along: `flatten(2).transpose(1, 2)`.
      let areTokens = [shape.rank, inputs[0].rank].sorted() == [2, 3] && shape.dims.last == inputs[0].dims.last
      guard shape == inputs[0] || areTokens || before == (shape.rank == 3 ? .image(shape) : .same(count)) else {
        throw CompressError(
          "makes \(shape) of \(inputs[0]); the network that the file is of does so in another order of elements",
          kind: .input)
      }
      return nil
    }
    switch node.op {
    case .concat:
      var order = VectorOrder()
      for part in given.flatMap({ $0?.parts ?? [] }) { order.append(part) }
      guard order.parts.count <= mostParts else {
        throw CompressError("joins more than \(mostParts) flattened images", kind: .limit)
      }
      return order
    case .pad(let pad):
      var order = VectorOrder()
      order.append(.same(pad.before[0]))
      for part in given[0]?.parts ?? [] { order.append(part) }
      order.append(.same(pad.after[0]))
      return order
    case .pool2d, .globalPool: return .same(count)
    case .activation: return given[0]
    default:
      // The declared fallback: whatever else is done to a vector must not find it in another order.
      guard given.allSatisfy({ $0?.isSame ?? true }) else {
        throw CompressError(
          "takes a flattened image, whose elements the network that the file is of has in another order", kind: .input)
      }
      return .same(count)
    }
  }
}
