import Kernels
import Network

/// Mean, sum, maximum or minimum along axes; the gradient of an extreme goes to the first among equals.
struct ReduceLayer: Layer {
  private let input: Value
  private let output: Value
  private let reduction: AxisReduction
  private let step: StandaloneStep

  init(_ reduction: AxisReduction, _ input: Value, _ output: Value) {
    self.input = input
    self.output = output
    self.reduction = reduction
    step = StandaloneStep(reduction.step)
  }

  var savedForBackward: SavedForBackward {
    switch reduction.function {
    case .mean, .sum: []
    case .max, .min: [.inputs, .output]
    }
  }

  func forward(_ pass: Pass) {
    step.run([UnsafePointer(input.data.base)], to: [output.data.base], batch: pass.count, pool: pass.pool)
  }

  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    let x = input.data.base, y = output.data.base, dy = output.gradient!.base, dx = target.base
    let reduction = reduction, size = input.size, count = output.size
    dx.update(repeating: 0, count: pass.count * size)
    pass.pool.parallelFor(pass.count) { sample in
      for (result, first) in reduction.starts.enumerated() {
        let start = sample * size + first, result = sample * count + result
        switch reduction.function {
        case .sum: for element in reduction.within { dx[start + element] = dy[result] }
        case .mean:
          let share = dy[result] / Float(reduction.within.count)
          for element in reduction.within { dx[start + element] = share }
        case .max, .min:
          if let winner = reduction.within.first(where: { x[start + $0] == y[result] }) {
            dx[start + winner] = dy[result]
          }
        }
      }
    }
  }
}

/// The place of the greatest element: no gradient goes through it.
struct ArgMaxLayer: Layer {
  private let input: Value
  private let output: Value
  private let step: StandaloneStep

  init(_ step: PreparedStep, _ input: Value, _ output: Value) {
    self.input = input
    self.output = output
    self.step = StandaloneStep(step)
  }

  var savedForBackward: SavedForBackward { [] }

  func forward(_ pass: Pass) {
    step.run([UnsafePointer(input.data.base)], to: [output.data.base], batch: pass.count, pool: pass.pool)
  }

  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    target.base.update(repeating: 0, count: pass.count * input.size)
  }
}

/// An image in another size, between its pixels.
struct BilinearLayer: Layer {
  private let input: Value
  private let output: Value
  private let interpolation: Interpolation
  private let step: StandaloneStep

  init(_ interpolation: Interpolation, _ input: Value, _ output: Value) {
    self.input = input
    self.output = output
    self.interpolation = interpolation
    step = StandaloneStep(interpolation.step)
  }

  var savedForBackward: SavedForBackward { [] }

  func forward(_ pass: Pass) {
    step.run([UnsafePointer(input.data.base)], to: [output.data.base], batch: pass.count, pool: pass.pool)
  }

  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    target.base.update(repeating: 0, count: pass.count * input.size)
    interpolation.accumulate(output.gradient!.base, into: target.base, batch: pass.count, pool: pass.pool)
  }
}
