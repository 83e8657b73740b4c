#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

import Network
import Tensors

/// What is computed over axes, of one sample in float32: as the headers of the C steps state the arithmetic.
enum ReferenceRows {
  static func reduced(_ x: [Float], _ reduce: Reduce, _ shape: Shape) -> [Float] {
    let (within, starts) = reduce.elements(shape)
    return starts.sources.map { start in
      let elements = within.sources.map { x[start + $0] }
      switch reduce.function {
      case .sum: return elements.reduce(0, +)
      case .mean: return elements.reduce(0, +) / Float(elements.count)
      case .max: return elements.dropFirst().reduce(elements[0]) { $1 > $0 || $1.isNaN ? $1 : $0 }
      case .min: return elements.dropFirst().reduce(elements[0]) { $1 < $0 || $1.isNaN ? $1 : $0 }
      }
    }
  }

  static func greatest(_ x: [Float], _ argMax: ArgMax, _ shape: Shape) -> [Float] {
    let (within, starts) = Reduce(.max, axes: [argMax.axis]).elements(shape)
    return starts.sources.map { start in
      let elements = within.sources.map { x[start + $0] }
      if let missing = elements.firstIndex(where: \.isNaN) { return Float(missing) }
      return Float(elements.firstIndex(of: elements.max()!)!)
    }
  }

  static func normalized(
    _ x: [Float], _ norm: SampleNorm, _ shape: Shape, scale: [Float]?, shift: [Float]?
  ) -> [Float] {
    let channels = shape.dims.last!, width = channels / (norm.groups ?? 1)
    // Elements of one set share a number: their position, or their group.
    func set(_ index: Int) -> Int { norm.groups == nil ? index / channels : index % channels / width }
    var sets: [Int: [Float]] = [:]
    for (index, value) in x.enumerated() { sets[set(index), default: []].append(value) }
    let statistics = sets.mapValues { values in
      let count = Double(values.count)
      let mean = norm.statistic == .variance ? Float(values.reduce(0) { $0 + Double($1) } / count) : 0
      let squares = values.reduce(0.0) { sum, value in
        let distance = Double(value) - Double(mean)
        return sum + distance * distance
      }
      let divisor =
        norm.statistic == .length
        ? max(Float(squares).squareRoot(), norm.epsilon)
        : (Float(squares / count) + norm.epsilon).squareRoot()
      return (mean: mean, inverse: 1 / divisor)
    }
    return x.enumerated().map { index, value in
      let (mean, inverse) = statistics[set(index)]!, c = index % channels
      return (value - mean) * inverse * (scale?[c] ?? 1) + (shift?[c] ?? 0)
    }
  }

  /// (m, k) times (k, n).
  private static func product(
    _ m: Int, _ n: Int, _ k: Int, _ a: (_ row: Int, _ k: Int) -> Float, _ b: (_ k: Int, _ column: Int) -> Float
  ) -> [Float] {
    (0..<m).flatMap { row in
      (0..<n).map { column in
        (0..<k).reduce(Float(0)) { sum, p in sum.addingProduct(a(row, p), b(p, column)) }
      }
    }
  }

  static func product(
    _ product: MatMul, _ a: [Float], _ shapeA: Shape, _ b: [Float], _ shapeB: Shape, _ shape: Shape
  ) -> [Float] {
    let m = shape[shape.rank - 2], n = shape[shape.rank - 1], k = shapeA[shapeA.rank - 1]
    return (0..<shape.dims.dropLast(2).reduce(1, *)).flatMap { matrix in
      let firstA = shapeA.rank == 2 ? 0 : matrix * m * k, firstB = shapeB.rank == 2 ? 0 : matrix * k * n
      return Self.product(m, n, k) { a[firstA + $0 * k + $1] } _: {
        b[firstB + (product.transposesSecond ? $1 * k + $0 : $0 * n + $1)]
      }
    }
  }

  static func attention(_ attention: Attention, _ inputs: [[Float]], _ shapes: [Shape]) -> [Float] {
    let (t, s) = (shapes[0][0], shapes[1][0]), all = shapes[0][1], wide = shapes[2][1]
    let depth = all / attention.heads, width = wide / attention.heads, scale = attention.scale(shapes[0])
    var out = [Float](repeating: 0, count: t * wide)
    for head in 0..<attention.heads {
      let scores = product(t, s, depth) { inputs[0][$0 * all + head * depth + $1] } _: {
        inputs[1][$1 * all + head * depth + $0]
      }
      let weights = ReferenceFloat.softmax(scores.map { $0 * scale }, columns: s)
      let values = product(t, width, s) { weights[$0 * s + $1] } _: { inputs[2][$0 * wide + head * width + $1] }
      for (index, value) in values.enumerated() { out[index / width * wide + head * width + index % width] = value }
    }
    return out
  }

  static func bilinear(_ x: [Float], _ resize: Resize, _ shape: Shape) -> [Float] {
    let (width, channels) = (shape[1], shape[2])
    let columns = resize.taps(shape, axis: 1)
    return resize.taps(shape, axis: 0).flatMap { row in
      columns.flatMap { column in
        (0..<channels).map { c in
          func pixel(_ y: Int, _ x0: Int) -> Float { x[(y * width + x0) * channels + c] }
          func across(_ y: Int) -> Float {
            let left = pixel(y, column.first)
            return left + (pixel(y, column.second) - left) * column.share
          }
          let top = across(row.first)
          return top + (across(row.second) - top) * row.share
        }
      }
    }
  }
}
