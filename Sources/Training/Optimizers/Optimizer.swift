import Diagnostics
import Kernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How gradients move parameters. `decay` is the `TrainingOptions.weightDecay` of parameters that have one, else zero.
public enum Optimizer: Sendable, Hashable {
  /// Stochastic gradient descent, by Keras' convention: `g = g + decay * w`, `v = momentum * v - rate * g`,
  /// `w = w + v`; with Nesterov's look-ahead `w = w + momentum * v - rate * g`.
  case sgd(momentum: Double = 0, nesterov: Bool = false)

  /// Adam (Kingma and Ba 2015), bias-corrected, with epsilon where Keras has it (the paper's "epsilon hat"):
  /// `g = g + decay * w`, `m = beta1 * m + (1 - beta1) * g`, `v = beta2 * v + (1 - beta2) * g²`,
  /// `w = w - rate * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon)`.
  case adam(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-7)

  /// Adam with the decay apart from the gradient (Loshchilov and Hutter 2019): `w = w - rate * decay * w` before
  /// Adam's step.
  case adamW(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-7)

  /// The rate used when none is given, Keras' own.
  public var defaultLearningRate: Double {
    switch self {
    case .sgd: 0.01
    case .adam, .adamW: 0.001
    }
  }

  /// The decay used when none is given: PyTorch's.
  public var defaultWeightDecay: Double {
    switch self {
    case .sgd, .adam: 0
    case .adamW: 0.01
    }
  }

  /// - Throws: `CompressError` when a coefficient is out of range.
  func validate() throws {
    switch self {
    case .sgd(let momentum, let nesterov):
      guard (0..<1).contains(momentum) else { throw CompressError("momentum \(momentum) is not in 0..<1") }
      guard !nesterov || momentum > 0 else { throw CompressError("nesterov needs a momentum above 0") }
    case .adam(let beta1, let beta2, let epsilon), .adamW(let beta1, let beta2, let epsilon):
      guard (0..<1).contains(beta1) else { throw CompressError("beta1 \(beta1) is not in 0..<1") }
      guard (0..<1).contains(beta2) else { throw CompressError("beta2 \(beta2) is not in 0..<1") }
      guard epsilon > 0, epsilon.isFinite else { throw CompressError("epsilon \(epsilon) is not above 0") }
    }
  }

  /// Buffers of a parameter's size that it keeps from step to step.
  private var stateCount: Int {
    switch self {
    case .sgd(let momentum, _): momentum == 0 ? 0 : 1
    case .adam, .adamW: 2
    }
  }

  /// Gives the parameter the memory the optimizer needs, all zero.
  func prepare(_ parameter: TrainableParameter) throws {
    guard parameter.gradient != nil else { return }
    parameter.state = try (0..<stateCount).map { _ in try FloatBuffer(parameter.values.count) }
  }

  /// What one step has in common for all parameters.
  struct Step {
    let rate: Double
    /// From 1.
    let number: Int
    /// What gradients are multiplied with, to clip them.
    var gradientScale: Float = 1
    /// Of the parameters that decay.
    var decay: Double = 0
  }

  /// Moves the parameter by its gradient, then zeroes what its mask removes.
  func update(_ parameter: TrainableParameter, _ step: Step, pool: ThreadPool) {
    guard let gradient = parameter.gradient else { return }
    let values = parameter.values, scale = step.gradientScale
    let decay = parameter.decays ? step.decay : 0
    switch self {
    case .sgd(let momentum, _) where momentum == 0:
      let rate = Float(step.rate), decay = Float(decay)
      pool.forChunks(values.count) { range in
        let w = values.base, g = gradient.base
        for i in range { w[i] -= rate * (scale * g[i] + decay * w[i]) }
      }
    case .sgd(let momentum, let nesterov):
      let velocity = parameter.state[0], rate = Float(step.rate), momentum = Float(momentum), decay = Float(decay)
      pool.forChunks(values.count) { range in
        let w = values.base, g = gradient.base, v = velocity.base
        if nesterov {
          for i in range {
            let g = rate * (scale * g[i] + decay * w[i])
            v[i] = momentum * v[i] - g
            w[i] += momentum * v[i] - g
          }
        } else {
          for i in range {
            v[i] = momentum * v[i] - rate * (scale * g[i] + decay * w[i])
            w[i] += v[i]
          }
        }
      }
    case .adam(let beta1, let beta2, let epsilon), .adamW(let beta1, let beta2, let epsilon):
      let (mean, square) = (parameter.state[0], parameter.state[1])
      let t = Double(step.number)
      let rate = Float(step.rate * (1 - pow(beta2, t)).squareRoot() / (1 - pow(beta1, t)))
      let b1 = Float(beta1), b2 = Float(beta2), c1 = Float(1 - beta1), c2 = Float(1 - beta2), epsilon = Float(epsilon)
      let isDecoupled = if case .adamW = self { true } else { false }
      let coupled = isDecoupled ? 0 : Float(decay), shrink = isDecoupled ? Float(1 - step.rate * decay) : 1
      pool.forChunks(values.count) { range in
        let w = values.base, g = gradient.base, m = mean.base, v = square.base
        for i in range {
          let g = scale * g[i] + coupled * w[i]
          m[i] = b1 * m[i] + c1 * g
          v[i] = b2 * v[i] + c2 * (g * g)
          w[i] = shrink * w[i] - rate * m[i] / (v[i].squareRoot() + epsilon)
        }
      }
    }
    parameter.holdMask(pool)
  }
}
