#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif
import Network
import Tensors

extension InsertZeros {
  fileprivate func rows(_ input: Shape) -> Int { (input[0] - 1) * spacing.height + 1 }
  fileprivate func columns(_ input: Shape) -> Int { (input[1] - 1) * spacing.width + 1 }
}

/// The network written down once more, naively and in float64: what gradients are checked against.
struct Reference {
  let graph: Graph
  var parameters: [String: [ParameterRole: [Double]]] = [:]
  /// Whether batch norms use the batch's statistics.
  var isTraining = true

  init(_ model: Model) {
    graph = model.graph
    for (layer, role, parameter) in model.allParameters {
      parameters[layer, default: [:]][role] = parameter.values.array(Float.self).map(Double.init)
    }
  }

  /// The outputs of every node for a batch.
  func values(_ images: [Double], count: Int) -> [String: [Double]] {
    var values: [String: [Double]] = [:]
    for node in graph.nodes {
      let inputs = node.inputs.map { values[$0]! }
      let shapes = graph.inputShapes(of: node), shape = graph.shape(of: node.name)
      func perSample(_ body: (_ inputs: [[Double]]) -> [Double]) -> [Double] {
        (0..<count).flatMap { sample in
          body(zip(inputs, shapes).map { Array($0[sample * $1.count..<(sample + 1) * $1.count]) })
        }
      }
      let own = parameters[graph.owner(of: node.name)]
      func parameter(_ role: ParameterRole) -> [Double]? { own?[role] }
      /// The elements of two inputs that belong to each element of the output.
      func pairs(_ a: [Double], _ b: [Double]) -> [(Double, Double)] {
        func spread(_ x: [Double], _ own: Shape) -> [Double] {
          (0..<shape.count).map { index in
            var rest = index, place = 0, step = 1
            for axis in 1...max(shape.rank, 1) {
              let extent = axis <= own.rank ? own[own.rank - axis] : 1
              place += rest % shape[shape.rank - axis] % extent * step
              step *= extent
              rest /= shape[shape.rank - axis]
            }
            return x[place]
          }
        }
        return Array(zip(spread(a, shapes[0]), spread(b, shapes[1])))
      }
      if let rearrangement = node.op.spec.rearrangement(shapes) {
        values[node.name] = perSample { x in rearrangement.sources.map { x[0][$0] } }
        continue
      }
      values[node.name] =
        switch node.op {
        case .input: input(node.name, of: images, count: count)
        case .constant(let spec): (0..<count).flatMap { _ in parameter(spec.role)! }
        case .conv2d(let spec):
          perSample {
            let zeros = InsertZeros(spec.inputDilation)
            return convolve(
              spec, spread($0[0], zeros, shapes[0]), [zeros.rows(shapes[0]), zeros.columns(shapes[0]), shapes[0][2]],
              shape, parameter(.weight)!, parameter(.bias))
          }
        case .insertZeros(let zeros): perSample { spread($0[0], zeros, shapes[0]) }
        case .dense(let spec):
          perSample { x in
            let width = shapes[0].dims.last!
            return (0..<x[0].count / width * spec.units).map { index in
              let row = parameter(.weight)![(index % spec.units * width)...]
              let vector = x[0][(index / spec.units * width)...].prefix(width)
              return zip(vector, row).reduce(parameter(.bias)?[index % spec.units] ?? 0) { $0 + $1.0 * $1.1 }
            }
          }
        case .batchNorm(let spec): normalize(spec, inputs[0], own!)
        case .activation(.softmax): softmax(inputs[0], width: shape.dims.last!)
        case .activation(.logSoftmax): softmax(inputs[0], width: shape.dims.last!).map { log($0) }
        case .activation(let function): inputs[0].map { ReferenceOperators.value(of: function, $0) }
        case .pool2d(let spec):
          perSample { pool(spec.reduction, spec.window, $0[0], shapes[0], shape, countsPadding: spec.countsPadding) }
        case .globalPool(let spec):
          perSample {
            pool(
              spec.reduction, Window(Size2D(shapes[0][0], shapes[0][1])), $0[0], shapes[0], [1, 1, shapes[0][2]])
          }
        case .add: perSample { pairs($0[0], $0[1]).map { $0 + $1 } }
        case .mul: perSample { pairs($0[0], $0[1]).map { $0 * $1 } }
        case .binary(let spec): perSample { pairs($0[0], $0[1]).map { ReferenceOperators.value(of: spec.function, $0, $1) } }
        case .prelu:
          inputs[0].enumerated().map { $1 < 0 ? parameter(.slope)![$0 % shape.dims.last!] * $1 : $1 }
        case .reduce(let spec): perSample { ReferenceOperators.reduced($0[0], spec, shapes[0]) }
        case .argMax(let spec): perSample { ReferenceOperators.greatest($0[0], spec, shapes[0]) }
        case .normalization(let spec):
          perSample {
            ReferenceOperators.normalized($0[0], spec, shape, scale: parameter(.gamma), shift: parameter(.beta))
          }
        case .matmul(let spec): perSample { ReferenceOperators.product(spec, $0, shapes, shape) }
        case .attention(let spec): perSample { ReferenceOperators.attention(spec, $0, shapes) }
        case .resize(let spec): perSample { ReferenceOperators.bilinear($0[0], spec, shapes[0]) }
        case .transpose, .gather, .expand, .tile, .depthToSpace, .spaceToDepth:
          preconditionFailure("it only rearranges")
        case .concat(let spec):
          perSample { parts in
            let axis = spec.axis(rank: shape.rank)
            return (0..<shape.dims[..<axis].reduce(1, *)).flatMap { row in
              zip(parts, shapes).flatMap { part, own in
                let width = own.dims[axis...].reduce(1, *)
                return part[row * width..<(row + 1) * width]
              }
            }
          }
        case .flatten, .reshape: inputs[0]
        case .dropout: inputs[0]  // what it draws is the layer's: gradients are checked at a rate of 0
        case .pad(let spec): perSample { padded(spec, $0[0], shapes[0], shape) }
        }
    }
    return values
  }

  /// One of the network's inputs, of samples that each have all.
  private func input(_ name: String, of samples: [Double], count: Int) -> [Double] {
    let size = graph.inputShape.count, before = graph.inputs.prefix { $0 != name }
    let start = before.reduce(0) { $0 + graph.shape(of: $1).count }, own = graph.shape(of: name).count
    return (0..<count).flatMap { samples[$0 * size + start..<$0 * size + start + own] }
  }

  private func spread(_ x: [Double], _ zeros: InsertZeros, _ input: Shape) -> [Double] {
    var y = [Double](repeating: 0, count: zeros.rows(input) * zeros.columns(input) * input[2])
    for index in x.indices {
      let (c, column, row) = (index % input[2], index / input[2] % input[1], index / input[2] / input[1])
      let place = row * zeros.spacing.height * zeros.columns(input) + column * zeros.spacing.width
      y[place * input[2] + c] = x[index]
    }
    return y
  }

  private func convolve(
    _ spec: Conv2D, _ x: [Double], _ input: Shape, _ output: Shape, _ weight: [Double], _ bias: [Double]?
  ) -> [Double] {
    var y = [Double](repeating: 0, count: output.count)
    let depth = input[2] / spec.groups, perGroup = spec.filters / spec.groups
    let size = spec.window.size
    forEachTap(spec.window, input, output) { oy, ox, ky, kx, iy, ix in
      for filter in 0..<spec.filters {
        for c in 0..<depth {
          let w = weight[((filter * size.height + ky) * size.width + kx) * depth + c]
          y[(oy * output[1] + ox) * output[2] + filter] +=
            w * x[(iy * input[1] + ix) * input[2] + filter / perGroup * depth + c]
        }
      }
    }
    if let bias { for i in y.indices { y[i] += bias[i % spec.filters] } }
    return y
  }

  private func pool(
    _ reduction: Pool2D.Reduction, _ window: Window, _ x: [Double], _ input: Shape, _ output: Shape,
    countsPadding: Bool = false
  ) -> [Double] {
    var seen = [[Double]](repeating: [], count: output.count)
    forEachTap(window, input, output) { oy, ox, _, _, iy, ix in
      for c in 0..<input[2] {
        seen[(oy * output[1] + ox) * output[2] + c].append(x[(iy * input[1] + ix) * input[2] + c])
      }
    }
    let taps = window.size.height * window.size.width
    return seen.map { reduction == .max ? $0.max()! : $0.reduce(0, +) / Double(countsPadding ? taps : $0.count) }
  }

  private func padded(_ spec: Pad, _ x: [Double], _ input: Shape, _ output: Shape) -> [Double] {
    var y = [Double](repeating: 0, count: output.count)
    for index in x.indices {
      var rest = index, place = 0, stride = 1
      for axis in input.dims.indices.reversed() {
        place += (rest % input[axis] + spec.before[axis]) * stride
        rest /= input[axis]
        stride *= output[axis]
      }
      y[place] = x[index]
    }
    return y
  }

  /// Every pair of an output position and a pixel inside the image under its window.
  private func forEachTap(
    _ window: Window, _ input: Shape, _ output: Shape,
    _ body: (_ oy: Int, _ ox: Int, _ ky: Int, _ kx: Int, _ iy: Int, _ ix: Int) -> Void
  ) {
    let pads = window.pads(height: input[0], width: input[1])
    for oy in 0..<output[0] {
      for ox in 0..<output[1] {
        for ky in 0..<window.size.height {
          for kx in 0..<window.size.width {
            let iy = oy * window.stride.height + ky * window.dilation.height - pads.top
            let ix = ox * window.stride.width + kx * window.dilation.width - pads.left
            guard (0..<input[0]).contains(iy), (0..<input[1]).contains(ix) else { continue }
            body(oy, ox, ky, kx, iy, ix)
          }
        }
      }
    }
  }

  private func normalize(_ spec: BatchNorm, _ x: [Double], _ own: [ParameterRole: [Double]]) -> [Double] {
    let width = own[.gamma]!.count
    var mean = own[.mean]!, variance = own[.variance]!
    if isTraining { (mean, variance) = Self.statistics(x, width: width) }
    return x.indices.map { i in
      let c = i % width
      return (x[i] - mean[c]) / (variance[c] + Double(spec.epsilon)).squareRoot() * own[.gamma]![c] + own[.beta]![c]
    }
  }

  /// Mean and biased variance of every column.
  static func statistics(_ x: [Double], width: Int) -> (mean: [Double], variance: [Double]) {
    let rows = Double(x.count / width)
    let columns = (0..<width).map { c in stride(from: c, to: x.count, by: width).map { x[$0] } }
    let mean = columns.map { $0.reduce(0, +) / rows }
    return (mean, zip(columns, mean).map { column, mean in column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / rows })
  }

  private func softmax(_ x: [Double], width: Int) -> [Double] {
    stride(from: 0, to: x.count, by: width).flatMap { start in
      let exponentials = x[start..<start + width].map { exp($0) }
      let sum = exponentials.reduce(0, +)
      return exponentials.map { $0 / sum }
    }
  }
}
