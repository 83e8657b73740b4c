import Testing

@testable import Kernels

/// Gradients against the definition in double precision, and alike for every number of threads.
@Suite struct ConvolutionGradientTests {
  struct Gradients {
    var input, weights, bias: [Double]
  }

  static func naive(
    _ g: ConvolutionGeometry, _ input: [Float], _ weights: [Float], _ d: [Float], batch: Int
  ) -> Gradients {
    let w = g.window, perGroup = w.channels / g.groups, outputs = g.outputChannels / g.groups
    var out = Gradients(
      input: .init(repeating: 0, count: input.count), weights: .init(repeating: 0, count: weights.count),
      bias: .init(repeating: 0, count: g.outputChannels))
    for index in 0..<batch * g.outputCount {
      let o = index % g.outputChannels, ox = index / g.outputChannels % w.outputWidth
      let oy = index / g.outputChannels / w.outputWidth % w.outputHeight, n = index / g.outputCount
      out.bias[o] += Double(d[index])
      for ky in 0..<w.kernelHeight {
        for kx in 0..<w.kernelWidth {
          let y = oy * w.strideHeight + ky * w.dilationHeight - w.padding.top
          let x = ox * w.strideWidth + kx * w.dilationWidth - w.padding.left
          guard y >= 0, y < w.height, x >= 0, x < w.width else { continue }
          for c in 0..<perGroup {
            let i = ((n * w.height + y) * w.width + x) * w.channels + o / outputs * perGroup + c
            let k = ((o * w.kernelHeight + ky) * w.kernelWidth + kx) * perGroup + c
            out.input[i] += Double(weights[k]) * Double(d[index])
            out.weights[k] += Double(input[i]) * Double(d[index])
          }
        }
      }
    }
    return out
  }

  /// Sums of at most a few thousand products below one: float32 keeps them to this.
  static let tolerance = 2e-4

  static func expectClose(_ values: [Float], _ expected: [Double], _ what: String) {
    let worst = zip(values, expected).map { abs(Double($0) - $1) }.max()!
    #expect(worst < tolerance, "\(what): off by \(worst)")
  }

  @Test(arguments: try ConvolutionCase.all())
  func agreeWithTheDefinition(_ test: ConvolutionCase) throws {
    let g = test.geometry, batch = test.batch
    var numbers = Numbers(UInt64(g.weightCount))
    let input = Guarded(numbers.floats(g.inputCount * batch)), weights = Guarded(numbers.floats(g.weightCount))
    let d = Guarded(numbers.floats(g.outputCount * batch))
    let expected = Self.naive(g, input.array, weights.array, d.array, batch: batch)
    var first: [UInt32]?
    for isa in supportedSets {
      let gradient = ConvolutionGradient(g, isa: isa)
      for threads in 1...3 {
        let pool = try ThreadPool(threads: threads, smallestWork: 0)
        let di = Guarded<Float>(input.count, filling: .nan), dw = Guarded<Float>(weights.count, filling: .nan)
        let db = Guarded<Float>(g.outputChannels, filling: .nan)
        var intact = withScratch(gradient.inputGradientScratchBytes(batch: batch, threads: threads)) {
          gradient.inputGradient(
            outputGradient: d.base, weights: weights.base, inputGradient: di.base, batch: batch, scratch: $0,
            pool: pool)
        }
        intact =
          withScratch(gradient.weightGradientScratchBytes(batch: batch, threads: threads)) {
            gradient.weightGradient(
              input: input.base, outputGradient: d.base, weightGradient: dw.base, biasGradient: db.base, batch: batch,
              scratch: $0, pool: pool)
          } && intact
        #expect(intact && di.isIntact && dw.isIntact && db.isIntact)
        let all = bits(di.array + dw.array + db.array)
        if let first {
          #expect(all == first, "\(isa) with \(threads) threads differs")
        } else {
          first = all
          Self.expectClose(di.array, expected.input, "input")
          Self.expectClose(dw.array, expected.weights, "weights")
          Self.expectClose(db.array, expected.bias, "bias")
        }
      }
    }
  }
}
