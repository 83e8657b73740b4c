import Kernels

/// ReLU and ReLU6. The gradient follows from the output alone, so the output may take the input's place; at a
/// kink it is zero, as in TensorFlow.
struct ClampLayer: Layer {
  let range: ClosedRange<Float>
  let input: Value
  let output: Value
  /// Whether the layer before has already applied it, in place.
  let isFused: Bool

  var keeps: Keeping { .output }

  func forward(_ pass: Pass) {
    if isFused { return }
    Elementwise.clamp(
      input.data.base, output: output.data.base, count: pass.count * output.size, to: range, pool: pass.pool)
  }

  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    Elementwise.clampGradient(
      outputGradient: output.gradient!.base, clamped: output.data.base, inputGradient: target.base,
      count: pass.count * output.size, range: range, pool: pass.pool)
  }
}

/// The logistic function; its gradient, too, follows from the output.
struct SigmoidLayer: Layer {
  let input: Value
  let output: Value

  var keeps: Keeping { .output }

  func forward(_ pass: Pass) {
    Elementwise.sigmoid(input.data.base, output: output.data.base, count: pass.count * output.size, pool: pass.pool)
  }

  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    let (y, dy) = (output.data, output.gradient!)
    pass.pool.forChunks(pass.count * output.size) { range in
      let y = y.base, dy = dy.base, dx = target.base
      for i in range { dx[i] = dy[i] * y[i] * (1 - y[i]) }
    }
  }
}

/// `x * relu6(x + 3) / 6`, whose gradient needs the input: two inputs can have one output.
struct HardSwishLayer: Layer {
  let input: Value
  let output: Value

  var keeps: Keeping { .inputs }

  func forward(_ pass: Pass) {
    Elementwise.hardSwish(input.data.base, output: output.data.base, count: pass.count * output.size, pool: pass.pool)
  }

  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    Elementwise.hardSwishGradient(
      outputGradient: output.gradient!.base, input.data.base, inputGradient: target.base,
      count: pass.count * output.size, pool: pass.pool)
  }
}

/// Softmax over the last axis, inside a network (at the output it belongs to the loss).
struct SoftmaxLayer: Layer {
  let input: Value
  let output: Value

  var keeps: Keeping { .output }

  private var width: Int { output.shape.dims.last! }
  private func rows(_ pass: Pass) -> Int { width == 0 ? 0 : pass.count * (output.size / width) }

  func forward(_ pass: Pass) {
    Elementwise.softmax(
      input.data.base, output: output.data.base, rows: rows(pass), columns: width, pool: pass.pool)
  }

  // dx = y * (dy - sum(y * dy))
  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    let (y, dy, width) = (output.data, output.gradient!, width)
    pass.pool.forRows(rows(pass), width: width) { range in
      for row in range {
        let y = y.base + row * width, dy = dy.base + row * width, dx = target.base + row * width
        var sum: Float = 0
        for i in 0..<width { sum += y[i] * dy[i] }
        for i in 0..<width { dx[i] = y[i] * (dy[i] - sum) }
      }
    }
  }
}
