import Diagnostics
import Testing

@testable import Kernels

@Suite struct IntegerConvolutionTests {
  /// Exact sums of (activation - zero point) * (weight - zero point); what lies outside the image is zero.
  static func sums(
    _ g: ConvolutionGeometry, _ input: [UInt8], _ weights: [Int8], _ zeroPoints: [UInt8], weightZeroPoints: [Int8] = [0]
  ) -> [Int] {
    let w = g.window, perGroup = w.channels / g.groups, outputs = g.outputChannels / g.groups
    return (0..<zeroPoints.count * g.outputCount).map { index in
      let o = index % g.outputChannels, ox = index / g.outputChannels % w.outputWidth
      let oy = index / g.outputChannels / w.outputWidth % w.outputHeight, n = index / g.outputCount
      var sum = 0
      for ky in 0..<w.kernelHeight {
        for kx in 0..<w.kernelWidth {
          let y = oy * w.strideHeight + ky * w.dilationHeight - w.padding.top
          let x = ox * w.strideWidth + kx * w.dilationWidth - w.padding.left
          guard y >= 0, y < w.height, x >= 0, x < w.width else { continue }
          for c in 0..<perGroup {
            let value = Int(input[((n * w.height + y) * w.width + x) * w.channels + o / outputs * perGroup + c])
            let weight = Int(weights[((o * w.kernelHeight + ky) * w.kernelWidth + kx) * perGroup + c])
            let zero = Int(weightZeroPoints[weightZeroPoints.count == 1 ? 0 : o])
            sum += (value - Int(zeroPoints[n])) * (weight - zero)
          }
        }
      }
      return sum
    }
  }

  @Test(arguments: try ConvolutionCase.all(), [false, true])
  func codes(_ test: ConvolutionCase, _ extreme: Bool) throws {
    let g = test.geometry, batch = test.batch, zeroPoint: UInt8 = extreme ? 255 : 31
    var numbers = Numbers(UInt64(g.weightCount))
    let count = g.inputCount * batch
    let input = Guarded(extreme ? [UInt8](repeating: 255, count: count) : numbers.bytes(count))
    if extreme { for i in stride(from: 0, to: input.count, by: 5) { input.base[i] = 0 } }
    let signs = (0..<g.weightCount).map { $0 / g.depth % 2 == 0 ? Int8(127) : -127 }
    let weights = extreme ? signs : numbers.weights(g.weightCount)
    let bias = numbers.sums(g.outputChannels, 3000)
    let scales = (0..<g.outputChannels).map { Float(0.5) / Float(50 * g.depth + $0) }
    let exact = Self.sums(g, input.array, weights, [UInt8](repeating: zeroPoint, count: batch))
    let expected = exact.enumerated().map { index, sum in
      let channel = index % g.outputChannels
      let q = (Float(sum + Int(bias[channel])) * scales[channel]).rounded(.toNearestOrEven) + 120
      return UInt8(min(max(q, 10), 250))
    }
    for isa in supportedSets {
      let convolution = try weights.withUnsafeBufferPointer {
        try IntegerConvolution(
          g, weights: $0,
          output: .codes(inputZeroPoint: zeroPoint, bias: bias, scales: scales, zeroPoint: 120, clamp: 10...250),
          isa: isa)
      }
      for threads in 1...3 {
        let pool = try ThreadPool(threads: threads, smallestWork: 0)
        let output = Guarded<UInt8>(g.outputCount * batch, filling: 1)
        let intact = withScratch(convolution.scratchBytes(batch: batch, threads: threads)) {
          convolution.run(input: input.base, output: output.base, batch: batch, scratch: $0, pool: pool)
        }
        #expect(output.array == expected, "\(isa), \(threads) threads")
        #expect(intact && output.isIntact)
      }
    }
  }

  @Test(arguments: try ConvolutionCase.all())
  func floats(_ test: ConvolutionCase) throws {
    let g = test.geometry, batch = test.batch
    var numbers = Numbers(UInt64(g.weightCount))
    let input = Guarded(numbers.bytes(g.inputCount * batch)), weights = numbers.weights(g.weightCount)
    let bias = numbers.floats(g.outputChannels), scales = numbers.floats(g.outputChannels)
    let quantization = (0..<batch).map {
      AffineQuantization(scale: 0.01 * Float($0 + 1), zeroPoint: UInt8(13 * $0 % 256))
    }
    let exact = Self.sums(g, input.array, weights, quantization.map(\.zeroPoint))
    let expected = exact.enumerated().map { index, sum in
      let channel = index % g.outputChannels
      let step = quantization[index / g.outputCount].scale * scales[channel]
      return min(max(bias[channel].addingProduct(Float(sum), step), -3), 500)
    }
    for isa in supportedSets {
      let convolution = try weights.withUnsafeBufferPointer {
        try IntegerConvolution(
          g, weights: $0, output: .floats(scales: scales, bias: bias, clamp: -3...500), isa: isa)
      }
      for threads in [1, 3] {
        let pool = try ThreadPool(threads: threads, smallestWork: 0)
        let output = Guarded<Float>(g.outputCount * batch, filling: .nan)
        let intact = withScratch(convolution.scratchBytes(batch: batch, threads: threads)) { scratch in
          quantization.withUnsafeBufferPointer {
            convolution.run(
              input: input.base, quantization: $0, output: output.base, batch: batch, scratch: scratch, pool: pool)
          }
        }
        #expect(bits(output.array) == bits(expected), "\(isa), \(threads) threads")
        #expect(intact && output.isIntact)
      }
    }
  }

  /// Weights with a zero point for each channel, and with one for all, at the ends of their range as well.
  @Test(arguments: try ConvolutionCase.all(), [0, 1, 2])
  func weightsWithZeroPoints(_ test: ConvolutionCase, _ form: Int) throws {
    let g = test.geometry, batch = test.batch
    var numbers = Numbers(UInt64(g.weightCount + form))
    let zeroPoints: [Int8] =
      switch form {
      case 0: [-128]
      case 1: numbers.weights(g.outputChannels)
      default: (0..<g.outputChannels).map { $0 % 2 == 0 ? -128 : 127 }
      }
    let extreme = form == 2
    let input = Guarded(
      extreme ? [UInt8](repeating: 255, count: g.inputCount * batch) : numbers.bytes(g.inputCount * batch))
    // As far from their zero points as can be.
    let weights =
      extreme ? (0..<g.weightCount).map { $0 / g.depth % 2 == 0 ? Int8(127) : -128 } : numbers.weights(g.weightCount)
    let scales = (0..<g.outputChannels).map { Float(0.5) / Float(100 * g.depth + $0) }

    let bias = numbers.sums(g.outputChannels, 3000), zeroPoint: UInt8 = extreme ? 0 : 31
    let exact = Self.sums(
      g, input.array, weights, [UInt8](repeating: zeroPoint, count: batch), weightZeroPoints: zeroPoints)
    let expected = exact.enumerated().map { index, sum in
      let channel = index % g.outputChannels
      let q = (Float(sum + Int(bias[channel])) * scales[channel]).rounded(.toNearestOrEven) + 120
      return UInt8(min(max(q, 10), 250))
    }
    let quantization = (0..<batch).map {
      AffineQuantization(scale: 0.01 * Float($0 + 1), zeroPoint: UInt8(13 * $0 % 256))
    }
    let shift = numbers.floats(g.outputChannels)
    let exactSums = Self.sums(g, input.array, weights, quantization.map(\.zeroPoint), weightZeroPoints: zeroPoints)
    let expectedFloats = exactSums.enumerated().map { index, sum in
      let channel = index % g.outputChannels
      return shift[channel].addingProduct(Float(sum), quantization[index / g.outputCount].scale * scales[channel])
    }
    for isa in supportedSets {
      func convolution(_ output: IntegerOutput) throws -> IntegerConvolution {
        try weights.withUnsafeBufferPointer {
          try IntegerConvolution(g, weights: $0, zeroPoints: zeroPoints, output: output, isa: isa)
        }
      }
      let codes = try convolution(
        .codes(inputZeroPoint: zeroPoint, bias: bias, scales: scales, zeroPoint: 120, clamp: 10...250))
      let floats = try convolution(.floats(scales: scales, bias: shift, clamp: -.infinity ... .infinity))
      for threads in [1, 3] {
        let pool = try ThreadPool(threads: threads, smallestWork: 0)
        let output = Guarded<UInt8>(g.outputCount * batch, filling: 1)
        var intact = withScratch(codes.scratchBytes(batch: batch, threads: threads)) {
          codes.run(input: input.base, output: output.base, batch: batch, scratch: $0, pool: pool)
        }
        #expect(output.array == expected, "\(isa), \(threads) threads")
        #expect(intact && output.isIntact)
        let real = Guarded<Float>(g.outputCount * batch, filling: .nan)
        intact = withScratch(floats.scratchBytes(batch: batch, threads: threads)) { scratch in
          quantization.withUnsafeBufferPointer {
            floats.run(
              input: input.base, quantization: $0, output: real.base, batch: batch, scratch: scratch, pool: pool)
          }
        }
        #expect(bits(real.array) == bits(expectedFloats), "\(isa), \(threads) threads")
        #expect(intact && real.isIntact)
      }
    }
  }

  /// No zero points, or only zeros, are no work.
  @Test func zeroPointsOfZeroCostNothing() throws {
    let g = try ConvolutionGeometry.dense(inputs: 9, outputs: 4), weights = [Int8](repeating: 3, count: 36)
    func convolution(_ zeroPoints: [Int8]?) throws -> IntegerConvolution {
      try weights.withUnsafeBufferPointer {
        try IntegerConvolution(
          g, weights: $0, zeroPoints: zeroPoints,
          output: .codes(inputZeroPoint: 3, bias: nil, scales: [1, 1, 1, 1], zeroPoint: 0, clamp: 0...255))
      }
    }
    let plain = try convolution(nil)
    for zeroPoints in [[0], [0, 0, 0, 0]] as [[Int8]] {
      let same = try convolution(zeroPoints)
      #expect(same.packedBytes == plain.packedBytes)
      #expect(same.scratchBytes(batch: 5, threads: 2) == plain.scratchBytes(batch: 5, threads: 2))
    }
    #expect(try convolution([1]).packedBytes > plain.packedBytes)
  }

  @Test func refusesSumsBeyond32Bits() throws {
    let long = try ConvolutionGeometry.dense(inputs: 70_000, outputs: 1)
    let weights = [Int8](repeating: 1, count: 70_000)
    let output = IntegerOutput.codes(inputZeroPoint: 0, bias: nil, scales: [1], zeroPoint: 0, clamp: 0...255)
    let error = #expect(throws: CompressError.self) {
      try weights.withUnsafeBufferPointer { _ = try IntegerConvolution(long, weights: $0, output: output) }
    }
    #expect(error?.message == "an integer sum of 70000 products may leave 32 bits; 65793 are safe")
    // Less its zero point a weight can be twice as large.
    let half = try ConvolutionGeometry.dense(inputs: 40_000, outputs: 1)
    let shifted = #expect(throws: CompressError.self) {
      try weights[..<40_000].withUnsafeBufferPointer {
        _ = try IntegerConvolution(half, weights: $0, zeroPoints: [-1], output: output)
      }
    }
    #expect(shifted?.message == "an integer sum of 40000 products may leave 32 bits; 33025 are safe")
    try weights[..<40_000].withUnsafeBufferPointer {
      _ = try IntegerConvolution(half, weights: $0, zeroPoints: [0], output: output)
    }
    let short = try ConvolutionGeometry.dense(inputs: 2, outputs: 1)
    let biased = IntegerOutput.codes(inputZeroPoint: 0, bias: [.max], scales: [1], zeroPoint: 0, clamp: 0...255)
    #expect(throws: CompressError.self) {
      try weights[..<2].withUnsafeBufferPointer { _ = try IntegerConvolution(short, weights: $0, output: biased) }
    }
    let infinite = IntegerOutput.floats(scales: [.infinity], bias: nil, clamp: 0...1)
    #expect(throws: CompressError.self) {
      try weights[..<2].withUnsafeBufferPointer { _ = try IntegerConvolution(short, weights: $0, output: infinite) }
    }
  }
}
