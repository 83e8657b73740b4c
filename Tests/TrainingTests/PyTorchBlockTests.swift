import Foundation
import Kernels
import Network
import Tensors
import Testing

@testable import Training

/// What networks of today are made of, forwards and backwards, beside PyTorch's own functions: outputs and the gradient
/// of every parameter to 1e-5 of the largest.
@Suite(.enabled(if: PyTorch.python != nil, PyTorch.missing))
struct PyTorchBlockTests {
  private static let tolerance = 1e-5

  private enum Block: CaseIterable, CustomTestStringConvertible {
    case mobileNetV3, attention, unet, detectorHead
    var testDescription: String { "\(self)" }

    func graph() throws -> Graph {
      switch self {
      case .mobileNetV3:
        return try built([8, 8, 12]) { net in
          let input = net.last
          func layer(_ filters: Int, kernel: Int, groups: Int = 1, _ function: Activation?) {
            net.conv2d(filters: filters, kernel: kernel, padding: .same, groups: groups, bias: false)
            net.batchNorm(BatchNorm(epsilon: 1e-3))
            if let function { net.activation(function) }
          }
          layer(24, kernel: 1, .hardSwish)
          layer(24, kernel: 5, groups: 24, .hardSwish)
          let wide = net.last
          net.globalAveragePool()
          net.dense(8)
          net.activation(.relu)
          net.dense(24)
          let gate = net.activation(.hardSigmoid(slope: 1 / 6, offset: 0.5))
          net.mul(wide, gate)
          layer(12, kernel: 1, nil)
          net.add(input, net.last)
        }
      case .attention:
        return try built([7, 24]) { net in
          func norm() { net.add(.normalization(SampleNorm(epsilon: 1e-6)), [net.last]) }
          var input = net.last
          norm()
          let joined = net.dense(72)
          let parts = (0..<3).map { part in
            net.add(.gather(Gather(axis: 1, Array(part * 24..<(part + 1) * 24))), [joined])
          }
          net.add(.attention(Attention(heads: 3)), parts)
          net.dense(24)
          input = net.add(input, net.last)
          norm()
          net.dense(96)
          net.activation(.gelu)
          net.dense(24)
          net.add(input, net.last)
        }
      case .unet:
        let entry = try Zoo.entry("unet")
        var options = entry.defaults
        (options.input, options.width, options.depth) = ([12, 10, 3], 0.0625, 2)
        return try entry.graph(options)
      case .detectorHead:
        return try built([4, 6, 8]) { net in
          let coarse = net.last
          func tower(_ filters: Int, _ function: Activation?) -> String {
            net.conv2d(filters: 8, kernel: 3, padding: .same, groups: 8, bias: false)
            net.batchNorm()
            net.activation(.relu6)
            net.conv2d(filters: 8, kernel: 1, bias: false)
            net.batchNorm()
            net.activation(.relu6)
            net.conv2d(filters: filters, kernel: 1)
            if let function { net.activation(function) }
            return net.flatten()
          }
          let lateral = net.conv2d(filters: 8, kernel: 1)
          let larger = net.add(
            .resize(Resize(.nearest, height: 8, width: 12, coordinates: .asymmetric)), [lateral])
          let scores = tower(5, nil)
          net.conv2d(filters: 8, kernel: 1, from: larger)
          let sides = tower(4, .relu)
          net.conv2d(filters: 8, kernel: 1, from: coarse)
          net.concat([scores, sides, tower(5, nil)], axis: 0)
        }
      }
    }
  }

  @Test(arguments: Block.allCases) private func forwardsAndBackwards(_ block: Block) throws {
    // What is trained gives a vector.
    let whole = try block.graph(), count = 4
    let graph = try Graph(whole.nodes + [Node("vector", .flatten(Flatten()), [whole.output])], outputs: ["vector"])
    let model = try randomModel(graph, seed: 3)
    let weights = try TrainableWeights(model)
    let training = try TrainingGraph(
      graph, weights: weights, batchSize: count, pool: ThreadPool(threads: 2, smallestWork: 0))
    var random = SeededRandom(seed: 11)
    func drawn(_ count: Int) -> [Float] { (0..<count).map { _ in Float(random.uniform(-1..<1)) } }
    let samples = drawn(count * training.sampleSize)
    for (index, value) in samples.enumerated() { training.samples[index] = value }
    try training.forward(count: count, .training)
    let gradient = drawn(count * training.scores.size)
    for (index, value) in gradient.enumerated() { training.scores.gradient![index] = value }
    try training.backward()

    let expected = try pytorch(model, samples, gradient, count)
    check((0..<gradient.count).map { training.scores.data[$0] }, expected.output, "output")
    #expect(expected.gradients.count == weights.parameters.count { $0.gradient != nil })
    for entry in expected.gradients {
      let own = weights.parameter(entry.layer, try #require(entry.parameter))!.gradient!
      check(Array(own.elements), entry.values, "gradient of \(entry.layer) \(entry.role)")
    }
  }

  private func check(_ got: [Float], _ expected: [Double], _ what: String) {
    #expect(got.count == expected.count)
    let largest = max(1, expected.map(abs).max() ?? 1)
    let worst = zip(got, expected).map { abs(Double($0) - $1) }.max() ?? 0
    #expect(worst <= Self.tolerance * largest, "\(what): \(worst) of \(largest)")
  }

  // MARK: PyTorch

  private struct Answer: Decodable {
    let output: [Double]
    let gradients: [PyTorch.Entry]
  }

  private func pytorch(_ model: Model, _ samples: [Float], _ gradient: [Float], _ count: Int) throws -> Answer {
    let graph = model.graph
    let job: [String: Any] = [
      "nodes": try graph.nodes.map { try node($0, graph) }, "output": graph.output,
      "samples": PyTorch.tensor(samples, [count] + graph.inputShape.dims),
      "gradient": PyTorch.tensor(gradient, [count, gradient.count / count]),
      "parameters": PyTorch.parameters(of: model),
    ]
    return try PyTorch.answer("pytorch_blocks.py", to: job)
  }

  private func node(_ node: Node, _ graph: Graph) throws -> [String: Any] {
    try PyTorch.node(node, graph) { op in
      switch op {
      case .normalization(let spec) where spec.groups == nil && spec.statistic == .variance:
        ["kind": "layer_norm", "epsilon": Double(spec.epsilon)]
      case .activation(let function): ["kind": "function", "function": function.name]
      case .mul: ["kind": "mul"]
      case .concat(let spec):
        ["kind": "concat", "axis": spec.axis(rank: graph.shape(of: node.output).rank)]
      case .gather(let spec): ["kind": "gather", "axis": spec.axis, "indices": spec.indices]
      case .attention(let spec): ["kind": "attention", "heads": spec.heads]
      case .resize(let spec):
        [
          "kind": "resize", "size": [spec.height, spec.width], "mode": spec.interpolation.rawValue,
          "corners": spec.coordinates == .alignCorners,
        ]
      default: nil
      }
    }
  }
}
