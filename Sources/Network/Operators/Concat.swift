import Diagnostics
import Tensors

/// Inputs one after the other along one axis.
public struct Concat: OperatorSpec {
  public static let kind = "concat"
  public var asOperator: Operator { .concat(self) }

  /// Of a sample; nil for the last one, the channels.
  public var axis: Int?

  public init(axis: Int? = nil) { self.axis = axis }

  public var arity: ClosedRange<Int> { 2...1024 }

  /// The axis of inputs of so many.
  public func axis(rank: Int) -> Int { axis ?? rank - 1 }

  /// Whether that is the last one, of the channels.
  public func joinsChannels(rank: Int) -> Bool { axis(rank: rank) == rank - 1 }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    let rank = inputs[0].rank, axis = axis(rank: rank)
    guard (0..<rank).contains(axis) else {
      throw CompressError("cannot concatenate shapes of \(rank) axes along axis \(axis)")
    }
    func others(_ shape: Shape) -> [Int] {
      var dims = shape.dims
      dims.remove(at: axis)
      return dims
    }
    for shape in inputs where shape.rank != rank || others(shape) != others(inputs[0]) {
      throw CompressError(
        "cannot concatenate shapes \(inputs[0]) and \(shape) along "
          + (axis == rank - 1 ? "their channels" : "axis \(axis)"))
    }
    var dims = inputs[0].dims
    dims[axis] = inputs.reduce(0) { $0 + $1[axis] }
    return [try Shape(checking: dims)]
  }

  public var preserves: Preserved { .zero }
  public var quantization: QuantizationRule { .own }

  public func formatVersion(_ inputs: [Shape]) -> UInt32 { axis == nil ? 1 : 3 }

  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling {
    guard joinsChannels(rank: inputs[0].rank) else { return .aligned(inputs, outputs[0]) }
    var coupling = ChannelCoupling()
    for (input, shape) in inputs.enumerated() {
      for c in 0..<shape[shape.rank - 1] { coupling.ties.append((.output(coupling.ties.count), .input(input, c))) }
    }
    return coupling
  }

  private enum CodingKeys: String, CodingKey { case axis }
}
