import Foundation
import Network
import Runtime
import TestSupport
import Tensors
import Testing

@testable import Formats
@testable import Pipeline

/// What exporters write out and one operator computes here, beside the same written so that it stays as it is.
@Suite struct ONNXPatternTests {
  private func read(_ net: ONNXWriter) throws -> Model {
    let path = NSTemporaryDirectory() + "/patterns-\(UInt64.random(in: 0...(.max))).onnx"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(net.bytes).write(to: URL(fileURLWithPath: path))
    return try ModelFile.read(path)
  }

  private func kinds(_ model: Model) -> [String] { model.graph.nodes.map(\.op.spec.kind) }

  private func numbers(_ count: Int, _ seed: Int) -> [Float] {
    (0..<count).map { Float(($0 * 37 + seed * 11) % 29 - 14) / 20 }
  }

  // MARK: Attention

  private static let tokens = 5, heads = 2, size = 3

  /// How queries, keys and values come about, and where the scale stands.
  enum Way: CaseIterable {
    /// Three layers; the scores divided by the root of the size of a head.
    case apart
    /// Three layers; queries and keys each times the root of the scale, as PyTorch exports its own function.
    case bothScaled
    /// One layer for all three, taken apart along a new axis.
    case packed
    /// Three layers; scores without a scale.
    case plain
  }

  private func attention(_ way: Way, mask: Float? = nil, showsShares: Bool = false) -> ONNXWriter {
    let (t, h, d) = (Self.tokens, Self.heads, Self.size), e = h * d
    var net = ONNXWriter()
    net.input("x", [nil, t, e])
    net.integers("split", [0, t, h, d])
    net.integers("split3", [0, t, 3, h, d])
    net.integers("joined", [0, t, e])
    if way == .packed {
      net.weight("w", [e, 3 * e], numbers(3 * e * e, 1))
      net.node("MatMul", ["x", "w"], "qkv")
      net.node("Reshape", ["qkv", "split3"], "parts")
      for (index, name) in ["q", "k", "v"].enumerated() {
        net.integers("i\(name)", [index], dims: [])
        net.node("Gather", ["parts", "i\(name)"], name + " part", ["axis": .integer(2)])
        net.node("Transpose", [name + " part"], name, ["perm": .integers([0, 2, 1, 3])])
      }
    } else {
      for (index, name) in ["q", "k", "v"].enumerated() {
        net.weight("w\(name)", [e, e], numbers(e * e, index + 2))
        net.weight("b\(name)", [e], numbers(e, index + 7))
        net.node("MatMul", ["x", "w\(name)"], name + " m")
        net.node("Add", [name + " m", "b\(name)"], name + " b")
        net.node("Reshape", [name + " b", "split"], name + " s")
        net.node("Transpose", [name + " s"], name, ["perm": .integers([0, 2, 1, 3])])
      }
    }
    net.node("Transpose", ["k"], "kt", ["perm": .integers([0, 1, 3, 2])])
    net.weight("root", [], [Float(d).squareRoot()])
    net.weight("fourth", [], [1 / Float(d).squareRoot().squareRoot()])
    if way == .bothScaled {
      net.node("Mul", ["q", "fourth"], "q4")
      net.node("Mul", ["kt", "fourth"], "k4")
      net.node("MatMul", ["q4", "k4"], "scores")
    } else {
      net.node("MatMul", ["q", "kt"], "products")
      net.node(way == .plain ? "Identity" : "Div", way == .plain ? ["products"] : ["products", "root"], "scores")
    }
    if let mask {
      net.weight("mask", [t, t], (0..<t * t).map { $0 % t > $0 / t ? mask : 0 })
      net.node("Add", ["scores", "mask"], "masked")
    }
    net.node("Softmax", [mask == nil ? "scores" : "masked"], "shares", ["axis": .integer(-1)])
    net.node("MatMul", ["shares", "v"], "heads")
    net.node("Transpose", ["heads"], "back", ["perm": .integers([0, 2, 1, 3])])
    net.node("Reshape", ["back", "joined"], "y")
    net.output("y")
    if showsShares { net.output("shares") }
    return net
  }

  @Test(arguments: Way.allCases) func attentionIsOneOperator(_ way: Way) throws {
    let model = try read(attention(way))
    #expect(kinds(model).contains("attention") && !kinds(model).contains("matmul"))
    #expect(!kinds(model).contains("transpose") && !kinds(model).contains("activation"))
    for node in model.graph.nodes {
      guard case .attention(let op) = node.op else { continue }
      #expect(op == Attention(heads: Self.heads, scale: way == .plain ? 1 : nil))
    }
    // Whoever wants the shares has them: then all stays as it is written, and computes the same.
    let written = try read(attention(way, showsShares: true))
    #expect(kinds(written).contains("matmul") && !kinds(written).contains("attention"))
    let samples = Tensor(numbers(2 * Self.tokens * 6, 5), [2, Self.tokens, 6])
    let a = try Session(compile(model, CompileOptions(maxBatch: 2))).run(samples).array(Float.self)
    let b = try Session(compile(written, CompileOptions(maxBatch: 2))).run(samples).array(Float.self)
    let count = Self.tokens * 6, stride = b.count / 2
    for sample in 0..<2 {
      for index in 0..<count {
        #expect(abs(a[sample * count + index] - b[sample * stride + index]) <= 1e-5)
      }
    }
  }

  @Test func attentionWithAMaskStaysAsItIs() throws {
    #expect(!kinds(try read(attention(.apart, mask: -1e9))).contains("attention"))
  }

  // MARK: Channels

  /// As YOLOv5 begins: every second pixel from each of four places, joined as channels.
  @Test func slicesOfPixelsAreBlocks() throws {
    func focus(_ places: [(Int, Int)]) -> ONNXWriter {
      var net = ONNXWriter()
      net.input("x", [nil, 3, 4, 6])
      net.integers("step", [2, 2])
      net.integers("axes", [2, 3])
      net.integers("end", [1 << 30, 1 << 30])
      for (index, place) in places.enumerated() {
        net.integers("s\(index)", [place.0, place.1])
        net.node("Slice", ["x", "s\(index)", "end", "axes", "step"], "p\(index)")
      }
      net.node("Concat", places.indices.map { "p\($0)" }, "y", ["axis": .integer(1)])
      net.output("y")
      return net
    }
    let order = [(0, 0), (1, 0), (0, 1), (1, 1)]
    #expect(kinds(try read(focus(order))) == ["input", "space_to_depth", "gather"])
    #expect(kinds(try read(focus([(0, 0), (0, 1), (1, 0), (1, 1)]))) == ["input", "space_to_depth"])
    var random = SeededRandom(seed: 3)
    let x = Plain.random([2, 3, 4, 6], &random)
    let y = Plain([2, 12, 2, 3]) { at in
      let (part, channel) = (at[1] / 3, at[1] % 3)
      return x[[at[0], channel, 2 * at[2] + order[part].0, 2 * at[3] + order[part].1]]
    }
    #expect(try verdict(focus(order), [x], [y]).isPassed)
    // The same place twice is no block.
    #expect(kinds(try read(focus([(0, 0), (0, 0), (1, 0), (1, 1)]))).contains("concat"))
  }

  @Test func shufflesOfChannelsAreGathers() throws {
    var net = ONNXWriter()
    net.input("x", [nil, 6, 2, 3])
    net.integers("groups", [0, 2, 3, 2, 3])
    net.integers("whole", [0, 6, 2, 3])
    net.node("Reshape", ["x", "groups"], "g")
    net.node("Transpose", ["g"], "t", ["perm": .integers([0, 2, 1, 3, 4])])
    net.node("Reshape", ["t", "whole"], "y")
    net.output("y")
    let model = try read(net)
    #expect(model.graph.nodes.map(\.op).last == .gather(Gather(shuffling: 6, groups: 2, axis: 2)))
    #expect(kinds(model) == ["input", "gather"])
    var random = SeededRandom(seed: 3)
    let x = Plain.random([2, 6, 2, 3], &random)
    #expect(try verdict(net, [x], [Plain(x.dims) { x[[$0[0], $0[1] % 2 * 3 + $0[1] / 2, $0[2], $0[3]]] }]).isPassed)
  }
}
