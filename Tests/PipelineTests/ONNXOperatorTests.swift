import Diagnostics
import Foundation
import Network
import TestSupport
import Tensors
import Testing

@testable import Formats
@testable import Pipeline

/// Operators of the standard that are made of several here, and what older versions of it say otherwise: beside plain
/// loops.
@Suite struct ONNXOperatorTests {
  private static let int64 = 7

  // MARK: Functions of an element

  @Test func functionsOfAnElement() throws {
    let x = Plain([2, 9], [-2.5, -1.5, -1, -0.3, 0, 0.3, 0.5, 1.5, 2.5, -7, 3, 1, -0.5, 0.2, -0.2, 9, 0.51, -0.49])
    let ways: [(String, [String: ONNXWriter.Attribute], (Float) -> Float)] = [
      ("Floor", [:], { $0.rounded(.down) }), ("Ceil", [:], { $0.rounded(.up) }),
      ("Round", [:], { $0.rounded(.toNearestOrEven) }), ("Sign", [:], { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }),
      ("Sin", [:], sinf), ("Cos", [:], cosf), ("Softsign", [:], { $0 / (1 + abs($0)) }),
      ("Selu", [:], { 1.050701 * ($0 > 0 ? $0 : 1.6732632 * expm1f($0)) }),
      ("Selu", ["alpha": .float(2), "gamma": .float(3)], { 3 * ($0 > 0 ? $0 : 2 * expm1f($0)) }),
      ("Celu", ["alpha": .float(2)], { max(0, $0) + min(0, 2 * expm1f($0 / 2)) }),
      ("ThresholdedRelu", ["alpha": .float(0.5)], { $0 > 0.5 ? $0 : 0 }),
      ("Shrink", ["lambd": .float(1), "bias": .float(0.25)], { $0 < -1 ? $0 + 0.25 : $0 > 1 ? $0 - 0.25 : 0 }),
      ("Shrink", [:], { abs($0) > 0.5 ? $0 : 0 }),
    ]
    for (kind, attributes, function) in ways {
      let y = Plain(x.dims) { function(x[$0]) }
      #expect(try verdict(oneNode(kind, x, attributes), [x], [y]).isPassed, "\(kind) \(attributes)")
    }
  }

  // MARK: Reductions

  @Test func normsAndLogarithmsOfSums() throws {
    var random = SeededRandom(seed: 4)
    let x = Plain.random([2, 3, 4, 5], &random), large = Plain(x.dims) { x[$0] * 300 }
    func reduced(_ x: Plain, _ body: ([Float]) -> Float) -> Plain {
      Plain([2, 3, 1, 5]) { at in body((0..<4).map { x[[at[0], at[1], $0, at[3]]] }) }
    }
    let ways: [(String, Plain, ([Float]) -> Float)] = [
      ("ReduceL1", x, { $0.reduce(0) { $0 + abs($1) } }),
      ("ReduceL2", x, { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }),
      ("ReduceSumSquare", x, { $0.reduce(0) { $0 + $1 * $1 } }),
      ("ReduceLogSum", Plain(x.dims) { abs(x[$0]) }, { logf($0.reduce(0, +)) }),
      ("ReduceLogSumExp", large, { all in all.max()! + logf(all.reduce(0) { $0 + expf($1 - all.max()!) }) }),
    ]
    for (kind, x, body) in ways {
      for keeps in [true, false] {
        var y = reduced(x, body)
        if !keeps { y.dims = [2, 3, 5] }
        let net = oneNode(kind, x, ["keepdims": .integer(keeps ? 1 : 0)], lists: [[2]])
        #expect(try verdict(net, [x], [y]).isPassed, "\(kind) \(keeps)")
      }
    }
  }

  @Test func placesOfTheLeastAndOfTheLast() throws {
    let x = Plain([1, 5], [3, 1, 4, 1, 4])
    func place(_ kind: String, _ isLast: Bool) throws -> Conformance.Verdict {
      let net = oneNode(kind, x, ["axis": .integer(1), "select_last_index": .integer(isLast ? 1 : 0)])
      let places = ["ArgMax": [2, 4], "ArgMin": [1, 3]][kind]!
      return try verdict(net, [x], [Plain([1, 1], [Float(places[isLast ? 1 : 0])])])
    }
    for kind in ["ArgMax", "ArgMin"] {
      for isLast in [false, true] { #expect(try place(kind, isLast).isPassed, "\(kind) \(isLast)") }
    }
    // One greatest element is a reduction; of several there is none here.
    for (largest, value, place) in [(1, 4, 2), (0, 1, 1)] as [(Int, Float, Float)] {
      var net = oneNode("TopK", x, ["largest": .integer(largest)], lists: [[1]])
      net.nodes = [ONNXWriter.node("TopK", ["x", "l0"], ["y", "z"], ["largest": .integer(largest)])]
      net.output("z", element: Self.int64)
      #expect(try verdict(net, [x], [Plain([1, 1], [value]), Plain([1, 1], [place])]).isPassed)
    }
    #expect(importFailure(oneNode("TopK", x, lists: [[2]])).contains("the 2 greatest of an axis"))
  }

  // MARK: Windows

  @Test func localResponseNormalization() throws {
    var random = SeededRandom(seed: 6)
    let x = Plain.random([2, 7, 3, 2], &random)
    for size in [1, 3, 4] {
      let y = Plain(x.dims) { at in
        let range = max(0, at[1] - (size - 1) / 2)...min(6, at[1] + size / 2)
        let sum = range.reduce(Float(0)) { $0 + powf(x[[at[0], $1, at[2], at[3]]], 2) }
        return x[at] / powf(0.5 + 0.9 / Float(size) * sum, 0.6)
      }
      let attributes: [String: ONNXWriter.Attribute] = [
        "size": .integer(size), "alpha": .float(0.9), "beta": .float(0.6), "bias": .float(0.5),
      ]
      #expect(try verdict(oneNode("LRN", x, attributes), [x], [y]).isPassed, "\(size)")
    }
  }

  /// Pixels that lie apart, beside every pixel of every window.
  @Test func dilatedPoolsAndPoolsOfNorms() throws {
    var random = SeededRandom(seed: 7)
    let x = Plain.random([2, 3, 9, 8], &random)
    let size = [3, 2], stride = [2, 1], pads = [1, 0, 2, 1]
    for dilation in [[2, 3], [1, 1]] {
      func extent(_ axis: Int) -> Int {
        (x.dims[axis + 2] + pads[axis] + pads[axis + 2] - (size[axis] - 1) * dilation[axis] - 1) / stride[axis] + 1
      }
      func pooled(_ body: ([Float?]) -> Float) -> Plain {
        Plain([2, 3, extent(0), extent(1)]) { at in
          var window: [Float?] = []
          for i in 0..<size[0] {
            for j in 0..<size[1] {
              let row = at[2] * stride[0] - pads[0] + i * dilation[0]
              let column = at[3] * stride[1] - pads[1] + j * dilation[1]
              let isInside = (0..<9).contains(row) && (0..<8).contains(column)
              window.append(isInside ? x[[at[0], at[1], row, column]] : nil)
            }
          }
          return body(window)
        }
      }
      let attributes: [String: ONNXWriter.Attribute] = [
        "kernel_shape": .integers(size), "strides": .integers(stride), "pads": .integers(pads),
        "dilations": .integers(dilation),
      ]
      func check(_ kind: String, _ more: [String: ONNXWriter.Attribute], _ body: ([Float?]) -> Float) throws {
        let net = oneNode(kind, x, attributes.merging(more) { $1 }, version: 19)
        #expect(try verdict(net, [x], [pooled(body)]).isPassed, "\(kind) \(more) \(dilation)")
      }
      try check("MaxPool", [:]) { $0.compactMap { $0 }.max()! }
      try check("AveragePool", [:]) { $0.compactMap { $0 }.reduce(0, +) / Float($0.count { $0 != nil }) }
      try check("AveragePool", ["count_include_pad": .integer(1)]) { $0.compactMap { $0 }.reduce(0, +) / 6 }
      try check("LpPool", ["p": .integer(1)]) { $0.compactMap { $0 }.reduce(0) { $0 + abs($1) } }
      try check("LpPool", ["p": .integer(2)]) { $0.compactMap { $0 }.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    }
    let whole = Plain([2, 3, 1, 1]) { at in
      (0..<72).reduce(Float(0)) { $0 + powf(x[[at[0], at[1], $1 / 8, $1 % 8]], 2) }.squareRoot()
    }
    #expect(try verdict(oneNode("GlobalLpPool", x), [x], [whole]).isPassed)
  }

  @Test func transposedConvolutionsOfASizeThatIsAskedFor() throws {
    let x = Plain([1, 1, 3], [1, 2, 3]), w = Plain([1, 1, 3], [1, 10, 100])
    // All of it: 1 10 100+2 20 200+3 30 300, at stride 2.
    let all: [Float] = [1, 10, 102, 20, 203, 30, 300]
    let ways: [([String: ONNXWriter.Attribute], ArraySlice<Float>)] = [
      (["auto_pad": .text("SAME_UPPER")], all[0..<6]), (["auto_pad": .text("SAME_LOWER")], all[1..<7]),
      (["output_shape": .integers([5])], all[1..<6]), (["output_shape": .integers([7])], all[0..<7]),
      (["pads": .integers([1, 1])], all[1..<6]),
    ]
    for (attributes, y) in ways {
      let net = oneNode("ConvTranspose", x, attributes.merging(["strides": .integers([2])]) { $1 }, weights: [w])
      #expect(try verdict(net, [x], [Plain([1, 1, y.count], Array(y))]).isPassed, "\(attributes)")
    }
  }

  @Test func resizing() throws {
    func resized(_ x: Plain, _ scales: [Float], _ attributes: [String: ONNXWriter.Attribute]) -> ONNXWriter {
      var net = oneNode("Resize", x, attributes)
      net.weight("scales", [scales.count], scales)
      net.nodes = [ONNXWriter.node("Resize", ["x", "", "scales"], ["y"], attributes)]
      return net
    }
    // The standard's own: the corners are those of a result that is not rounded to whole pixels.
    let x = Plain([1, 1, 2, 4], [1, 2, 3, 4, 5, 6, 7, 8])
    let corners: [String: ONNXWriter.Attribute] = [
      "mode": .text("linear"), "coordinate_transformation_mode": .text("align_corners"),
    ]
    let y = Plain([1, 1, 1, 2], [1, 3.142857])
    #expect(try verdict(resized(x, [1, 1, 0.6, 0.6], corners), [x], [y]).isPassed)
    // A signal of one dimension.
    let signal = Plain([1, 2, 3], [1, 2, 4, 0, 10, 20])
    let linear: [String: ONNXWriter.Attribute] = ["mode": .text("linear")]
    let longer = Plain([1, 2, 6], [1, 1.25, 1.75, 2.5, 3.5, 4, 0, 2.5, 7.5, 12.5, 17.5, 20])
    #expect(try verdict(resized(signal, [1, 1, 2], linear), [signal], [longer]).isPassed)
    let doubled = Plain([1, 2, 6], [1, 1, 2, 2, 4, 4, 0, 0, 10, 10, 20, 20])
    let nearest: [String: ONNXWriter.Attribute] = [
      "coordinate_transformation_mode": .text("asymmetric"), "nearest_mode": .text("floor"),
    ]
    #expect(try verdict(resized(signal, [1, 1, 2], nearest), [signal], [doubled]).isPassed)
  }

  // MARK: Products

  @Test func productsByTheirEquations() throws {
    var random = SeededRandom(seed: 9)
    let a = Plain.random([2, 3, 4, 5], &random), b = Plain.random([2, 3, 6, 5], &random)
    func net(_ equation: String, _ b: [Int]) -> ONNXWriter {
      var net = ONNXWriter()
      net.input("a", [nil, 3, 4, 5])
      net.input("b", [nil] + b.map { Optional($0) })
      net.node("Einsum", ["a", "b"], "y", ["equation": .text(equation)])
      net.output("y")
      return net
    }
    let scores = Plain([2, 3, 4, 6]) { at in
      (0..<5).reduce(0) { $0 + a[[at[0], at[1], at[2], $1]] * b[[at[0], at[1], at[3], $1]] }
    }
    #expect(try verdict(net("bhid, bhjd -> bhij", [3, 6, 5]), [a, b], [scores]).isPassed)
    #expect(try verdict(net("bhid,bhjd->bjhi", [3, 6, 5]), [a, b], [scores.transposed([0, 3, 1, 2])]).isPassed)
    #expect(importFailure(net("bhid,bhjd->bij", [3, 6, 5])).contains("is no product of matrices"))
    #expect(importFailure(net("bhid->bhi", [3, 6, 5])).contains("supported are products of two values"))
    #expect(importFailure(net("bhii,bhjd->bhij", [3, 6, 5])).contains("names an axis twice"))
  }

  // MARK: Older versions

  @Test func axesOfSecondOperandsBeforeVersion7() throws {
    var random = SeededRandom(seed: 10)
    let x = Plain.random([2, 3, 4, 5], &random), b = Plain.random([3], &random), c = Plain.random([2, 3, 4], &random)
    for (kind, function) in [("Add", (+)), ("Sub", (-)), ("Mul", (*))] as [(String, (Float, Float) -> Float)] {
      let net = oneNode(
        kind, x, ["broadcast": .integer(1), "axis": .integer(1)], weights: [b], version: 6)
      #expect(try verdict(net, [x], [Plain(x.dims) { function(x[$0], b.values[$0[1]]) }]).isPassed, "\(kind)")
      // Where both vary.
      var two = net
      two.initializers = []
      two.inputs = []
      two.input("x", [nil, 3, 4, 5])
      two.input("w0", [nil, 3, 4])
      two.nodes = [
        ONNXWriter.node(kind, ["x", "w0"], ["y"], ["broadcast": .integer(1), "axis": .integer(0)])
      ]
      let y = Plain(x.dims) { function(x[$0], c[Array($0.prefix(3))]) }
      #expect(try verdict(two, [x, c], [y]).isPassed, "\(kind) of two")
    }
    // Of what is known, too.
    var known = oneNode("Add", Plain([1, 2, 3], []), weights: [Plain([2], [10, 20])], version: 6)
    known.weight("two", [2, 3], [1, 2, 3, 4, 5, 6])
    known.nodes = [
      ONNXWriter.node("Add", ["two", "w0"], ["k"], ["broadcast": .integer(1), "axis": .integer(0)]),
      ONNXWriter.node("Add", ["x", "k"], ["y"], ["broadcast": .integer(1)]),
    ]
    let zero = Plain([1, 2, 3], [0, 0, 0, 0, 0, 0])
    #expect(try verdict(known, [zero], [Plain([1, 2, 3], [11, 12, 13, 24, 25, 26])]).isPassed)
    #expect(
      importFailure(oneNode("Add", x, ["axis": .integer(3)], weights: [c], version: 6)).contains("from axis 3 of 4 on"))
  }

  @Test func whatElseOlderVersionsSayOtherwise() throws {
    var random = SeededRandom(seed: 11)
    let x = Plain.random([2, 3, 2, 2], &random)
    let slopes = Plain([3], [0.1, 0.2, 0.3])
    let sloped = Plain(x.dims) { x[$0] < 0 ? slopes.values[$0[1]] * x[$0] : x[$0] }
    #expect(try verdict(oneNode("PRelu", x, weights: [slopes], version: 6), [x], [sloped]).isPassed)
    let larger = Plain([2, 3, 4, 6]) { x[[$0[0], $0[1], $0[2] / 2, $0[3] / 3]] }
    let scales: [String: ONNXWriter.Attribute] = ["height_scale": .float(2), "width_scale": .float(3)]
    #expect(try verdict(oneNode("Upsample", x, scales, version: 1), [x], [larger]).isPassed)
    #expect(try verdict(oneNode("Cast", x, ["to": .text("FLOAT")], version: 1), [x], [x]).isPassed)
    let padded = Plain([2, 3, 2, 3]) { $0[3] == 2 ? 0 : x[$0] }
    let pads: [String: ONNXWriter.Attribute] = ["paddings": .integers([0, 0, 0, 0, 0, 0, 0, 1])]
    #expect(try verdict(oneNode("Pad", x, pads, version: 1), [x], [padded]).isPassed)
    let ones = [Plain](repeating: Plain([3], [1, 1, 1]), count: 4)
    let shifted = Plain(x.dims) { (x[$0] - 1) / Float(1 + 1e-5).squareRoot() + 1 }
    let tested = oneNode("BatchNormalization", x, ["is_test": .integer(1)], weights: ones, version: 6)
    #expect(try verdict(tested, [x], [shifted]).isPassed)
    // As in training is not how a network runs.
    #expect(importFailure(oneNode("BatchNormalization", x, weights: ones, version: 6)).contains("is_test is not set"))
    #expect(importFailure(oneNode("Dropout", x, version: 6)).contains("is_test is not set"))
  }

  // MARK: Batches

  /// Inputs whose first axes are of different sizes: one sample, with the batch of those that may have one.
  @Test func inputsThatHaveNoCommonBatch() throws {
    var net = ONNXWriter()
    net.input("image", [1, 2, 2, 2])
    net.input("scale", [2])
    net.input("number", [])
    net.node("GlobalAveragePool", ["image"], "p")
    net.node("Flatten", ["p"], "v")
    net.node("Mul", ["v", "scale"], "m")
    net.node("Add", ["m", "number"], "y")
    net.output("y")
    let image = Plain([1, 2, 2, 2], (0..<8).map { Float($0) }), scale = Plain([2], [10, 100])
    #expect(try verdict(net, [image, scale, Plain([], [1])], [Plain([1, 2], [16, 551])]).isPassed)
    let imported = try imported(net)
    #expect(imported.inputs.map(\.hasBatch) == [true, false, false])
    #expect(imported.model?.graph.inputShapes == [[2, 2, 2], [2], []])
  }

  /// A batch of several that is mixed with other axes is one sample as a whole.
  @Test func batchesThatAreMixedWithOtherAxes() throws {
    var net = ONNXWriter()
    net.input("x", [2, 3])
    net.integers("shape", [3, 2])
    net.node("Reshape", ["x", "shape"], "y")
    net.output("y")
    let x = Plain([2, 3], [1, 2, 3, 4, 5, 6])
    #expect(try verdict(net, [x], [Plain([3, 2], x.values)]).isPassed)
    let imported = try imported(net)
    #expect(imported.inputs.map(\.hasBatch) == [false])
    #expect(imported.notes.first?.contains("fixes a batch of 2") ?? false)
  }
}
