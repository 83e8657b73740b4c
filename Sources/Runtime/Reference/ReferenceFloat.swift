#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

import Descriptors
import Kernels
import Network
import Tensors

/// Nodes in float32. A sum of products is one chain of fused multiply-adds from the bias on, in ascending
/// order of kernel row, kernel column and input channel, but for the convolutions that `ConvolutionAlgorithm.cheapest`
/// gives to Winograd's method (`ReferenceWinograd`) or to the sparse kernels, which leave zeros out, unless weights are
/// halves; an average is the sum in the same order, divided
/// once. A batch norm is `fma(x, factor, shift)` with `factor = gamma / sqrt(variance + epsilon)` and
/// `shift = beta - mean * factor`. Exponentials are those of `SmoothFunctions`.
enum ReferenceFloat {
  static func evaluate(_ node: Node, of model: Model, _ inputs: [Tensor], clamp: Operator?) -> Tensor {
    let shape = model.graph.shape(of: node.output)
    func values(_ role: ParameterRole) -> [Float]? { model[node.name, role]?.values.array() }
    let x = inputs.first?.array(Float.self) ?? []
    var out: [Float]
    if let function = node.op.spec.pairFunction {
      out = broadcast(x, inputs[0].shape, inputs[1].array(Float.self), inputs[1].shape, to: shape).map(function)
      if let range = clamp?.clampRange { out = out.map { $0.clamped(to: range) } }
      return Tensor(out, shape)
    }
    if let rearrangement = node.op.spec.rearrangement(inputs.map(\.shape)) {
      return Tensor(rearrangement.sources.map { x[$0] }, shape)
    }
    switch node.op {
    case .input: out = x
    case .constant(let constant): out = values(constant.role)!
    case .conv2d, .dense:
      let weight = values(.weight)!, bias = values(.bias)
      let geometry = geometry(node, of: model, inputs[0].shape)
      let algorithm = geometry.map { geometry in
        weight.withUnsafeBufferPointer { weight in
          ConvolutionAlgorithm.cheapest(geometry, SparseCount(weight, outputs: geometry.outputChannels))
        }
      }
      if let geometry, let algorithm, let winograd = ReferenceWinograd(geometry, algorithm) {
        out = winograd.outputs(x, weights: weight, bias: bias)
        break
      }
      out = ReferenceSums(node, of: model).sums({ bias?[$0] ?? 0 }) { sum, i, w in
        if algorithm == .sparse, weight[w] == 0 { return }
        sum = sum.addingProduct(x[i], weight[w])
      }
    case .batchNorm(let norm):
      let (factors, shifts) = norm.factors(values)
      out = x.enumerated().map { index, x in
        let c = index % factors.count
        return shifts[c].addingProduct(x, factors[c])
      }
    case .activation(let function): out = apply(function, x, columns: shape.dims.last ?? 1)
    case .pool2d(let pool):
      out = reduce(pool.reduction, x, windows(pool.window, node, model), countsPadding: pool.countsPadding)
    case .globalPool(let pool): out = reduce(pool.reduction, x, windows(nil, node, model))
    case .add, .mul, .binary: preconditionFailure("a function of pairs")
    case .transpose, .gather, .expand, .tile, .depthToSpace, .spaceToDepth:
      preconditionFailure("it only rearranges")
    case .prelu:
      let slopes = values(.slope)!
      out = x.enumerated().map { $1 < 0 ? slopes[$0 % slopes.count] * $1 : $1 }
    case .reduce(let reduce): out = ReferenceRows.reduced(x, reduce, inputs[0].shape)
    case .argMax(let argMax): out = ReferenceRows.greatest(x, argMax, inputs[0].shape)
    case .normalization(let norm):
      out = ReferenceRows.normalized(x, norm, inputs[0].shape, scale: values(.gamma), shift: values(.beta))
    case .matmul(let product):
      out = ReferenceRows.product(product, x, inputs[0].shape, inputs[1].array(), inputs[1].shape, shape)
    case .attention(let attention):
      out = ReferenceRows.attention(attention, inputs.map { $0.array(Float.self) }, inputs.map(\.shape))
    case .resize(let resize): out = ReferenceRows.bilinear(x, resize, inputs[0].shape)
    case .concat(let concat): out = concatenated(inputs.map { ($0.array(Float.self), $0.shape) }, concat)
    case .flatten, .reshape, .dropout: out = x
    case .pad(let pad): out = padded(x, 0, pad, node, model)
    case .insertZeros(let zeros): out = spread(x, 0, zeros, inputs[0].shape, count: shape.count)
    }
    return Tensor(clamp?.clampRange.map { range in out.map { $0.clamped(to: range) } } ?? out, shape)
  }

  /// Of a convolution or dense layer that may be computed otherwise than by its definition: of any but those with halves.
  private static func geometry(_ node: Node, of model: Model, _ input: Shape) -> ConvolutionGeometry? {
    guard model[node.name, .weight]?.encoding.tensor.dtype != .float16 else { return nil }
    return switch node.op {
    case .conv2d(let conv): try? ConvolutionGeometry(conv, image: input)
    case .dense(let dense): try? .dense(over: input, outputs: dense.units)
    default: nil
    }
  }

  static func windows(_ window: Window?, _ node: Node, _ model: Model) -> ReferenceWindows {
    ReferenceWindows(
      window: window, inputShape: model.graph.inputShapes(of: node)[0], outputShape: model.graph.shape(of: node.output))
  }

  /// Rows of the parts, one after the other: what has the same place on the axes before the one they are joined along.
  static func concatenated<T>(_ parts: [(values: [T], shape: Shape)], _ concat: Concat) -> [T] {
    let axis = concat.axis(rank: parts[0].shape.rank)
    return (0..<parts[0].shape.dims[..<axis].reduce(1, *)).flatMap { row in
      parts.flatMap { values, shape in
        let columns = shape.dims[axis...].reduce(1, *)
        return values[row * columns..<(row + 1) * columns]
      }
    }
  }

  /// The pairs of elements that belong to each element of the result.
  static func broadcast<T>(_ a: [T], _ shapeA: Shape, _ b: [T], _ shapeB: Shape, to shape: Shape) -> [(T, T)] {
    func element(_ values: [T], _ own: Shape, _ index: Int) -> T {
      var rest = index, place = 0, step = 1
      for axis in 0..<own.rank {
        let extent = own[own.rank - 1 - axis], all = shape[shape.rank - 1 - axis]
        place += rest % all % extent * step
        step *= extent
        rest /= all
      }
      return values[place]
    }
    return (0..<shape.count).map { (element(a, shapeA, $0), element(b, shapeB, $0)) }
  }

  static func spread<T>(_ x: [T], _ element: T, _ zeros: InsertZeros, _ input: Shape, count: Int) -> [T] {
    var out = [T](repeating: element, count: count)
    for (pixel, start) in zeros.positions(input).enumerated() {
      for c in 0..<input[2] { out[start + c] = x[pixel * input[2] + c] }
    }
    return out
  }

  /// `x`, of the node's input shape, within values that are all `element`.
  static func padded<T>(_ x: [T], _ element: T, _ pad: Pad, _ node: Node, _ model: Model) -> [T] {
    padded(x, element, pad, from: model.graph.inputShapes(of: node)[0], to: model.graph.shape(of: node.output))
  }

  static func padded<T>(_ x: [T], _ element: T, _ pad: Pad, from input: Shape, to output: Shape) -> [T] {
    (0..<output.count).map { index in
      var rest = index, source = 0, stride = 1
      for axis in output.dims.indices.reversed() {
        let place = rest % output[axis] - pad.before[axis]
        guard (0..<input[axis]).contains(place) else { return element }
        source += place * stride
        stride *= input[axis]
        rest /= output[axis]
      }
      return x[source]
    }
  }

  private static func apply(_ function: Activation, _ x: [Float], columns: Int) -> [Float] {
    if let element = function.elementFunction { return x.map(element) }
    return softmax(x, columns: columns, isLogarithm: function == .logSoftmax)
  }

  static func softmax(_ x: [Float], columns: Int, isLogarithm: Bool = false) -> [Float] {
    stride(from: 0, to: x.count, by: columns).flatMap { start in
      let row = x[start..<start + columns]
      let greatest = row.dropFirst().reduce(row.first!) { $1 > $0 ? $1 : $0 }
      let powers = row.map { SmoothFunctions.exp($0 - greatest) }
      let sum = powers.reduce(0, +)
      return isLogarithm ? row.map { ($0 - greatest) - logf(sum) } : powers.map { $0 / sum }
    }
  }

  private static func reduce(
    _ reduction: Pool2D.Reduction, _ x: [Float], _ windows: ReferenceWindows, countsPadding: Bool = false
  ) -> [Float] {
    var out: [Float] = []
    windows.forEach { _, inputs in
      switch reduction {
      case .max: out.append(inputs.dropFirst().reduce(x[inputs[0]]) { x[$1] > $0 ? x[$1] : $0 })
      case .average:
        let sum = inputs.dropFirst().reduce(x[inputs[0]]) { $0 + x[$1] }
        let hasPadding = countsPadding && inputs.count < windows.taps
        out.append((hasPadding ? sum + 0 : sum) / Float(countsPadding ? windows.taps : inputs.count))
      }
    }
    return out
  }
}

extension BatchNorm {
  /// What each channel is multiplied by, and what is added then.
  func factors(_ parameters: (ParameterRole) -> [Float]?) -> (factors: [Float], shifts: [Float]) {
    func values(_ role: ParameterRole) -> [Float] { parameters(role)! }
    let factors = zip(values(.gamma), values(.variance)).map { $0 / ($1 + epsilon).squareRoot() }
    return (factors, zip(values(.beta), zip(values(.mean), factors)).map { $0 - $1.0 * $1.1 })
  }
}
