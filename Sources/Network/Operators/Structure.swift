import Diagnostics
import Tensors

/// The network's input: one sample of the given shape.
public struct Input: OperatorSpec {
  public static let kind = "input"

  public var shape: Shape

  public init(_ shape: Shape) { self.shape = shape }

  public var arity: ClosedRange<Int> { 0...0 }

  public func outputShape(_ inputs: [Shape]) throws -> Shape {
    guard shape.count > 0 else { throw CompressError("empty input of shape \(shape)") }
    return shape
  }
}

/// Element-wise sum of inputs of one shape.
public struct Add: OperatorSpec {
  public static let kind = "add"

  public init() {}

  public var arity: ClosedRange<Int> { 2...2 }

  public func outputShape(_ inputs: [Shape]) throws -> Shape {
    guard inputs[0] == inputs[1] else { throw CompressError("cannot add shapes \(inputs[0]) and \(inputs[1])") }
    return inputs[0]
  }
}

/// Inputs one after the other along the last axis (channels).
public struct Concat: OperatorSpec {
  public static let kind = "concat"

  public init() {}

  public var arity: ClosedRange<Int> { 2...1024 }

  public func outputShape(_ inputs: [Shape]) throws -> Shape {
    let leading = inputs[0].dims.dropLast()
    for shape in inputs where shape.rank == 0 || shape.dims.dropLast() != leading {
      throw CompressError("cannot concatenate shapes \(inputs[0]) and \(shape) along their channels")
    }
    return try Shape(checking: leading + [inputs.reduce(0) { $0 + $1.dims.last! }])
  }
}

/// Any shape → a vector, in row-major order.
public struct Flatten: OperatorSpec {
  public static let kind = "flatten"

  public init() {}

  public func outputShape(_ inputs: [Shape]) throws -> Shape { [inputs[0].count] }
}

/// The same elements under another shape.
public struct Reshape: OperatorSpec {
  public static let kind = "reshape"

  public var shape: Shape

  public init(_ shape: Shape) { self.shape = shape }

  public func outputShape(_ inputs: [Shape]) throws -> Shape {
    guard shape.count == inputs[0].count else {
      throw CompressError("cannot reshape \(inputs[0]) (\(inputs[0].count) elements) to \(shape) (\(shape.count))")
    }
    return shape
  }
}
