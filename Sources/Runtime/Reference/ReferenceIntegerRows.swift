#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

import Network
import Tensors

/// What is computed of integers over axes, of one sample: as the headers of the C steps state the arithmetic. Integers
/// are codes less their zero points; results are in steps of the output's scale, before they are rounded.
enum ReferenceIntegerRows {
  static func product(
    _ product: MatMul, _ a: [Int], _ shapeA: Shape, _ b: [Int], _ shapeB: Shape, _ shape: Shape, scale: Float
  ) -> [Float] {
    let m = shape[shape.rank - 2], n = shape[shape.rank - 1], k = shapeA[shapeA.rank - 1]
    return (0..<shape.count).map { index in
      let matrix = index / (m * n), row = index / n % m, column = index % n
      let firstA = (shapeA.rank == 2 ? 0 : matrix * m * k) + row * k, firstB = shapeB.rank == 2 ? 0 : matrix * k * n
      let sum = (0..<k).reduce(0) {
        $0 + a[firstA + $1] * b[firstB + (product.transposesSecond ? column * k + $1 : $1 * n + column)]
      }
      return Float(sum) * scale
    }
  }

  /// - Parameters:
  ///   - step: what a difference of scores is multiplied by; a weight is `255 * exp(-1 / 256)` to that power.
  ///   - scale: of the values over that of the output.
  static func attention(
    _ attention: Attention, _ inputs: [[Int]], _ shapes: [Shape], step: Float, scale: Float
  ) -> [Float] {
    let (t, s) = (shapes[0][0], shapes[1][0]), all = shapes[0][1], wide = shapes[2][1]
    let depth = all / attention.heads, width = wide / attention.heads
    return (0..<t).flatMap { row in
      (0..<attention.heads).flatMap { head -> [Float] in
        let scores = (0..<s).map { key in
          (0..<depth).reduce(0) {
            $0 + inputs[0][row * all + head * depth + $1] * inputs[1][key * all + head * depth + $1]
          }
        }
        let greatest = scores.max()!
        let weights = scores.map { score in
          let power = Int(min(Float(greatest - score) * step, 2047) + 0.5)
          return Int((255 * exp(-Double(power) / 256)).rounded(.toNearestOrEven))
        }
        let divisor = Float(weights.reduce(0, +))
        return (0..<width).map { c in
          let sum = (0..<s).reduce(0) { $0 + weights[$1] * inputs[2][$1 * wide + head * width + c] }
          return Float(sum) * scale / divisor
        }
      }
    }
  }

  /// - Parameters:
  ///   - from: the input's scale.
  ///   - to: the output's.
  static func softmax(_ x: [Int], columns: Int, from: Float, to: Float) -> [Float] {
    stride(from: 0, to: x.count, by: columns).flatMap { start in
      let row = x[start..<start + columns], greatest = row.max()!
      let powers = row.map { value in
        Int((exp(-Double(greatest - value) * Double(from)) * 0x1p22).rounded(.toNearestOrEven))
      }
      let factor = 1 / (Float(powers.reduce(0, +)) * to)
      return powers.map { Float($0) * factor }
    }
  }

  static func normalized(
    _ x: [Int], _ norm: SampleNorm, _ shape: Shape, scale: [Float]?, shift: [Float]?, from: Float, to: Float
  ) -> [Float] {
    let channels = shape.dims.last!, width = channels / (norm.groups ?? 1)
    // Elements of one set share a number: their position, or their group.
    func set(_ index: Int) -> Int { norm.groups == nil ? index / channels : index % channels / width }
    var sets: [Int: [Int]] = [:]
    for (index, value) in x.enumerated() { sets[set(index), default: []].append(value) }
    let statistics = sets.mapValues { values in
      let n = values.count, sum = values.reduce(0, +), squares = values.reduce(0) { $0 + $1 * $1 }
      let count = Double(n), area = Double(from) * Double(from)
      let mean: Float, square: Float
      switch norm.statistic {
      case .variance:
        mean = Float(Double(sum) / count)
        square = Float(Double(n * squares - sum * sum) / (count * count) * area)
      case .meanSquare: (mean, square) = (0, Float(Double(squares) / count * area))
      case .length: (mean, square) = (0, Float(Double(squares) * area))
      }
      let divisor =
        norm.statistic == .length ? max(square.squareRoot(), norm.epsilon) : (square + norm.epsilon).squareRoot()
      return (mean: mean, inverse: from * (1 / divisor))
    }
    return x.enumerated().map { index, value in
      let (mean, inverse) = statistics[set(index)]!, c = index % channels
      return (Float(value) - mean) * inverse * ((scale?[c] ?? 1) / to) + (shift?[c] ?? 0) / to
    }
  }

  /// - Parameter scale: the input's over the output's.
  static func bilinear(_ values: [Int], _ resize: Resize, _ shape: Shape, scale: Float) -> [Float] {
    let (width, channels) = (shape[1], shape[2])
    func taps(_ axis: Int) -> [[(pixel: Int, weight: Int)]] {
      resize.taps(shape, axis: axis).map { tap in
        let second = Int((tap.share * 2048).rounded(.toNearestOrEven))
        return [(tap.first, 2048 - second), (tap.second, second)]
      }
    }
    let columns = taps(1)
    return taps(0).flatMap { row in
      columns.flatMap { column in
        (0..<channels).map { c in
          var sum = 0
          for (y, down) in row {
            for (x, across) in column { sum += values[(y * width + x) * channels + c] * down * across }
          }
          return Float(sum) * (scale / (2048 * 2048))
        }
      }
    }
  }
}
