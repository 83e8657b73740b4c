import Kernels
import Network

extension PreparedStep {
  /// From one way of holding a value to another; nil is float32.
  static func conversion(from: AffineQuantization?, to: AffineQuantization?, count: Int) -> PreparedStep {
    switch (from, to) {
    case (nil, nil): .copy(count: count)
    case (nil, let to?): Conversion.quantizeStep(count: count, to)
    case (let from?, nil): Conversion.dequantizeStep(count: count, from)
    case (let from?, let to?): Elementwise.lookupStep(count: count, table: Conversion.table(from: from, to: to))
    }
  }

  /// float32 to the nearest float32 of some.
  static func rounding(_ encoding: ActivationEncoding, count: Int) -> PreparedStep {
    switch encoding {
    case .affine(let quantization):
      return Conversion.roundStep(
        count: count, scale: quantization.scale, zeroPoint: quantization.zeroPoint, limit: quantization.limit)
    case .levels(let levels):
      let none = [Float](repeating: .infinity, count: 255 - levels.middles.count)
      return Conversion.roundStep(count: count, middles: levels.middles + none, levels: levels.values)
    }
  }
}
