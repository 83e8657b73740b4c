import Diagnostics
import Testing

@testable import Kernels

@Suite struct PoolingTests {
  static func windows() throws -> [WindowGeometry] {
    try [
      .init(height: 26, width: 26, channels: 12, kernel: (2, 2), stride: (2, 2)),
      .init(
        height: 7, width: 9, channels: 5, kernel: (3, 2), stride: (2, 3),
        padding: .init(top: 1, left: 1, bottom: 2, right: 0)),
      .init(height: 5, width: 4, channels: 33, kernel: (5, 4)),
      .init(height: 3, width: 3, channels: 1, kernel: (3, 3), padding: .init(top: 2, left: 2, bottom: 2, right: 2)),
      .init(height: 1, width: 30, channels: 2, kernel: (1, 30)),
    ]
  }

  /// Offsets, from their image's beginning, of the pixels under each window.
  static func inside(_ w: WindowGeometry) -> [[Int]] {
    (0..<w.outputPixels).map { pixel in
      (0..<w.taps).compactMap { tap in
        let y = pixel / w.outputWidth * w.strideHeight + tap / w.kernelWidth - w.padding.top
        let x = pixel % w.outputWidth * w.strideWidth + tap % w.kernelWidth - w.padding.left
        return y >= 0 && y < w.height && x >= 0 && x < w.width ? (y * w.width + x) * w.channels : nil
      }
    }
  }

  @Test(arguments: try windows())
  func equalTheirDefinitions(_ w: WindowGeometry) throws {
    let batch = 3, outputs = w.outputPixels * w.channels * batch
    let from = AffineQuantization(scale: 0.3, zeroPoint: 120), to = AffineQuantization(scale: 0.2, zeroPoint: 101)
    var numbers = Numbers(UInt64(w.inputCount))
    let input = Guarded((0..<w.inputCount * batch).map { _ in Float(numbers.random.below(9)) / 3 })
    let codes = Guarded(numbers.bytes(input.count)), g = Guarded(numbers.floats(outputs))
    var greatest = [Float](), winners = [Int32](), mean = [Float](), greatestCode = [UInt8](), meanCode = [UInt8]()
    var maximumGradient = [Float](repeating: 0, count: input.count), averageGradient = maximumGradient
    for image in 0..<batch {
      let base = image * w.inputCount
      for pixels in Self.inside(w) {
        for c in 0..<w.channels {
          let values = pixels.map { input.base[base + $0 + c] }, bytes = pixels.map { codes.base[base + $0 + c] }
          let best = values.firstIndex(of: values.max()!)!, index = greatest.count
          greatest.append(values[best])
          winners.append(Int32(pixels[best] + c))
          maximumGradient[base + pixels[best] + c] += g.base[index]
          mean.append(values.reduce(0, +) / Float(values.count))
          for pixel in pixels { averageGradient[base + pixel + c] += g.base[index] / Float(values.count) }
          greatestCode.append(bytes.max()!)
          let sum = Float(bytes.reduce(0) { $0 + Int($1) - Int(from.zeroPoint) })
          let average = (sum * (from.scale / to.scale) / Float(bytes.count)).rounded(.toNearestOrEven)
          meanCode.append(UInt8(min(max(average + Float(to.zeroPoint), 0), 255)))
        }
      }
    }
    for isa in supportedSets {
      let pooling = try Pooling(w, isa: isa)
      for threads in [1, 3] {
        let pool = try ThreadPool(threads: threads, smallestWork: 0)
        let out = Guarded<Float>(outputs, filling: .nan), index = Guarded<Int32>(outputs, filling: -1)
        let code = Guarded<UInt8>(outputs, filling: 1), back = Guarded<Float>(input.count, filling: .nan)
        pooling.maximum(input.base, output: out.base, batch: batch, pool: pool)
        #expect(out.array == greatest)
        pooling.maximum(input.base, output: out.base, winners: index.base, batch: batch, pool: pool)
        #expect(out.array == greatest && index.array == winners)
        pooling.maximumGradient(
          outputGradient: g.base, winners: index.base, inputGradient: back.base, batch: batch, pool: pool)
        #expect(back.array == maximumGradient)
        pooling.average(input.base, output: out.base, batch: batch, pool: pool)
        #expect(out.array == mean)
        pooling.averageGradient(outputGradient: g.base, inputGradient: back.base, batch: batch, pool: pool)
        #expect(back.array == averageGradient)
        pooling.maximum(codes.base, output: code.base, batch: batch, pool: pool)
        #expect(code.array == greatestCode)
        pooling.average(codes.base, from, output: code.base, to, batch: batch, pool: pool)
        #expect(code.array == meanCode)
        #expect(out.isIntact && index.isIntact && code.isIntact && back.isIntact)
      }
    }
  }

  @Test(arguments: try windows())
  func paddingThatCountsIsZeros(_ w: WindowGeometry) throws {
    let batch = 2, outputs = w.outputPixels * w.channels * batch
    let from = AffineQuantization(scale: 0.3, zeroPoint: 120), to = AffineQuantization(scale: 0.2, zeroPoint: 101)
    var numbers = Numbers(UInt64(w.inputCount))
    let input = Guarded((0..<w.inputCount * batch).map { _ in Float(numbers.random.below(9)) / 3 })
    let codes = Guarded(numbers.bytes(input.count)), g = Guarded(numbers.floats(outputs))
    var mean = [Float](), meanCode = [UInt8](), gradient = [Float](repeating: 0, count: input.count)
    for image in 0..<batch {
      let base = image * w.inputCount
      for pixels in Self.inside(w) {
        for c in 0..<w.channels {
          for pixel in pixels { gradient[base + pixel + c] += g.base[mean.count] / Float(w.taps) }
          mean.append(pixels.map { input.base[base + $0 + c] }.reduce(0, +) / Float(w.taps))
          let sum = Float(pixels.reduce(0) { $0 + Int(codes.base[base + $1 + c]) - Int(from.zeroPoint) })
          let average = (sum * (from.scale / to.scale) / Float(w.taps)).rounded(.toNearestOrEven)
          meanCode.append(UInt8(min(max(average + Float(to.zeroPoint), 0), 255)))
        }
      }
    }
    for isa in supportedSets {
      let pooling = try Pooling(w, countsPadding: true, isa: isa)
      let pool = try ThreadPool(threads: 2, smallestWork: 0)
      let out = Guarded<Float>(outputs, filling: .nan), code = Guarded<UInt8>(outputs, filling: 1)
      let back = Guarded<Float>(input.count, filling: .nan)
      pooling.average(input.base, output: out.base, batch: batch, pool: pool)
      pooling.averageGradient(outputGradient: g.base, inputGradient: back.base, batch: batch, pool: pool)
      pooling.average(codes.base, from, output: code.base, to, batch: batch, pool: pool)
      #expect(out.array == mean && back.array == gradient && code.array == meanCode)
      #expect(out.isIntact && code.isIntact && back.isIntact)
    }
  }

  @Test func refusesWindowsThatMayBeEmpty() throws {
    let window = try WindowGeometry(
      height: 4, width: 4, channels: 1, kernel: (2, 2), padding: .init(top: 2, left: 0, bottom: 0, right: 0))
    #expect(throws: CompressError.self) { try Pooling(window) }
    let dilated = try WindowGeometry(height: 4, width: 4, channels: 1, kernel: (2, 2), dilation: (2, 2))
    #expect(throws: CompressError.self) { try Pooling(dilated) }
  }
}
