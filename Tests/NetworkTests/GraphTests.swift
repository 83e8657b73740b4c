import Foundation
import Network
import Tensors
import Testing

@Suite struct GraphTests {
  private let input = Node("input", .input(Input([4])))
  private func dense(_ name: String, _ from: String) -> Node { Node(name, .dense(Dense(units: 2)), [from]) }

  @Test func errorsNameTheLayer() {
    func failure(_ nodes: [Node], output: String) -> String { message { _ = try Graph(nodes, output: output) } }
    #expect(
      failure([input, dense("a", "b"), dense("b", "input")], output: "a")
        == "layer \"a\": its input \"b\" is no earlier layer")
    #expect(
      failure([input, dense("a", "input"), dense("a", "a")], output: "a") == "layer \"a\": two layers have this name")
    #expect(
      failure([input, Node("s", .add(Add()), ["input"])], output: "s") == "layer \"s\": add takes 2 inputs, not 1")
    #expect(
      failure([input, Node("c", .concat(Concat()), ["input"])], output: "c")
        == "layer \"c\": concat takes 2 to 1024 inputs, not 1")
    #expect(
      failure([input, Node("f", .conv2d(Conv2D(filters: 1, window: Window(Size2D(1)))), ["input"])], output: "f")
        == "layer \"f\": expects an image [height, width, channels], got shape [4]")
    #expect(failure([input], output: "x") == "the network's output \"x\" is no layer")
    #expect(failure([Node("c", .constant(Constant([1])))], output: "c") == "a network has at least one input")
    #expect(failure([], output: "x").contains("no layer"))
    #expect(failure([Node("", .input(Input([1])))], output: "").contains("1 to 512 bytes"))
    #expect(
      failure([Node("i", .input(Input([1 << 16, 1 << 16])))], output: "i").contains("more than 2147483647 elements"))
    let chain = (0...65_536).map {
      $0 == 0 ? input : Node("\($0)", .flatten(Flatten()), [$0 == 1 ? "input" : "\($0 - 1)"])
    }
    #expect(failure(chain, output: "input") == "a network has at most 65536 layers, not 65537")
  }

  @Test func facts() throws {
    let graph = try residualGraph()
    #expect(graph.inputs == ["input"] && graph.inputShape == [8, 8, 3] && graph.outputShape == [10])
    #expect(graph.shape(of: "b_add") == [4, 4, 32] && graph["nothing"] == nil && graph.index(of: "stem") == 1)
    #expect(graph.consumers["stem_relu"] == ["a1", "a_add"] && graph.consumers["dense"] == nil)
    #expect(graph.inputShapes(of: graph["a_add"]!) == [[8, 8, 16], [8, 8, 16]])
  }

  @Test func layersAreNamedByKindAndNumber() throws {
    var net = GraphBuilder(input: [8, 8, 1])
    net.conv2d(filters: 2, kernel: 3)
    net.activation(.relu)
    net.maxPool(2)
    net.averagePool(3)
    net.conv2d(filters: 2, kernel: 1)
    net.reshape([2, 1])
    net.flatten()
    #expect(
      try net.graph().nodes.map(\.name)
        == ["input", "conv2d_1", "relu_1", "max_pool_1", "average_pool_1", "conv2d_2", "reshape_1", "flatten_1"])
  }

  @Test func graphsSurviveJSON() throws {
    var net = GraphBuilder(input: [8, 8, 2])
    let a = net.conv2d(filters: 4, kernel: 3, stride: 2, padding: .same, groups: 2, bias: false)
    let b = net.averagePool(2, padding: .explicit(top: 0, left: 1, bottom: 0, right: 1), from: "input")
    let cut = net.conv2d(filters: 4, kernel: 1, from: b)
    for function in [Activation.relu, .relu6, .sigmoid, .softmax] { net.activation(function) }
    net.add(.globalPool(GlobalPool(.max)), [a])
    net.batchNorm(BatchNorm(epsilon: 1e-5, momentum: 0.9))
    let vector = net.last
    net.globalAveragePool(from: cut)
    net.concat([net.last, vector])
    net.add(net.last, net.last)
    net.reshape([2, 4])
    net.flatten()
    net.dense(3, bias: false)
    let graph = try net.graph()
    let data = try JSONEncoder().encode(graph)
    #expect(try JSONDecoder().decode(Graph.self, from: data) == graph)
    let residual = try residualGraph()
    #expect(try JSONDecoder().decode(Graph.self, from: JSONEncoder().encode(residual)) == residual)
  }

  @Test func everyFloatSurvivesJSON() throws {
    var random = SeededRandom(seed: 3)
    let norms = (0..<2000).map { _ in
      BatchNorm(epsilon: Float(bitPattern: UInt32(1 + random.below(0x7F7F_FFFF))), momentum: Float(random.uniform()))
    }
    #expect(try JSONDecoder().decode([BatchNorm].self, from: JSONEncoder().encode(norms)) == norms)
  }

  @Test func brokenJSONIsNamed() {
    #expect(
      message { _ = try decode(Operator.self, #"{"op": "conv9d\u001b"}"#) } == "unknown operator \"conv9d\\u{1B}\"")
    #expect(
      message { _ = try decode(Operator.self, #"{"op": "activation", "function": "gel"}"#) }
        == "unknown activation \"gel\"")
    #expect(message { _ = try decode([Padding].self, #"["full"]"#) } == "unknown padding \"full\"")
    #expect(message { _ = try decode([Padding].self, "[[1, 2]]") } == "padding has four extents, not 2")
    #expect(message { _ = try decode([Size2D].self, "[[1]]") } == "a size has two extents, not 1")
  }
}
