import Diagnostics
import LuaHost
import Network
import Tensors

// `net.gelu()`, `net.layer_norm()`, `net.attention(3)`: what computes without moving elements about.
extension ScriptSession {
  var functions: [LuaMember] {
    var members = Activation.named.map { function in
      layer(function.name, "", Self.layerSchema, "A function of each element.") { _, _ in { _ in .activation(function) } }
    }
    members += [
      layer("leaky_relu", "slope: number", Self.layerSchema, "x above zero, slope * x below.") { arguments, _ in
        let slope = Float(try arguments.number(0))
        return { _ in .activation(.leakyReLU(slope: slope)) }
      },
      layer("elu", "alpha: number", Self.layerSchema, "x above zero, alpha * (exp(x) - 1) below.") { arguments, _ in
        let alpha = Float(try arguments.number(0))
        return { _ in .activation(.elu(alpha: alpha)) }
      },
      layer(
        "hard_sigmoid", "slope: number, offset: number", Self.layerSchema,
        "slope * x + offset, clamped to 0 and 1: 1/6 and 1/2 in MobileNetV3."
      ) { arguments, _ in
        let slope = Float(try arguments.number(0)), offset = Float(try arguments.number(1))
        return { _ in .activation(.hardSigmoid(slope: slope, offset: offset)) }
      },
      layer("clip", "low: number, high: number", Self.layerSchema, "x within bounds.") { arguments, _ in
        let low = Float(try arguments.number(0)), high = Float(try arguments.number(1))
        return { _ in .activation(.clip(low: low, high: high)) }
      },
      layer("prelu", "", Self.layerSchema, "x above zero, below it times a slope of the channel's, which is trained.") {
        _, _ in { _ in .prelu(PReLU()) }
      },
      layer("matmul", "", Self.matmulSchema, "The product of two values, matrices in their last two axes.") { _, given in
        let product = MatMul(transposesSecond: given[NetKeys.transposed])
        return { _ in .matmul(product) }
      },
      layer(
        "attention", "heads: integer", Self.layerSchema,
        "Scaled dot-product attention of three values: queries, keys and values, {tokens, channels} each."
      ) { arguments, _ in
        let heads = try arguments.int(0)
        return { _ in .attention(Attention(heads: heads)) }
      },
      layer(
        "reduce", "function: \(Self.reductions), axes: integer[]", Self.keepSchema,
        "Mean, sum, maximum or minimum along axes, which count from 1."
      ) { arguments, given in
        let name = try arguments.string(0)
        guard let function = Reduce.Function(rawValue: name) else {
          let names = Reduce.Function.allCases.map(\.rawValue)
          throw CompressError(
            "net.reduce has no \"\(name.escapedForTerminal)\"" + Suggestion.text(for: name, among: names))
        }
        let axes = try arguments.axes(1).sorted(), keeps = given[NetKeys.keep]
        return { _ in .reduce(Reduce(function, axes: axes, keepsAxes: keeps)) }
      },
      layer("arg_max", "axis: integer", Self.keepSchema, "The place, from 0, of the greatest element along an axis.") {
        arguments, given in
        let axis = try arguments.axis(0), keeps = given[NetKeys.keep]
        return { _ in .argMax(ArgMax(axis: axis, keepsAxis: keeps)) }
      },
    ]
    for function in Binary.Function.allCases {
      members.append(
        layer(function.rawValue, "", Self.layerSchema, "\(function.rawValue) of two values, broadcast.") { _, _ in
          { _ in .binary(Binary(function)) }
        })
    }
    return members
  }

  private static var reductions: String {
    Reduce.Function.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: "|")
  }

  var normalizations: [LuaMember] {
    func norm(
      _ name: String, _ parameters: String, _ help: String,
      _ make: @escaping (LuaArguments, Float, Bool) throws -> ([Shape]) throws -> SampleNorm
    ) -> LuaMember {
      layer(name, parameters, Self.normSchema, help) { arguments, given in
        let make = try make(arguments, Float(given[NetKeys.epsilon]), given[NetKeys.affine])
        return { .normalization(try make($0)) }
      }
    }
    return [
      norm("layer_norm", "", "Each row of the last axis by its own mean and deviation.") { _, epsilon, affine in
        { _ in SampleNorm(epsilon: epsilon, hasScale: affine, hasShift: affine) }
      },
      norm("rms_norm", "", "Each row of the last axis by the root of its mean square.") { _, epsilon, affine in
        { _ in SampleNorm(.meanSquare, epsilon: epsilon, hasScale: affine, hasShift: false) }
      },
      norm("group_norm", "groups: integer", "Groups of channels by their mean and deviation over the image.") {
        arguments, epsilon, affine in
        let groups = try arguments.int(0)
        return { _ in SampleNorm(groups: groups, epsilon: epsilon, hasScale: affine, hasShift: affine) }
      },
      norm("instance_norm", "", "Each channel by its mean and deviation over the image.") { _, epsilon, affine in
        { shapes in
          SampleNorm(groups: shapes[0].dims.last, epsilon: epsilon, hasScale: affine, hasShift: affine)
        }
      },
      layer("l2_norm", "", Self.layerSchema, "Each row of the last axis by its length.") { _, _ in
        { _ in .normalization(SampleNorm(.length, epsilon: 1e-12, hasScale: false, hasShift: false)) }
      },
    ]
  }
}

extension LuaArguments {
  /// An axis, or an index of one, which counts from 1.
  func axis(_ index: Int) throws -> Int { try Self.fromOne(try int(index)) }

  /// A list of axes or indices, which count from 1.
  func axes(_ index: Int) throws -> [Int] { try integers(index).map(Self.fromOne) }

  private static func fromOne(_ number: Int) throws -> Int {
    guard number >= 1 else { throw CompressError("\(number): axes and indices count from 1") }
    return number - 1
  }
}
