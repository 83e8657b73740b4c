#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif
import Network
import Tensors

/// Operators written down once more in float64, of one sample.
enum ReferenceOperators {
  static func value(of function: Activation, _ x: Double) -> Double {
    let logistic = 1 / (1 + exp(-x)), softplus = log1p(exp(x))
    return switch function {
    case .relu: max(0, x)
    case .relu6: min(6, max(0, x))
    case .clip(let low, let high): min(Double(high), max(Double(low), x))
    case .sigmoid: logistic
    case .tanh: tanh(x)
    case .erf: erf(x)
    case .exp: exp(x)
    case .log: log(x)
    case .sqrt: x.squareRoot()
    case .reciprocal: 1 / x
    case .negative: -x
    case .absolute: abs(x)
    case .hardSwish: x * min(6, max(0, x + 3)) / 6
    case .silu: x * logistic
    case .gelu: x / 2 * (1 + erf(x / 2.0.squareRoot()))
    case .geluTanh: x / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .softplus: softplus
    case .mish: x * tanh(softplus)
    case .sin: sin(x)
    case .cos: cos(x)
    case .floor: x.rounded(.down)
    case .ceil: x.rounded(.up)
    case .round: x.rounded(.toNearestOrEven)
    case .sign: x > 0 ? 1 : x < 0 ? -1 : 0
    case .leakyReLU(let slope): x < 0 ? Double(slope) * x : x
    case .elu(let alpha): x < 0 ? Double(alpha) * (exp(x) - 1) : x
    case .hardSigmoid(let slope, let offset): min(1, max(0, Double(slope) * x + Double(offset)))
    case .softmax, .logSoftmax: preconditionFailure("over rows")
    }
  }

  static func value(of function: Binary.Function, _ a: Double, _ b: Double) -> Double {
    switch function {
    case .sub: a - b
    case .div: a / b
    case .minimum: min(a, b)
    case .maximum: max(a, b)
    case .pow: pow(a, b)
    }
  }

  static func reduced(_ x: [Double], _ reduce: Reduce, _ shape: Shape) -> [Double] {
    let (within, starts) = reduce.elements(shape)
    return starts.sources.map { start in
      let elements = within.sources.map { x[start + $0] }
      return switch reduce.function {
      case .sum: elements.reduce(0, +)
      case .mean: elements.reduce(0, +) / Double(elements.count)
      case .max: elements.max()!
      case .min: elements.min()!
      }
    }
  }

  static func greatest(_ x: [Double], _ argMax: ArgMax, _ shape: Shape) -> [Double] {
    let (within, starts) = Reduce(.max, axes: [argMax.axis]).elements(shape)
    return starts.sources.map { start in
      let elements = within.sources.map { x[start + $0] }
      return Double(elements.firstIndex(of: elements.max()!)!)
    }
  }

  static func normalized(
    _ x: [Double], _ norm: SampleNorm, _ shape: Shape, scale: [Double]?, shift: [Double]?
  ) -> [Double] {
    let channels = shape.dims.last!, width = channels / (norm.groups ?? 1)
    return x.indices.map { index in
      let c = index % channels
      let set = x.indices.filter {
        norm.groups == nil ? $0 / channels == index / channels : $0 % channels / width == c / width
      }.map { x[$0] }
      let count = Double(set.count), mean = norm.statistic == .variance ? set.reduce(0, +) / count : 0
      let squares = set.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }, epsilon = Double(norm.epsilon)
      let divisor =
        norm.statistic == .length ? max(squares.squareRoot(), epsilon) : (squares / count + epsilon).squareRoot()
      return (x[index] - mean) / divisor * (scale?[c] ?? 1) + (shift?[c] ?? 0)
    }
  }

  static func product(_ product: MatMul, _ inputs: [[Double]], _ shapes: [Shape], _ shape: Shape) -> [Double] {
    let m = shape[shape.rank - 2], n = shape[shape.rank - 1], k = shapes[0].dims.last!
    return (0..<shape.count).map { index in
      let matrix = index / (m * n), row = index / n % m, column = index % n
      let a = shapes[0].rank == 2 ? 0 : matrix * m * k, b = shapes[1].rank == 2 ? 0 : matrix * k * n
      return (0..<k).reduce(0) { sum, p in
        sum + inputs[0][a + row * k + p] * inputs[1][b + (product.transposesSecond ? column * k + p : p * n + column)]
      }
    }
  }

  static func attention(_ attention: Attention, _ inputs: [[Double]], _ shapes: [Shape]) -> [Double] {
    let (t, s) = (shapes[0][0], shapes[1][0]), all = shapes[0][1], wide = shapes[2][1]
    let depth = all / attention.heads, width = wide / attention.heads, scale = Double(attention.scale(shapes[0]))
    return (0..<t * wide).map { index in
      let token = index / wide, channel = index % wide, head = channel / width
      let powers = (0..<s).map { key in
        exp(
          (0..<depth).reduce(0) {
            $0 + inputs[0][token * all + head * depth + $1] * inputs[1][key * all + head * depth + $1]
          } * scale)
      }
      let sum = powers.reduce(0, +)
      return (0..<s).reduce(0) { $0 + powers[$1] / sum * inputs[2][$1 * wide + channel] }
    }
  }

  static func bilinear(_ x: [Double], _ resize: Resize, _ shape: Shape) -> [Double] {
    let (width, channels) = (shape[1], shape[2])
    return resize.taps(shape, axis: 0).flatMap { row in
      resize.taps(shape, axis: 1).flatMap { column in
        (0..<channels).map { c in
          func pixel(_ y: Int, _ x0: Int) -> Double { x[(y * width + x0) * channels + c] }
          let down = Double(row.share), across = Double(column.share)
          return (1 - down) * ((1 - across) * pixel(row.first, column.first) + across * pixel(row.first, column.second))
            + down * ((1 - across) * pixel(row.second, column.first) + across * pixel(row.second, column.second))
        }
      }
    }
  }
}
