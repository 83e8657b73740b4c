import Network
import Tensors

/// A small network for each operator, or for each way of it that is computed otherwise: what gradients, plans, files and
/// pruning are tried on.
public struct OperatorNetwork: Sendable, CustomStringConvertible {
  public let name: String
  public let graph: Graph

  public var description: String { name }

  /// - Parameter build: adds layers behind a layer of six channels, which has a weight; a dense layer follows.
  private init(_ name: String, _ input: Shape = [4, 5, 3], _ build: (inout GraphBuilder) -> Void) {
    var net = GraphBuilder(input: input)
    net.dense(6, name: "first")
    build(&net)
    net.flatten()
    net.dense(3, name: "last")
    self.name = name
    // A table that does not fit is a mistake in the table.
    do { graph = try net.graph() } catch { preconditionFailure("\(name): \(error)") }
  }

  public static let all: [OperatorNetwork] = functions + pairs + axes + products + orders + transposed

  private static var functions: [OperatorNetwork] {
    let positive: Set<String> = ["log", "sqrt", "reciprocal"]
    let numbered: [Activation] = [
      .leakyReLU(slope: 0.2), .elu(alpha: 0.7), .hardSigmoid(slope: 0.2, offset: 0.4), .clip(low: -0.5, high: 0.8),
    ]
    return (Activation.named + numbered).map { function in
      OperatorNetwork(function.name) {
        if positive.contains(function.name) { $0.activation(.softplus) }
        $0.activation(function)
      }
    } + [OperatorNetwork("prelu") { $0.add(.prelu(PReLU()), [$0.last], name: "slopes") }]
  }

  private static var pairs: [OperatorNetwork] {
    Binary.Function.allCases.flatMap { function in
      [[4, 5, 6], [6], [5, 1]].map { shape in
        OperatorNetwork("\(function.rawValue) with \(shape)") { net in
          // Bases and divisors above zero.
          let isApart = function == .div || function == .pow
          var a = net.last, b = net.constant(Shape(shape), isTrained: true, name: "other")
          if isApart {
            a = net.activation(.softplus, from: a)
            b = net.activation(.softplus, from: b)
          }
          net.add(.binary(Binary(function)), [a, b])
        }
      }
    }
  }

  private static var axes: [OperatorNetwork] {
    Reduce.Function.allCases.flatMap { function in
      [([0], false), ([1, 2], true), ([2], false), ([0, 1], true)].map { axes, keeps in
        OperatorNetwork("reduce \(function.rawValue) \(axes)\(keeps ? " kept" : "")") {
          $0.add(.reduce(Reduce(function, axes: axes, keepsAxes: keeps)), [$0.last])
        }
      }
    } + [
      ("layer norm", SampleNorm(epsilon: 0.1)), ("layer norm, plain", SampleNorm(hasScale: false, hasShift: false)),
      ("rms norm", SampleNorm(.meanSquare, hasShift: false)), ("group norm", SampleNorm(groups: 2)),
      ("instance norm", SampleNorm(groups: 6)), ("length", SampleNorm(.length, epsilon: 1e-6, hasShift: false)),
    ].map { name, norm in OperatorNetwork(name) { $0.add(.normalization(norm), [$0.last], name: "norm") } }
      + [
        OperatorNetwork("arg_max beside what is trained") { net in
          let from = net.last
          let place = net.add(.argMax(ArgMax(axis: 1, keepsAxis: true)), [from])
          net.mul(from, place)
        }
      ]
  }

  private static var products: [OperatorNetwork] {
    [
      OperatorNetwork("matmul of matrices") { net in
        let from = net.last  // [4, 5, 6]
        let second = net.dense(6, from: "input", name: "second")
        let turned = net.add(.transpose(Transpose([0, 2, 1])), [second])  // [4, 6, 5]
        net.add(.matmul(MatMul()), [from, turned])
      },
      OperatorNetwork("matmul, transposed") { net in
        let from = net.last
        net.add(.matmul(MatMul(transposesSecond: true)), [from, net.dense(6, from: "input", name: "second")])
      },
      OperatorNetwork("matmul by one matrix") { net in
        let from = net.last
        net.add(.matmul(MatMul()), [from, net.constant([6, 7], isTrained: true, name: "matrix")])
      },
      OperatorNetwork("matmul of one matrix, transposed") { net in
        let from = net.last
        net.add(
          .matmul(MatMul(transposesSecond: true)), [net.constant([3, 6], isTrained: true, name: "matrix"), from])
      },
      OperatorNetwork("attention", [7, 3]) { net in
        let queries = net.last
        let keys = net.dense(6, from: "input", name: "keys"), values = net.dense(10, from: "input", name: "values")
        net.add(.attention(Attention(heads: 2)), [queries, keys, values], name: "attention")
      },
      OperatorNetwork("attention to others", [7, 3]) { net in
        let queries = net.last
        let tokens = net.constant([4, 6], isTrained: true, name: "tokens")
        net.add(.attention(Attention(heads: 3, scale: 0.9)), [queries, tokens, tokens], name: "attention")
      },
    ]
  }

  private static var transposed: [OperatorNetwork] {
    let ways: [(kernel: Int, stride: Int, padding: Int, output: Int, groups: Int)] = [
      (2, 2, 0, 0, 1), (3, 2, 1, 1, 1), (4, 2, 1, 0, 2), (3, 1, 0, 0, 1), (3, 3, 0, 0, 6),
    ]
    return ways.map { way in
      OperatorNetwork("transposed convolution \(way)") { net in
        do {
          let conv = try Conv2D(
            transposed: 6, kernel: Size2D(way.kernel), stride: Size2D(way.stride), padding: Size2D(way.padding),
            outputPadding: Size2D(way.output), groups: way.groups)
          net.add(.conv2d(conv), [net.last], name: "wider")
        } catch { preconditionFailure("\(error)") }
      }
    } + [OperatorNetwork("zeros between pixels") { $0.add(.insertZeros(InsertZeros(Size2D(2, 3))), [$0.last]) }]
  }

  private static var orders: [OperatorNetwork] {
    let operators: [(String, Operator)] = [
      ("transpose", .transpose(Transpose([1, 0, 2]))), ("transpose of channels", .transpose(Transpose([2, 0, 1]))),
      ("slice of rows", .gather(Gather(axis: 0, [1, 2]))), ("slice of channels", .gather(Gather(axis: 2, [2, 3, 4]))),
      ("strided slice", .gather(Gather(axis: 1, [4, 2, 0]))), ("gather", .gather(Gather(axis: 2, [5, 0, 0, 3]))),
      ("channel shuffle", .gather(Gather(shuffling: 6, groups: 3, axis: 2))),
      ("tile", .tile(Tile([1, 2, 1]))), ("tile of channels", .tile(Tile([2, 1, 3]))),
      ("expand", .expand(Expand([2, 4, 5, 6]))), ("space to depth", .spaceToDepth(SpaceToDepth(block: 2))),
    ]
    return operators.map { name, op in
      OperatorNetwork(name, name == "space to depth" ? [4, 6, 3] : [4, 5, 3]) { $0.add(op, [$0.last], name: "moved") }
    } + [DepthToSpace.Order.depthLast, .depthFirst].map { order in
      OperatorNetwork("depth to space, \(order.rawValue)") {
        $0.dense(8)
        $0.add(.depthToSpace(DepthToSpace(block: 2, order: order)), [$0.last], name: "moved")
      }
    } + resizes
  }

  private static var resizes: [OperatorNetwork] {
    let ways: [(Resize.Coordinates, Resize.Rounding)] = [
      (.asymmetric, .floor), (.halfPixel, .preferFloor), (.halfPixel, .preferCeil), (.alignCorners, .ceil),
      (.tfHalfPixelForNearest, .floor), (.pytorchHalfPixel, .floor),
    ]
    return ways.flatMap { coordinates, rounding in
      [(8, 10), (3, 7)].flatMap { height, width in
        [Resize.Interpolation.nearest, .bilinear].map { interpolation in
          OperatorNetwork(
            "resize \(interpolation.rawValue) \(height)x\(width) \(coordinates.rawValue) \(rounding.rawValue)"
          ) {
            $0.add(
              .resize(
                Resize(interpolation, height: height, width: width, coordinates: coordinates, rounding: rounding)),
              [$0.last], name: "resized")
          }
        }
      }
    }
  }
}
