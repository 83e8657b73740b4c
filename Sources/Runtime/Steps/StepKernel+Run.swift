import Kernels

extension BoundStep {
  /// Computes the step for the images of a call.
  func run(_ call: Call) {
    let batch = call.batch, pool = call.pool
    switch kernel {
    case .floatConvolution(let convolution):
      convolution.run(input: floats(0, call), output: floatOutput(call), batch: batch, scratch: scratch, pool: pool)
    case .dynamicConvolution(let dynamic):
      dynamic.run(input: floats(0, call), output: floatOutput(call), batch: batch, scratch: scratch, pool: pool)
    case .integerConvolution(let convolution):
      convolution.run(input: codes(0, call), output: codeOutput(call), batch: batch, scratch: scratch, pool: pool)
    case .decodingConvolution(let convolution, let quantization):
      quantization.withUnsafeBufferPointer { quantization in
        convolution.run(
          input: codes(0, call), quantization: UnsafeBufferPointer(rebasing: quantization[..<batch]),
          output: floatOutput(call), batch: batch, scratch: scratch, pool: pool)
      }

    case .floatMaxPool(let pooling):
      pooling.maximum(floats(0, call), output: floatOutput(call), batch: batch, pool: pool)
    case .floatAveragePool(let pooling):
      pooling.average(floats(0, call), output: floatOutput(call), batch: batch, pool: pool)
    case .integerMaxPool(let pooling, let table):
      let output = codeOutput(call)
      pooling.maximum(codes(0, call), output: output, batch: batch, pool: pool)
      if let table {
        let count = batch * pooling.window.outputPixels * pooling.window.channels
        Elementwise.lookup(output, output: output, count: count, table: table, pool: pool)
      }
    case .integerAveragePool(let pooling, let from, let to):
      pooling.average(codes(0, call), from, output: codeOutput(call), to, batch: batch, pool: pool)

    case .floatAdd(let count, let clamp, let broadcast):
      if broadcast.isNeeded {
        broadcast.run(floats(0, call), floats(1, call), output: floatOutput(call), batch: batch, pool: pool) {
          ($0 + $1).clamped(to: clamp)
        }
        return
      }
      Elementwise.add(
        floats(0, call), floats(1, call), output: floatOutput(call), count: batch * count, clamp: clamp, pool: pool)
    case .integerAdd(let addition, let broadcast):
      if broadcast.isNeeded {
        broadcast.run(
          codes(0, call), codes(1, call), output: codeOutput(call), batch: batch, pool: pool, addition.sum)
        return
      }
      Elementwise.add(
        codes(0, call), addition.a, codes(1, call), addition.b, output: codeOutput(call), addition.result,
        clamp: addition.clamp, count: batch * addition.count, pool: pool)
    case .concatenate(let concatenation): concatenation.run(self, call)
    case .floatPad(let padding):
      padding.pad(floats(0, call), output: floatOutput(call), with: 0, batch: batch, pool: pool)
    case .integerPad(let padding, let table, let zeroPoint):
      let output = codeOutput(call)
      padding.pad(codes(0, call), output: output, with: zeroPoint, batch: batch, pool: pool)
      if let table {
        Elementwise.lookup(output, output: output, count: batch * padding.outputCount, table: table, pool: pool)
      }

    case .floatClamp(let count, let range):
      Elementwise.clamp(floats(0, call), output: floatOutput(call), count: batch * count, to: range, pool: pool)
    case .sigmoid(let count):
      Elementwise.sigmoid(floats(0, call), output: floatOutput(call), count: batch * count, pool: pool)
    case .softmax(let rows, let columns):
      Elementwise.softmax(
        floats(0, call), output: floatOutput(call), rows: batch * rows, columns: columns, pool: pool)

    case .prepared(let prepared): prepared.run(self, call)
    case .constant(let values):
      for sample in 0..<batch {
        values.withUnsafeBufferPointer {
          (floatOutput(call) + sample * values.count).update(from: $0.baseAddress!, count: values.count)
        }
      }
    case .quantize(let count, let quantization):
      Conversion.quantize(floats(0, call), output: codeOutput(call), count: batch * count, quantization, pool: pool)
    case .dequantize(let count, let quantization):
      Conversion.dequantize(codes(0, call), output: floatOutput(call), count: batch * count, quantization, pool: pool)
    case .lookup(let count, let table):
      Elementwise.lookup(codes(0, call), output: codeOutput(call), count: batch * count, table: table, pool: pool)
    case .roundAffine(let count, let scale, let zeroPoint, let limit):
      Conversion.round(
        floats(0, call), output: floatOutput(call), count: batch * count, scale: scale, zeroPoint: zeroPoint,
        limit: limit, pool: pool)
    case .roundLevels(let count, let middles, let levels):
      Conversion.round(
        floats(0, call), output: floatOutput(call), count: batch * count, middles: middles, levels: levels, pool: pool)
    case .copy(let count): floatOutput(call).update(from: floats(0, call), count: batch * count)
    }
  }
}
