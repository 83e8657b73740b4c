import Kernels

/// A 3x3 convolution by Winograd's method, one channel of one tile at a time (see ck-kernels.h and
/// steps/f32-winograd.h, which state the order).
struct ReferenceWinograd {
  private let geometry: ConvolutionGeometry
  /// Outputs along a side of a tile, and what a tile sees.
  private let side: Int
  private var width: Int { side + 2 }

  /// nil where `algorithm` is a direct one.
  init?(_ geometry: ConvolutionGeometry, _ algorithm: ConvolutionAlgorithm) {
    switch algorithm {
    case .winograd2: side = 2
    case .winograd4: side = 4
    case .patches, .pixels, .taps, .sparse: return nil
    }
    self.geometry = geometry
  }

  /// Of one image, HWC; weights are OHWI.
  func outputs(_ x: [Float], weights: [Float], bias: [Float]?) -> [Float] {
    let window = geometry.window, inputs = window.channels, outputs = geometry.outputChannels
    let transformed = (0..<outputs * inputs).map { index in
      let (output, input) = index.quotientAndRemainder(dividingBy: inputs)
      return both((0..<9).map { Double(weights[(output * 9 + $0) * inputs + input]) }, 3, weightSide).map { Float($0) }
    }
    var result = [Float](repeating: 0, count: geometry.outputCount)
    for top in stride(from: 0, to: window.outputHeight, by: side) {
      for left in stride(from: 0, to: window.outputWidth, by: side) {
        let seen = (0..<inputs).map { input in
          both(
            (0..<width * width).map { index in
              let y = top + index / width - window.padding.top, x0 = left + index % width - window.padding.left
              let isInside = (0..<window.height).contains(y) && (0..<window.width).contains(x0)
              return isInside ? x[(y * window.width + x0) * inputs + input] : 0
            }, width, tileSide)
        }
        for output in 0..<outputs {
          let products = (0..<width * width).map { place in
            (0..<inputs).reduce(Float(0)) {
              $0.addingProduct(seen[$1][place], transformed[output * inputs + $1][place])
            }
          }
          for (index, value) in both(products, width, outputSide).enumerated() {
            let y = top + index / side, x = left + index % side
            guard y < window.outputHeight, x < window.outputWidth else { continue }
            result[(y * window.outputWidth + x) * outputs + output] = value + (bias?[output] ?? 0)
          }
        }
      }
    }
    return result
  }

  /// `side` applied to the columns of a square matrix, in row order, then to the rows of what that gives.
  private func both<T>(_ values: [T], _ count: Int, _ side: ([T]) -> [T]) -> [T] {
    let columns = (0..<count).map { column in side((0..<count).map { values[$0 * count + column] }) }
    return columns[0].indices.flatMap { row in side(columns.map { $0[row] }) }
  }

  private static let a: Float = 0.625, b: Float = 1.5

  private func weightSide(_ w: [Double]) -> [Double] {
    guard side == 4 else { return [w[0], (w[0] + w[1] + w[2]) / 2, (w[0] - w[1] + w[2]) / 2, w[2]] }
    let a = Double(Self.a), b = Double(Self.b), aa = a * a, bb = b * b
    return [
      w[0] / (aa * bb),
      (w[0] + a * w[1] + aa * w[2]) / (2 * aa * (aa - bb)), (w[0] - a * w[1] + aa * w[2]) / (2 * aa * (aa - bb)),
      (w[0] + b * w[1] + bb * w[2]) / (2 * bb * (bb - aa)), (w[0] - b * w[1] + bb * w[2]) / (2 * bb * (bb - aa)),
      w[2],
    ]
  }

  private func tileSide(_ d: [Float]) -> [Float] {
    guard side == 4 else { return [d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]] }
    let a = Self.a, b = Self.b, aa = a * a, bb = b * b
    func ends(_ first: Int) -> Float {
      d[first + 4].addingProduct(-(aa + bb), d[first + 2]).addingProduct(aa * bb, d[first])
    }
    func pair(_ point: Float, _ others: Float) -> [Float] {
      let odd = d[3].addingProduct(-others, d[1]), even = d[4].addingProduct(-others, d[2])
      return [even.addingProduct(point, odd), even.addingProduct(-point, odd)]
    }
    return [ends(0)] + pair(a, bb) + pair(b, aa) + [ends(1)]
  }

  private func outputSide(_ s: [Float]) -> [Float] {
    guard side == 4 else { return [(s[0] + s[1]) + s[2], (s[1] - s[2]) - s[3]] }
    let a = Self.a, b = Self.b
    let p = s[1] + s[2], m = s[1] - s[2], q = s[3] + s[4], n = s[3] - s[4]
    return [
      (s[0] + p) + q, (a * m).addingProduct(b, n), (a * a * p).addingProduct(b * b, q),
      s[5].addingProduct(b * b * b, n).addingProduct(a * a * a, m),
    ]
  }
}
