import Kernels
import Network

/// A function of two values, element by element, broadcast.
struct PairLayer: Layer {
  private let inputs: [Value]
  private let output: Value
  private let broadcast: Broadcast
  private let function: PairFunction
  private let derivatives: (first: (Float, Float) -> Float, second: (Float, Float) -> Float)

  /// - Precondition: the operator is a function of pairs.
  init(_ function: PairFunction, _ op: Operator, _ inputs: [Value], _ output: Value) throws {
    self.inputs = inputs
    self.output = output
    self.function = function
    broadcast = try Broadcast(inputs[0].shape, inputs[1].shape)
    derivatives = op.spec.pairDerivatives!
  }

  var savedForBackward: SavedForBackward { function == .add || function == .subtract ? [] : .inputs }

  func forward(_ pass: Pass) {
    broadcast.run(
      function, inputs[0].data.base, inputs[1].data.base, output: output.data.base, batch: pass.count, pool: pass.pool)
  }

  func inputGradient(_ input: Int, into target: FloatBuffer, _ pass: Pass) {
    let dy = output.gradient!
    if function == .add || (function == .subtract && input == 0), inputs[input].size == output.size {
      return pass.pool.copy(dy, to: target, count: pass.count * output.size)
    }
    let gradient = dy.base, derivative = input == 0 ? derivatives.first : derivatives.second
    target.base.update(repeating: 0, count: pass.count * inputs[input].size)
    // A sum's derivative needs no operands, which are then not kept.
    guard !savedForBackward.isEmpty else {
      let factor: Float = function == .subtract && input == 1 ? -1 : 1
      broadcast.accumulate(intoFirst: input == 0, target.base, batch: pass.count, pool: pass.pool) {
        factor * gradient[$2]
      }
      return
    }
    let a = inputs[0].data.base, b = inputs[1].data.base
    broadcast.accumulate(intoFirst: input == 0, target.base, batch: pass.count, pool: pass.pool) {
      gradient[$2] * derivative(a[$0], b[$1])
    }
  }
}
