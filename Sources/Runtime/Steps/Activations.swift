import Descriptors
import Kernels
import Network
import Tensors

extension PreparedStep {
  /// A function of each element, of codes by a table; or of each row.
  static func activation(
    _ function: Activation, _ coding: IntegerCoding?, _ shape: Shape
  ) -> PreparedStep {
    let count = shape.count
    if let coding, let table = Conversion.table(from: coding.from, to: coding.to, function) {
      return Elementwise.lookupStep(count: count, table: table)
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
  /// The table of a function of each element, of codes: of what only clamps, the input coded anew and clamped.
  package static func table(
    from: AffineQuantization, to: AffineQuantization, _ function: Activation
  ) -> [UInt8]? {
    guard let element = function.elementFunction else { return nil }
    return function.clampRange == nil
      ? table(from: from, to: to, element) : table(from: from, to: to, clamp: .activation(function))
  }

  /// The table that codes anew and clamps.
  private static func table(from: AffineQuantization, to: AffineQuantization, clamp: Operator) -> [UInt8] {
    let bounds = to.codes(of: clamp)
    return table(from: from, to: to).map { min(max($0, bounds.lowerBound), bounds.upperBound) }
  }

  /// The table of a function of each element: decoded by the one, computed in float32, coded by the other.
  private static func table(
    from: AffineQuantization, to: AffineQuantization, _ function: (Float) -> Float
  ) -> [UInt8] {
    let values = (0..<256).map { function(Float($0 - Int(from.zeroPoint)) * from.scale) }
    var codes = [UInt8](repeating: 0, count: 256)
    quantize(values, output: &codes, count: 256, to, pool: .serial)
    return codes
  }
}
