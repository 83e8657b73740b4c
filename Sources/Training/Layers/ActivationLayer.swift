import Kernels
import Network

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// ReLU, ReLU6 and sigmoid. Their gradients follow from the output alone, so the output may take the
/// input's place. At a kink the gradient is zero, as in TensorFlow.
struct ActivationLayer: Layer {
  let function: Activation
  let input: Value
  let output: Value
  /// Whether the layer before has already applied it, in place.
  let isFused: Bool

  init(_ function: Activation, _ input: Value, _ output: Value, isFused: Bool = false) {
    self.function = function
    self.input = input
    self.output = output
    self.isFused = isFused
  }

  func forward(_ pass: Pass) {
    if isFused { return }
    let (function, x, y) = (function, input.data, output.data)
    pass.pool.forChunks(pass.count * output.size) { range in
      let x = x.base, y = y.base
      switch function {
      // `x < 0 ? 0 : x` rather than a maximum: NaN must pass, so that training stops.
      case .relu: for i in range { y[i] = x[i] < 0 ? 0 : x[i] }
      case .relu6: for i in range { y[i] = x[i] < 0 ? 0 : x[i] > 6 ? 6 : x[i] }
      case .sigmoid: for i in range { y[i] = 1 / (1 + exp(-x[i])) }
      case .softmax: preconditionFailure("softmax has a layer of its own")
      }
    }
  }

  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    let (function, y, dy) = (function, output.data, output.gradient!)
    pass.pool.forChunks(pass.count * output.size) { range in
      let y = y.base, dy = dy.base, dx = target.base
      // Reading first and choosing then lets the compiler use vectors.
      switch function {
      case .relu:
        for i in range {
          let g = dy[i]
          dx[i] = y[i] > 0 ? g : 0
        }
      case .relu6:
        for i in range {
          let g = dy[i], inside = min(y[i], 6 - y[i])
          dx[i] = inside > 0 ? g : 0
        }
      case .sigmoid: for i in range { dx[i] = dy[i] * y[i] * (1 - y[i]) }
      case .softmax: preconditionFailure("softmax has a layer of its own")
      }
    }
  }
}
