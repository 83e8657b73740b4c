import Descriptors
import Kernels
import Network
import Tensors

extension PreparedStep {
  /// A function of each element, of codes by a table; or of each row.
  static func activation(
    _ function: Activation, _ op: Operator, _ coding: IntegerCoding?, _ shape: Shape
  ) -> PreparedStep {
    let count = shape.count
    if let coding, let element = function.elementFunction {
      return Elementwise.lookupStep(
        count: count,
        table: function.clampRange == nil
          ? Conversion.table(from: coding.from, to: coding.to, element)
          : Conversion.table(from: coding.from, to: coding.to, clamp: op))
    }
    if let function = Elementwise.Function(function) { return function.step(count: count) }
    let columns = shape.dims.last!
    if let coding {
      return Elementwise.softmaxStep(rows: count / columns, columns: columns, from: coding.from, to: coding.to)
    }
    return Elementwise.softmaxStep(rows: count / columns, columns: columns, isLogarithm: function == .logSoftmax)
  }
}

extension Conversion {
  /// The table that codes anew and clamps.
  fileprivate static func table(from: AffineQuantization, to: AffineQuantization, clamp: Operator) -> [UInt8] {
    let bounds = to.codes(of: clamp)
    return table(from: from, to: to).map { min(max($0, bounds.lowerBound), bounds.upperBound) }
  }

  /// The table of a function of each element: decoded by the one, computed in float32, coded by the other.
  fileprivate static func table(
    from: AffineQuantization, to: AffineQuantization, _ function: (Float) -> Float
  ) -> [UInt8] {
    let values = (0..<256).map { function(Float($0 - Int(from.zeroPoint)) * from.scale) }
    var codes = [UInt8](repeating: 0, count: 256)
    quantize(values, output: &codes, count: 256, to, pool: .serial)
    return codes
  }
}
