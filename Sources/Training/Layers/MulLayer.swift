import Kernels

/// Element-wise product of two values, broadcast.
struct MulLayer: Layer {
  private let inputs: [Value]
  private let output: Value
  private let broadcast: Broadcast

  init(_ inputs: [Value], _ output: Value) throws {
    self.inputs = inputs
    self.output = output
    broadcast = try Broadcast(inputs[0].shape, inputs[1].shape)
  }

  var keeps: Keeping { .inputs }

  func forward(_ pass: Pass) {
    broadcast.run(
      .multiply, inputs[0].data.base, inputs[1].data.base, output: output.data.base, batch: pass.count, pool: pass.pool)
  }

  func inputGradient(_ input: Int, into target: FloatBuffer, _ pass: Pass) {
    let dy = output.gradient!.base, other = inputs[1 - input].data.base
    target.base.update(repeating: 0, count: pass.count * inputs[input].size)
    broadcast.accumulate(intoFirst: input == 0, target.base, batch: pass.count, pool: pass.pool) { dy[$1] * other[$0] }
  }
}
