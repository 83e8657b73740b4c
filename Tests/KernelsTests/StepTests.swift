import Diagnostics
import Foundation
import Synchronization
import Testing

@testable import Kernels

/// What holds for every step: it is its bytes, it stops on request, and short ones stay on the calling thread.
@Suite struct StepTests {
  /// Steps of each kind, run from copies, against what their descriptors give.
  @Test(arguments: [2, 5, 8, 10, 16, 17])
  func convolutionsAreTheirBytes(_ index: Int) throws {
    let test = try ConvolutionCase.all()[index], g = test.geometry, batch = test.batch
    var numbers = Numbers(UInt64(index))
    let input = Guarded(numbers.floats(g.inputCount * batch)), codes = Guarded(numbers.bytes(g.inputCount * batch))
    let weights = numbers.floats(g.weightCount), bias = numbers.floats(g.outputChannels)
    let integers = numbers.weights(g.weightCount)
    let scales = (0..<g.outputChannels).map { Float(1 + $0 % 3) / Float(100 * g.depth) }
    let pool = try ThreadPool(threads: 2, smallestWork: 0), isa = InstructionSet.current
    let float = weights.withUnsafeBufferPointer { weights in
      bias.withUnsafeBufferPointer { FloatConvolution(g, weights: weights, bias: $0, clamp: -0.5...1) }
    }
    var expected = [Float](repeating: 0, count: g.outputCount * batch)
    _ = withScratch(float.scratchBytes(batch: batch, threads: 2)) {
      float.run(input: input.base, output: &expected, batch: batch, scratch: $0, pool: pool)
    }
    let out = Guarded<Float>(g.outputCount * batch, filling: .nan)
    let floatsKeep = runMoved(float.step, isa: isa, [input.base], to: out.base, batch: batch, pool: pool)
    #expect(floatsKeep)
    #expect(bits(out.array) == bits(expected) && out.isIntact)

    func integer(_ output: IntegerOutput) throws -> IntegerConvolution {
      try integers.withUnsafeBufferPointer { try IntegerConvolution(g, weights: $0, output: output) }
    }
    let toCodes = IntegerOutput.codes(
      inputZeroPoint: 31, bias: numbers.sums(g.outputChannels, 3000), scales: scales, zeroPoint: 120, clamp: 10...250)
    let coded = try integer(toCodes), codedOut = Guarded<UInt8>(out.count, filling: 1)
    var expectedCodes = [UInt8](repeating: 0, count: out.count)
    _ = withScratch(coded.scratchBytes(batch: batch, threads: 2)) {
      coded.run(input: codes.base, output: &expectedCodes, batch: batch, scratch: $0, pool: pool)
    }
    let codesKeep = runMoved(coded.step(), isa: isa, [codes.base], to: codedOut.base, batch: batch, pool: pool)
    #expect(codesKeep)
    #expect(codedOut.array == expectedCodes && codedOut.isIntact)

    // One coding for all images, and one for each.
    let toFloats = IntegerOutput.floats(scales: scales, bias: bias, clamp: -3...500)
    let fixed = AffineQuantization(scale: 0.03, zeroPoint: 77)
    func expect(
      _ step: PreparedStep, _ from: UnsafeRawPointer, _ codes: UnsafePointer<UInt8>,
      _ quantization: [AffineQuantization]
    ) throws {
      let descriptor = try integer(toFloats)
      _ = withScratch(descriptor.scratchBytes(batch: batch, threads: 2)) { scratch in
        quantization.withUnsafeBufferPointer {
          descriptor.run(input: codes, quantization: $0, output: &expected, batch: batch, scratch: scratch, pool: pool)
        }
      }
      let keeps = runMoved(step, isa: isa, [from], to: out.base, batch: batch, pool: pool)
      #expect(keeps)
      #expect(bits(out.array) == bits(expected) && out.isIntact)
    }
    try expect(
      integer(toFloats).step(input: fixed), codes.base, codes.base, [AffineQuantization](repeating: fixed, count: batch)
    )
    let own = (0..<batch).map { image in
      AffineQuantization(covering: Conversion.range(of: input.base + image * g.inputCount, count: g.inputCount)!)
    }
    let quantized = Guarded<UInt8>(input.count, filling: 0)
    for (image, quantization) in own.enumerated() {
      let first = image * g.inputCount
      Conversion.quantize(
        input.base + first, output: quantized.base + first, count: g.inputCount, quantization, pool: .serial)
    }
    try expect(integer(toFloats).dynamicStep, input.base, quantized.base, own)
  }

  @Test func otherStepsAreTheirBytes() throws {
    let pool = try ThreadPool(threads: 2, smallestWork: 0), batch = 3
    var numbers = Numbers(11)
    let window = try WindowGeometry(
      height: 7, width: 6, channels: 5, kernel: (3, 2), stride: (2, 1),
      padding: .init(top: 1, left: 1, bottom: 0, right: 1))
    let pooling = try Pooling(window, countsPadding: true)
    let count = window.inputCount, pooled = window.outputPixels * window.channels
    let input = Guarded(numbers.floats(count * batch)), codes = Guarded(numbers.bytes(count * batch))
    let table = numbers.bytes(256)
    let from = AffineQuantization(scale: 0.1, zeroPoint: 40),
      to = AffineQuantization(scale: 0.15, zeroPoint: 90, limit: 127)

    func check<T: Equatable & BitwiseCopyable>(
      _ step: PreparedStep, _ input: UnsafeRawPointer, _ count: Int, _ zero: T,
      sourceLocation: SourceLocation = #_sourceLocation, _ body: (UnsafeMutablePointer<T>) -> Void
    ) {
      let expected = Guarded<T>(count * batch, filling: zero), out = Guarded<T>(count * batch, filling: zero)
      body(expected.base)
      for isa in supportedSets {
        // A step can be moved once only: each set has a copy of its own.
        let copy = PreparedStep(copying: step)
        let keeps = runMoved(copy, isa: isa, [input], to: out.base, batch: batch, pool: pool)
        let isEqual = keeps && out.isIntact && out.array == expected.array
        #expect(isEqual, "\(step.kernel) on \(isa)", sourceLocation: sourceLocation)
      }
    }
    check(pooling.step(.max), input.base, pooled, Float(0)) {
      pooling.maximum(input.base, output: $0, batch: batch, pool: pool)
    }
    check(pooling.step(.average), input.base, pooled, Float(0)) {
      pooling.average(input.base, output: $0, batch: batch, pool: pool)
    }
    check(pooling.maximumStep(table: table), codes.base, pooled, UInt8(0)) {
      pooling.maximum(codes.base, output: $0, batch: batch, pool: pool)
      Elementwise.lookup($0, output: $0, count: pooled * batch, table: table, pool: pool)
    }
    check(pooling.averageStep(from: from, to: to), codes.base, pooled, UInt8(0)) {
      pooling.average(codes.base, from, output: $0, to, batch: batch, pool: pool)
      for i in 0..<pooled * batch { #expect($0[i] <= 127) }
    }
    check(Elementwise.lookupStep(count: count, table: table), codes.base, count, UInt8(0)) {
      for i in 0..<count * batch { $0[i] = table[Int(codes.base[i])] }
    }
    check(Conversion.quantizeStep(count: count, to), input.base, count, UInt8(0)) {
      for i in 0..<count * batch {
        $0[i] = UInt8(min(max((input.base[i] * (1 / to.scale)).rounded(.toNearestOrEven) + 90, 0), 127))
      }
    }
    check(Conversion.dequantizeStep(count: count, from), codes.base, count, Float(0)) {
      for i in 0..<count * batch { $0[i] = Float(Int(codes.base[i]) - 40) * from.scale }
    }
    let middles: [Float] = [-0.5, 0.25] + [Float](repeating: .infinity, count: 253)
    check(Conversion.roundStep(count: count, middles: middles, levels: [-1, 0, 1]), input.base, count, Float(0)) {
      for i in 0..<count * batch { $0[i] = input.base[i] <= -0.5 ? -1 : input.base[i] <= 0.25 ? 0 : 1 }
    }
    check(Elementwise.Function.hardSwish.step(count: count), input.base, count, Float(0)) {
      for i in 0..<count * batch { $0[i] = input.base[i] * min(max(input.base[i] + 3, 0), 6) / 6 }
    }
    let padding = ZeroPadding(shape: [7, 6, 5], before: [1, 0, 2], after: [0, 3, 1])
    check(padding.step, input.base, padding.outputCount, Float(0)) {
      padding.pad(input.base, output: $0, with: 0, batch: batch, pool: pool)
    }
    // The padding is coded anew as well.
    let floats = Guarded(codes.array.map { Float($0) })
    check(padding.step(with: 31, table: table), codes.base, padding.outputCount, UInt8(0)) { result in
      let padded = Guarded<Float>(padding.outputCount * batch, filling: 0)
      padding.pad(floats.base, output: padded.base, with: 31, batch: batch, pool: pool)
      for (index, value) in padded.array.enumerated() { result[index] = table[Int(value)] }
    }
  }

  /// Whichever loop a step has, it hears of a request to stop.
  @Test(arguments: [1, 2]) func stepsThatWereAskedToStopWriteNothing(threads: Int) throws {
    let pool = try ThreadPool(threads: threads, smallestWork: 0), cancellation = Cancellation()
    let window = try WindowGeometry(height: 40, width: 40, channels: 16, kernel: (3, 3))
    let count = window.inputCount
    let input = Guarded<Float>(count, filling: 1), other = Guarded<Float>(count, filling: 1)
    let weights = [Float](repeating: 1, count: 16 * 16 * 9)
    let full = try ConvolutionGeometry(window, outputChannels: 16)
    let depthwise = try ConvolutionGeometry(window, outputChannels: 16, groups: 16)
    func convolution(_ g: ConvolutionGeometry) -> PreparedStep {
      weights[..<g.weightCount].withUnsafeBufferPointer { FloatConvolution(g, weights: $0, bias: nil).step }
    }
    let integers = [Int8](repeating: 1, count: full.weightCount)
    let dynamic = try integers.withUnsafeBufferPointer {
      try IntegerConvolution(
        full, weights: $0,
        output: .floats(scales: [Float](repeating: 1, count: 16), bias: nil, clamp: -.infinity ... .infinity)
      ).dynamicStep
    }
    let steps = [
      convolution(full), convolution(depthwise), dynamic, try Pooling(window).step(.max),
      Elementwise.Function.sigmoid.step(count: count), Elementwise.softmaxStep(rows: count / 16, columns: 16),
      try Broadcast([40, 40, 16], [40, 40, 16]).step(.add, clamp: 0...2),
      try Broadcast([40, 40, 16], [16]).step(.multiply, clamp: 0...2),
      ZeroPadding(shape: [40, 40, 16], before: [1, 1, 0], after: [0, 0, 0]).step,
    ]
    for step in steps {
      func run() -> [Float] {
        let out = Guarded<Float>(41 * 41 * 16, filling: 7)
        _ = runMoved(
          PreparedStep(copying: step), isa: .current, [input.base, other.base], to: out.base, batch: 1, pool: pool)
        return out.array
      }
      #expect(run()[0] != 7, "\(step.kernel)")
      cancellation.request()
      let stopped = Cancellation.$current.withValue(cancellation) { run() }
      #expect(stopped.allSatisfy { $0 == 7 }, "\(step.kernel)")
    }
  }

  /// Below the pool's smallest work a step's loop is not handed out, as `ThreadPool.forWork` has it.
  @Test func shortStepsStayOnTheCallingThread() throws {
    let threads = Mutex(Set<UInt>())
    let window = try WindowGeometry(height: 64, width: 64, channels: 8, kernel: (3, 3))
    let g = try ConvolutionGeometry(window, outputChannels: 8)
    let weights = [Float](repeating: 1, count: g.weightCount), input = [Float](repeating: 1, count: g.inputCount)
    let convolution = weights.withUnsafeBufferPointer { FloatConvolution(g, weights: $0, bias: nil) }
    func run(_ pool: ThreadPool) {
      let out = Guarded<Float>(g.outputCount, filling: 0)
      let intact = withScratch(convolution.scratchBytes(batch: 1, threads: pool.threads)) {
        convolution.run(input: input, output: out.base, batch: 1, scratch: $0, pool: pool)
      }
      #expect(intact && out.array.allSatisfy { $0 == 72 })
    }
    func pool(_ smallestWork: Int) throws -> ThreadPool {
      try ThreadPool(threads: 3, smallestWork: smallestWork) { _ in
        _ = threads.withLock { $0.insert(UInt(pthread_self())) }
      }
    }
    let patient = try pool(1 << 40)
    for _ in 0..<50 { run(patient) }
    #expect(threads.withLock { $0 } == [UInt(pthread_self())])
    let eager = try pool(0), start = ContinuousClock.now
    while threads.withLock({ $0.count }) < 2, ContinuousClock.now - start < .seconds(20) { run(eager) }
    #expect(threads.withLock { $0.count } > 1)
  }
}
