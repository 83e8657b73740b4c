import Diagnostics
import Foundation
import Network
import Tensors

/// The text of the `CompressError` that `body` throws, with its place.
func message(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "nothing was thrown"
  } catch { return (error as? CompressError)?.description ?? "not a CompressError: \(error)" }
}

func decode<T: Decodable>(_ type: T.Type, _ json: String) throws -> T {
  try JSONDecoder().decode(type, from: Data(json.utf8))
}

/// The network computed for one sample straight from the definitions, in double precision.
func evaluate(_ model: Model, _ input: [Double]) throws -> [Double] {
  var outputs: [String: [Double]] = [:]
  for node in model.graph.nodes {
    let inputs = node.inputs.map { outputs[$0]! }
    let shapes = model.graph.inputShapes(of: node), shape = model.graph.shape(of: node.name)
    func values(_ role: ParameterRole) -> [Double]? {
      model[node.name, role]?.values.array(Float.self).map(Double.init)
    }
    var out = [Double](repeating: 0, count: shape.count)
    switch node.op {
    case .input: out = input
    case .activation(.relu): out = inputs[0].map { max($0, 0) }
    case .add: out = zip(inputs[0], inputs[1]).map(+)
    case .flatten: out = inputs[0]
    case .dense(let dense):
      let w = values(.weight)!, b = values(.bias) ?? Array(repeating: 0, count: dense.units), n = inputs[0].count
      for unit in 0..<dense.units { out[unit] = b[unit] + (0..<n).reduce(0) { $0 + w[unit * n + $1] * inputs[0][$1] } }
    case .batchNorm(let norm):
      let g = values(.gamma)!, b = values(.beta)!, m = values(.mean)!, v = values(.variance)!
      for i in out.indices {
        let c = i % g.count
        out[i] = g[c] * (inputs[0][i] - m[c]) / (v[c] + Double(norm.epsilon)).squareRoot() + b[c]
      }
    case .conv2d(let conv):
      let (h, w, c) = (shapes[0][0], shapes[0][1], shapes[0][2])
      let (kh, kw, depth) = (conv.window.size.height, conv.window.size.width, c / conv.groups)
      let pads = conv.window.pads(height: h, width: w)
      let weight = values(.weight)!, bias = values(.bias) ?? Array(repeating: 0, count: conv.filters)
      for (position, _) in out.enumerated() {
        let f = position % conv.filters, x = position / conv.filters % shape[1], y = position / conv.filters / shape[1]
        var sum = bias[f]
        for i in 0..<kh {
          for j in 0..<kw {
            let row = y * conv.window.stride.height + i * conv.window.dilation.height - pads.top
            let column = x * conv.window.stride.width + j * conv.window.dilation.width - pads.left
            guard (0..<h).contains(row), (0..<w).contains(column) else { continue }
            for d in 0..<depth {
              let channel = f / (conv.filters / conv.groups) * depth + d
              sum += weight[((f * kh + i) * kw + j) * depth + d] * inputs[0][(row * w + column) * c + channel]
            }
          }
        }
        out[position] = sum
      }
    default: throw CompressError("not needed here")
    }
    outputs[node.name] = out
  }
  return outputs[model.graph.output]!
}

/// Two convolutions with a shortcut, a strided and a depthwise one: every line of the cost table known by hand.
func residualGraph() throws -> Graph {
  var net = GraphBuilder(input: [8, 8, 3])
  net.conv2d(filters: 16, kernel: 3, padding: .same, bias: false, name: "stem")
  net.batchNorm(name: "stem_norm")
  let shortcut = net.activation(.relu, name: "stem_relu")
  net.conv2d(filters: 16, kernel: 3, padding: .same, bias: false, name: "a1")
  net.batchNorm(name: "a1_norm")
  net.activation(.relu, name: "a1_relu")
  net.conv2d(filters: 16, kernel: 3, padding: .same, bias: false, name: "a2")
  let inner = net.batchNorm(name: "a2_norm")
  let sum = net.add(inner, shortcut, name: "a_add")
  let main = net.conv2d(filters: 32, kernel: 3, stride: 2, padding: .same, bias: false, name: "b1")
  let side = net.conv2d(filters: 32, kernel: 1, stride: 2, bias: false, from: sum, name: "b_side")
  net.add(main, side, name: "b_add")
  net.conv2d(filters: 32, kernel: 3, padding: .same, groups: 32, name: "depthwise")
  net.globalAveragePool(name: "pool")
  net.dense(10, name: "dense")
  return try net.graph()
}
