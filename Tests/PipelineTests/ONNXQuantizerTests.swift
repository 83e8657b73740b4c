import Foundation
import Network
import Runtime
import TestSupport
import Tensors
import Testing

@testable import Formats
@testable import Pipeline

/// Operators of integers that ONNX Runtime's quantizer writes, beside what the integers stand for.
@Suite struct ONNXQuantizerTests {
  private static let uint8 = 2, int8 = 3, int32 = 6
  // No value lies half way between two integers of the second.
  private static let xs: Float = 0.05, ys: Float = 0.0313

  /// Integers of the scale `xs` and the zero point 128, into one of ONNX Runtime's operators, out of which come some of
  /// the scale `ys` and the zero point 100.
  private func net(_ dims: [Int], _ build: (inout ONNXWriter) -> Void) -> ONNXWriter {
    var net = ONNXWriter()
    net.version = 17
    net.domains = ["com.microsoft"]
    net.input("x", [nil] + dims.dropFirst().map { Optional($0) })
    net.weight("xs", [], [Self.xs])
    net.integers("xz", [128], dims: [], element: Self.uint8)
    net.weight("ys", [], [Self.ys])
    net.integers("yz", [100], dims: [], element: Self.uint8)
    net.node("QuantizeLinear", ["x", "xs", "xz"], "xq")
    build(&net)
    net.node("DequantizeLinear", ["yq", "ys", "yz"], "y")
    net.output("y")
    return net
  }

  private func rounded(_ value: Float) -> Float {
    (min(max((value / Self.ys).rounded(.toNearestOrEven) + 100, 0), 255) - 100) * Self.ys
  }

  /// Values that are integers already.
  private func values(_ dims: [Int]) -> Plain {
    Plain(dims) { at in Float(at.reduce(7) { $0 * 5 + $1 * 3 } % 61 - 30) * Self.xs }
  }

  private func check(
    _ x: Plain, _ y: Plain, kind: String, _ build: (inout ONNXWriter) -> Void
  ) throws {
    let net = net(x.dims, build)
    #expect(try verdict(net, [x], [Plain(y.dims) { rounded(y[$0]) }]).isPassed, "\(kind)")
    let model = try #require(try imported(net).model), last = try #require(model.graph.outputs.first)
    #expect(model.activations[last] == .affine(try ActivationQuantization(scale: Self.ys, zeroPoint: 100)), "\(kind)")
  }

  @Test func functionsAndPools() throws {
    let scales = ["xq", "xs", "xz", "ys", "yz"]
    let x = values([2, 3, 4, 4])
    let functions: [(String, [String: ONNXWriter.Attribute], (Float) -> Float)] = [
      ("QLinearSigmoid", [:], { 1 / (1 + expf(-$0)) }),
      ("QLinearLeakyRelu", ["alpha": .float(0.1)], { $0 < 0 ? 0.1 * $0 : $0 }),
    ]
    for (kind, attributes, function) in functions {
      try check(x, Plain(x.dims) { function(x[$0]) }, kind: kind) {
        $0.node(kind, scales, "yq", attributes, domain: "com.microsoft")
      }
    }
    func mean(_ n: Int, _ c: Int, _ rows: Range<Int>, _ columns: Range<Int>) -> Float {
      let all = rows.flatMap { row in columns.map { x[[n, c, row, $0]] } }
      return all.reduce(0, +) / Float(all.count)
    }
    try check(x, Plain([2, 3, 1, 1]) { mean($0[0], $0[1], 0..<4, 0..<4) }, kind: "global") {
      $0.node("QLinearGlobalAveragePool", scales, "yq", domain: "com.microsoft")
    }
    let pooled = Plain([2, 3, 2, 2]) {
      mean($0[0], $0[1], $0[2] * 2..<$0[2] * 2 + 2, $0[3] * 2..<$0[3] * 2 + 2)
    }
    try check(x, pooled, kind: "pool") {
      $0.node(
        "QLinearAveragePool", scales, "yq", ["kernel_shape": .integers([2, 2]), "strides": .integers([2, 2])],
        domain: "com.microsoft")
    }
    let row = values([2, 6])
    let shares = Plain(row.dims) { at in
      expf(row[at]) / (0..<6).reduce(Float(0)) { $0 + expf(row[[at[0], $1]]) }
    }
    try check(row, shares, kind: "softmax") {
      $0.node("QLinearSoftmax", scales, "yq", ["opset": .integer(17), "axis": .integer(-1)], domain: "com.microsoft")
    }
  }

  @Test func sumsWithConstantsAndValuesThatAreJoined() throws {
    let x = values([2, 4])
    let known = [3, 250, 128, 90]
    func number(_ index: Int) -> Float { Float(known[index] - 128) * 0.01 }
    try check(x, Plain(x.dims) { x[$0] + number($0[1]) }, kind: "add") {
      $0.integers("k", known, dims: [1, 4], element: Self.uint8)
      $0.weight("ks", [], [0.01])
      $0.node("QLinearAdd", ["xq", "xs", "xz", "k", "ks", "xz", "ys", "yz"], "yq", domain: "com.microsoft")
    }
    // Each of its own scale.
    let joined = Plain([2, 8]) { x[[$0[0], $0[1] % 4]] }
    try check(x, joined, kind: "concat") {
      $0.weight("ks", [], [Self.xs / 2])
      $0.integers("kz", [60], dims: [], element: Self.uint8)
      $0.node("QuantizeLinear", ["x", "ks", "kz"], "second")
      $0.node(
        "QLinearConcat", ["ys", "yz", "xq", "xs", "xz", "second", "ks", "kz"], "yq", ["axis": .integer(1)],
        domain: "com.microsoft")
    }
  }

  @Test(arguments: [true, false]) func denseLayers(isTurned: Bool) throws {
    let x = values([2, 4]), w = (0..<12).map { $0 * 29 % 100 - 50 }, scales: [Float] = [0.01, 0.02, 0.03]
    let bias = [100, -40, 7]
    func weight(_ unit: Int, _ input: Int) -> Float {
      Float(w[isTurned ? unit * 4 + input : input * 3 + unit]) * scales[unit]
    }
    let y = Plain([2, 3]) { at in
      (0..<4).reduce(Float(bias[at[1]]) * Self.xs * scales[at[1]]) { $0 + x[[at[0], $1]] * weight(at[1], $1) }
    }
    try check(x, y, kind: "gemm") {
      $0.integers("w", w, dims: isTurned ? [3, 4] : [4, 3], element: Self.int8)
      $0.weight("ws", [3], scales)
      $0.integers("wz", [0, 0, 0], element: Self.int8)
      $0.integers("b", bias, element: Self.int32)
      $0.node(
        "QGemm", ["xq", "xs", "xz", "w", "ws", "wz", "b", "ys", "yz"], "yq", ["transB": .integer(isTurned ? 1 : 0)],
        domain: "com.microsoft")
    }
    let model = try #require(
      try imported(
        net(x.dims) {
          $0.integers("w", w, dims: [4, 3], element: Self.int8)
          $0.weight("ws", [3], scales)
          $0.integers("wz", [0, 0, 0], element: Self.int8)
          $0.node("QGemm", ["xq", "xs", "xz", "w", "ws", "wz", "", "ys", "yz"], "yq", domain: "com.microsoft")
        }
      ).model)
    let layer = try #require(model.weightLayers.first)
    guard case .integer(let integers)? = model[layer, .weight]?.encoding else {
      Issue.record("the weight is no integers")
      return
    }
    #expect(integers.scales == scales)
  }

  /// Four bits in blocks along the inputs, the first in the lower half of a byte.
  @Test(arguments: [true, false]) func weightsOfFourBitsInBlocks(hasZeros: Bool) throws {
    let (units, inputs, block, blocks) = (2, 40, 16, 3)
    let codes = (0..<units * blocks * block).map { $0 * 7 % 16 }, zeros = [3, 9, 15, 0, 8, 1]
    let scales = (0..<units * blocks).map { 0.1 + Float($0) * 0.05 }
    var net = ONNXWriter()
    net.domains = ["com.microsoft"]
    net.input("x", [nil, inputs])
    net.integers(
      "w", stride(from: 0, to: codes.count, by: 2).map { codes[$0] | codes[$0 + 1] << 4 },
      dims: [units, blocks, block / 2], element: Self.uint8)
    net.weight("s", [units * blocks], scales)
    // Each unit's begin with a byte of their own.
    net.integers(
      "z", [zeros[0] | zeros[1] << 4, zeros[2], zeros[3] | zeros[4] << 4, zeros[5]], element: Self.uint8)
    net.node(
      "MatMulNBits", ["x", "w", "s"] + (hasZeros ? ["z"] : []), "y",
      ["K": .integer(inputs), "N": .integer(units), "bits": .integer(4), "block_size": .integer(block)],
      domain: "com.microsoft")
    net.output("y")
    let x = Plain([1, inputs]) { Float($0[1] % 5) - 2 }
    let y = Plain([1, units]) { at in
      (0..<inputs).reduce(Float(0)) { sum, k in
        let index = at[1] * blocks + k / block
        let code = codes[index * block + k % block] - (hasZeros ? zeros[index] : 8)
        return sum + x[[0, k]] * Float(code) * scales[index]
      }
    }
    #expect(try verdict(net, [x], [y]).isPassed)
    // That they are floats from now on is said.
    let note = try #require(try imported(net).notes.first)
    #expect(note.contains("the weights of 1 layer are integers of 4 bits in the file and floats here"))
  }

  @Test func integerWeightsOfFloatsAreSaidToBecomeFloats() throws {
    var net = ONNXWriter()
    net.input("x", [nil, 2])
    net.integers("w", [1, -2, 3, 4], dims: [2, 2], element: Self.int8)
    net.weight("s", [], [0.5])
    net.node("DequantizeLinear", ["w", "s"], "f")
    net.node("MatMul", ["x", "f"], "y")
    net.output("y")
    #expect(try imported(net).notes.first?.contains("integers of 8 bits in the file and floats here") ?? false)
  }
}
