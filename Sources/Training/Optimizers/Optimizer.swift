import Diagnostics
import Kernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How gradients move parameters.
public enum Optimizer: Sendable, Hashable {
  /// Stochastic gradient descent, by Keras' convention: `v = momentum * v - rate * g`, `w = w + v`.
  case sgd(momentum: Double = 0)

  /// Adam (Kingma and Ba 2015), bias-corrected, with epsilon where Keras has it (the paper's "epsilon hat"):
  /// `m = beta1 * m + (1 - beta1) * g`, `v = beta2 * v + (1 - beta2) * g²`,
  /// `w = w - rate * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon)`.
  case adam(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-7)

  /// The rate used when none is given, Keras' own.
  public var defaultLearningRate: Double {
    switch self {
    case .sgd: 0.01
    case .adam: 0.001
    }
  }

  /// - Throws: `CompressError` when a coefficient is out of range.
  func validate() throws {
    switch self {
    case .sgd(let momentum):
      guard (0..<1).contains(momentum) else { throw CompressError("momentum \(momentum) is not in 0..<1") }
    case .adam(let beta1, let beta2, let epsilon):
      guard (0..<1).contains(beta1) else { throw CompressError("beta1 \(beta1) is not in 0..<1") }
      guard (0..<1).contains(beta2) else { throw CompressError("beta2 \(beta2) is not in 0..<1") }
      guard epsilon > 0, epsilon.isFinite else { throw CompressError("epsilon \(epsilon) is not above 0") }
    }
  }

  /// Buffers of a parameter's size that it keeps from step to step.
  private var stateCount: Int {
    switch self {
    case .sgd(let momentum): momentum == 0 ? 0 : 1
    case .adam: 2
    }
  }

  /// Gives the parameter the memory the optimizer needs, all zero.
  func prepare(_ parameter: TrainableParameter) throws {
    guard parameter.gradient != nil else { return }
    parameter.state = try (0..<stateCount).map { _ in try FloatBuffer(parameter.values.count) }
  }

  /// Moves the parameter by its gradient, then zeroes what its mask removes. `step` counts from 1.
  func update(_ parameter: TrainableParameter, rate: Double, step: Int, pool: ThreadPool) {
    guard let gradient = parameter.gradient else { return }
    let values = parameter.values
    switch self {
    case .sgd(let momentum) where momentum == 0:
      let rate = Float(rate)
      pool.forChunks(values.count) { range in
        let w = values.base, g = gradient.base
        for i in range { w[i] -= rate * g[i] }
      }
    case .sgd(let momentum):
      let velocity = parameter.state[0], rate = Float(rate), momentum = Float(momentum)
      pool.forChunks(values.count) { range in
        let w = values.base, g = gradient.base, v = velocity.base
        for i in range {
          v[i] = momentum * v[i] - rate * g[i]
          w[i] += v[i]
        }
      }
    case .adam(let beta1, let beta2, let epsilon):
      let (mean, square) = (parameter.state[0], parameter.state[1])
      let t = Double(step)
      let rate = Float(rate * (1 - pow(beta2, t)).squareRoot() / (1 - pow(beta1, t)))
      let b1 = Float(beta1), b2 = Float(beta2), c1 = Float(1 - beta1), c2 = Float(1 - beta2), epsilon = Float(epsilon)
      pool.forChunks(values.count) { range in
        let w = values.base, g = gradient.base, m = mean.base, v = square.base
        for i in range {
          m[i] = b1 * m[i] + c1 * g[i]
          v[i] = b2 * v[i] + c2 * (g[i] * g[i])
          w[i] -= rate * m[i] / (v[i].squareRoot() + epsilon)
        }
      }
    }
    parameter.holdMask(pool)
  }
}
