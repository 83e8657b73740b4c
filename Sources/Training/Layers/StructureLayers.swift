import Descriptors
import Kernels
import Network

/// Flatten and reshape: the same elements, in the same memory when nobody else reads it.
struct ViewLayer: Layer {
  let input: Value
  let output: Value

  var savedForBackward: SavedForBackward { [] }

  func forward(_ pass: Pass) { pass.pool.copy(input.data, to: output.data, count: pass.count * output.size) }

  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    pass.pool.copy(output.gradient!, to: target, count: pass.count * output.size)
  }
}

/// Element-wise sum of two values.
final class AddLayer: ClampingLayer {
  private let inputs: [Value]
  private let output: Value
  private var clamp: ClosedRange<Float> = -.infinity ... .infinity

  init(_ inputs: [Value], _ output: Value) {
    self.inputs = inputs
    self.output = output
  }

  let goesBackThroughClamp = false

  func clamp(to range: ClosedRange<Float>) { clamp = range }

  var savedForBackward: SavedForBackward { [] }

  func forward(_ pass: Pass) {
    Elementwise.add(
      inputs[0].data.base, inputs[1].data.base, output: output.data.base, count: pass.count * output.size,
      clamp: clamp, pool: pass.pool)
  }

  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    pass.pool.copy(output.gradient!, to: target, count: pass.count * output.size)
  }
}

/// The same value for every sample: a parameter.
struct ConstantLayer: Layer {
  private let parameter: TrainableParameter
  private let output: Value

  init(_ parameter: TrainableParameter, _ output: Value) {
    self.parameter = parameter
    self.output = output
  }

  var savedForBackward: SavedForBackward { [] }

  func forward(_ pass: Pass) {
    for sample in 0..<pass.count {
      (output.data.base + sample * output.size).update(from: parameter.values.base, count: output.size)
    }
  }

  // Over samples, in their order.
  func parameterGradients(_ pass: Pass) {
    guard let gradient = parameter.gradient, let dy = output.gradient else { return }
    let size = output.size, count = pass.count
    pass.pool.forChunks(size) { range in
      for i in range {
        var sum: Float = 0
        for sample in 0..<count { sum += dy.base[sample * size + i] }
        gradient.base[i] = sum
      }
    }
  }

  func inputGradient(_: Int, into _: FloatBuffer, _: Pass) {}
}

/// Values one after the other along one axis: in rows of all that lies behind the axes before it.
struct ConcatLayer: Layer {
  let inputs: [Value]
  let output: Value
  /// Elements of a row: of each input, and where each begins in the output's.
  private let widths: [Int]
  private let starts: [Int]
  private let width: Int

  init(_ inputs: [Value], _ output: Value, axis: Int) {
    self.inputs = inputs
    self.output = output
    widths = inputs.map { $0.shape.dims[axis...].reduce(1, *) }
    var start = 0
    var starts: [Int] = []
    for width in widths {
      starts.append(start)
      start += width
    }
    self.starts = starts
    width = start
  }

  var savedForBackward: SavedForBackward { [] }

  private func rows(_ pass: Pass) -> Int { width == 0 ? 0 : pass.count * (output.size / width) }

  func forward(_ pass: Pass) {
    for (index, input) in inputs.enumerated() {
      let (part, start, width, output) = (widths[index], starts[index], width, output)
      pass.pool.forRows(rows(pass), width: part) { range in
        for row in range {
          (output.data.base + row * width + start).update(from: input.data.base + row * part, count: part)
        }
      }
    }
  }

  func inputGradient(_ input: Int, into target: FloatBuffer, _ pass: Pass) {
    let (part, start, width, gradient) = (widths[input], starts[input], width, output.gradient!)
    pass.pool.forRows(rows(pass), width: part) { range in
      for row in range {
        (target.base + row * part).update(from: gradient.base + row * width + start, count: part)
      }
    }
  }
}

/// Elements in another order, some of them several times or not at all.
struct OrderLayer: Layer {
  private let input: Value
  private let output: Value
  private let order: ElementOrder
  private let step: StandaloneStep

  init(_ rearrangement: Rearrangement, _ input: Value, _ output: Value) {
    self.input = input
    self.output = output
    order = ElementOrder(rearrangement, over: input.shape)
    step = StandaloneStep(order.step)
  }

  var savedForBackward: SavedForBackward { [] }

  func forward(_ pass: Pass) {
    step.run([UnsafePointer(input.data.base)], to: [output.data.base], batch: pass.count, pool: pass.pool)
  }

  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    target.base.update(repeating: 0, count: pass.count * input.size)
    order.accumulate(output.gradient!.base, into: target.base, batch: pass.count, pool: pass.pool)
  }
}
