import Kernels
import Network

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// ReLU and ReLU6. The gradient follows from the output alone, so the output may take the input's place; at a
/// kink it is zero, as in TensorFlow.
struct ClampLayer: Layer {
  let range: ClosedRange<Float>
  let input: Value
  let output: Value
  /// Whether the layer before has already applied it, in place.
  let isFused: Bool

  var savedForBackward: SavedForBackward { .output }

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

  var savedForBackward: SavedForBackward { .output }

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

/// Any other function of each element, whose gradient needs the input: two inputs can have one output.
struct ElementLayer: Layer {
  private let input: Value
  private let output: Value
  private let step: StandaloneStep
  private let derivative: (Float) -> Float

  /// - Precondition: the function is one of each element.
  init(_ function: Elementwise.Function, _ activation: Activation, _ input: Value, _ output: Value) {
    self.input = input
    self.output = output
    step = StandaloneStep(function.step(count: input.size))
    derivative = activation.derivative!
  }

  var savedForBackward: SavedForBackward { .inputs }

  func forward(_ pass: Pass) {
    step.run([UnsafePointer(input.data.base)], to: [output.data.base], batch: pass.count, pool: pass.pool)
  }

  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    let x = input.data.base, dy = output.gradient!.base, dx = target.base, derivative = derivative
    pass.pool.forChunks(pass.count * output.size) { range in
      for i in range { dx[i] = dy[i] * derivative(x[i]) }
    }
  }
}

/// A ReLU with a slope for each channel below zero, which is trained.
struct PReLULayer: Layer {
  private let input: Value
  private let output: Value
  private let slope: TrainableParameter
  private let sums: ColumnSums
  private let width: Int

  init(_ input: Value, _ output: Value, slope: TrainableParameter, batchSize: Int) throws {
    self.input = input
    self.output = output
    self.slope = slope
    width = slope.values.count
    sums = try ColumnSums(rows: batchSize * (width == 0 ? 0 : output.size / width), width: width)
  }

  var savedForBackward: SavedForBackward { .inputs }

  private func rows(_ pass: Pass) -> Int { width == 0 ? 0 : pass.count * (output.size / width) }

  func forward(_ pass: Pass) {
    let x = input.data.base, y = output.data.base, slopes = slope.values.base, width = width
    pass.pool.forRows(rows(pass), width: width) { range in
      for row in range {
        for c in 0..<width {
          let i = row * width + c
          y[i] = x[i] < 0 ? slopes[c] * x[i] : x[i]
        }
      }
    }
  }

  func parameterGradients(_ pass: Pass) {
    guard let gradient = slope.gradient, let dy = output.gradient?.base else { return }
    let x = input.data.base, width = width
    sums(rows: rows(pass), pool: pass.pool) { range, sums in
      for row in range {
        for c in 0..<width where x[row * width + c] < 0 { sums[c] += dy[row * width + c] * x[row * width + c] }
      }
    } store: { gradient[$0] = Float($1) }
  }

  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    let x = input.data.base, dy = output.gradient!.base, dx = target.base, slopes = slope.values.base, width = width
    pass.pool.forRows(rows(pass), width: width) { range in
      for row in range {
        for c in 0..<width {
          let i = row * width + c
          dx[i] = dy[i] * (x[i] <= 0 ? slopes[c] : 1)
        }
      }
    }
  }
}

/// Softmax over the last axis, or its logarithm, inside a network (at the output it belongs to the loss).
struct SoftmaxLayer: Layer {
  let input: Value
  let output: Value
  var isLogarithm = false

  var savedForBackward: SavedForBackward { .output }

  private var width: Int { output.shape.dims.last! }
  private func rows(_ pass: Pass) -> Int { width == 0 ? 0 : pass.count * (output.size / width) }

  func forward(_ pass: Pass) {
    Elementwise.softmax(
      input.data.base, output: output.data.base, rows: rows(pass), columns: width, isLogarithm: isLogarithm,
      pool: pass.pool)
  }

  // dx = y * (dy - sum(y * dy)); of the logarithm y, dx = dy - exp(y) * sum(dy).
  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    let (y, dy, width, isLogarithm) = (output.data, output.gradient!, width, isLogarithm)
    pass.pool.forRows(rows(pass), width: width) { range in
      for row in range {
        let y = y.base + row * width, dy = dy.base + row * width, dx = target.base + row * width
        var sum: Float = 0
        if isLogarithm {
          for i in 0..<width { sum += dy[i] }
          for i in 0..<width { dx[i] = dy[i] - expf(y[i]) * sum }
        } else {
          for i in 0..<width { sum += y[i] * dy[i] }
          for i in 0..<width { dx[i] = y[i] * (dy[i] - sum) }
        }
      }
    }
  }
}
