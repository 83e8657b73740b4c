import Formats
import Foundation
import Kernels
import Network
import Runtime
import TestSupport
import Tensors
import Testing

@testable import Pipeline

private let sharedData: String? = {
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
  return [ProcessInfo.processInfo.environment["COMPRESS_TEST_DATA"], root + "/../shared/data"].compactMap { $0 }
    .first { FileManager.default.fileExists(atPath: $0 + "/onnx-node-tests") }
}()

@Suite struct ConformanceTests {
  @Test(
    .enabled(
      if: sharedData != nil, "SKIPPED: no onnx-node-tests; set COMPRESS_TEST_DATA to the folder that holds them"))
  func theTestsOfTheStandardPass() throws {
    let sharedData = try #require(sharedData)
    let conformance = try Conformance(sharedData + "/onnx-node-tests")
    for (name, verdict) in conformance.cases {
      if case .failed(let reason) = verdict { Issue.record("\(name): \(reason)") }
    }
    #expect(conformance.cases.count { $0.verdict.isPassed } >= 110, "\(conformance.summary)")
  }

  @Test func wrongOutputsFailAndUnknownOperatorsAreOutOfScope() throws {
    var net = ONNXWriter()
    net.input("x", [nil, 2])
    net.node("Relu", ["x"], "y")
    net.output("y")
    let x = Plain([2, 2], [1, -1, 2, -2])
    #expect(try verdict(net, [x], [Plain([2, 2], [1, 0, 2, 0])]) == .passed(deviation: 0))
    guard case .failed(let off) = try verdict(net, [x], [Plain([2, 2], [1, 0, 2, 0.01])]) else {
      Issue.record("a wrong output passes")
      return
    }
    #expect(off.contains("output y is off by 0.005"))
    guard case .failed = try verdict(net, [x], [Plain([4], [1, 0, 2, 0])]) else {
      Issue.record("a wrong shape passes")
      return
    }
    net.nodes = [ONNXWriter.node("Magic", ["x"], ["y"])]
    guard case .outOfScope(let reason) = try verdict(net, [x], [x]) else {
      Issue.record("an unknown operator is not out of scope")
      return
    }
    #expect(reason.contains("Magic"))
  }

  /// Groups, strides, uneven pads, dilations; and transposed.
  @Test func convolutionsAreThoseOfTheStandard() throws {
    var random = SeededRandom(seed: 3)
    for (groups, stride, pads, dilation) in [
      (1, [1, 1], [0, 0, 0, 0], [1, 1]), (2, [2, 1], [1, 0, 2, 1], [1, 2]), (4, [2, 2], [1, 1, 0, 1], [2, 1]),
    ] {
      let x = Plain.random([2, 4, 9, 8], &random), bias = Plain.random([8], &random)
      let w = Plain.random([8, 4 / groups, 3, 2], &random)
      let attributes: [String: ONNXWriter.Attribute] = [
        "group": .integer(groups), "strides": .integers(stride), "pads": .integers(pads),
        "dilations": .integers(dilation),
      ]
      func size(_ axis: Int, _ kernel: Int) -> Int {
        (x.dims[axis + 2] + pads[axis] + pads[axis + 2] - (kernel - 1) * dilation[axis] - 1) / stride[axis] + 1
      }
      let y = Plain([2, 8, size(0, 3), size(1, 2)]) { at in
        var sum = bias[[at[1]]]
        for c in 0..<4 / groups {
          for i in 0..<3 {
            for j in 0..<2 {
              let row = at[2] * stride[0] - pads[0] + i * dilation[0]
              let column = at[3] * stride[1] - pads[1] + j * dilation[1]
              guard (0..<9).contains(row), (0..<8).contains(column) else { continue }
              sum += w[[at[1], c, i, j]] * x[[at[0], at[1] / (8 / groups) * (4 / groups) + c, row, column]]
            }
          }
        }
        return sum
      }
      var net = ONNXWriter()
      net.input("x", [nil, 4, 9, 8])
      net.weight("w", w.dims, w.values)
      net.weight("b", [8], bias.values)
      net.node("Conv", ["x", "w", "b"], "y", attributes)
      net.output("y")
      #expect(try verdict(net, [x], [y]).isPassed, "conv \(groups) \(stride) \(pads) \(dilation)")

      // Backwards: each pixel scatters its products.
      let v = Plain.random([4, 6 / (groups == 4 ? 3 : 1) / min(groups, 2), 3, 2], &random)
      let each = v.dims[1], small = Plain.random([2, 4, 3, 4], &random)
      let more = [stride[0] - 1, 0]
      let height = (3 - 1) * stride[0] + 2 * dilation[0] + 1 - pads[0] - pads[2] + more[0]
      let width = (4 - 1) * stride[1] + dilation[1] + 1 - pads[1] - pads[3] + more[1]
      let out = Plain([2, each * groups, height, width]) { at in
        var sum: Float = 0
        for c in 0..<4 where c / (4 / groups) == at[1] / each {
          for row in 0..<3 {
            for column in 0..<4 {
              let i = at[2] + pads[0] - row * stride[0], j = at[3] + pads[1] - column * stride[1]
              guard i >= 0, j >= 0, i % dilation[0] == 0, j % dilation[1] == 0, i / dilation[0] < 3, j / dilation[1] < 2
              else { continue }
              sum += v[[c, at[1] % each, i / dilation[0], j / dilation[1]]] * small[[at[0], c, row, column]]
            }
          }
        }
        return sum
      }
      net = ONNXWriter()
      net.input("x", [nil, 4, 3, 4])
      net.weight("w", v.dims, v.values)
      net.node("ConvTranspose", ["x", "w"], "y", attributes.merging(["output_padding": .integers(more)]) { $1 })
      net.output("y")
      #expect(try verdict(net, [small], [out]).isPassed, "transposed \(groups) \(stride) \(pads) \(dilation)")
    }
  }

  /// Numbers for each channel behind a layer become part of its weight and bias, unless something else reads the layer.
  @Test func scalesAndShiftsBecomePartOfTheLayer() throws {
    var random = SeededRandom(seed: 8)
    let x = Plain.random([2, 3, 4, 4], &random), w = Plain.random([5, 3, 1, 1], &random)
    let bias = Plain.random([5], &random), scale = Plain.random([5, 1, 1], &random)
    func product(_ at: [Int]) -> Float {
      bias.values[at[1]] + (0..<3).reduce(0) { $0 + w[[at[1], $1, 0, 0]] * x[[at[0], $1, at[2], at[3]]] }
    }
    let conv = Plain([2, 5, 4, 4], product)
    let y = Plain([2, 5, 4, 4]) { product($0) * scale.values[$0[1]] + 0.5 }
    for alsoRead in [false, true] {
      var net = ONNXWriter()
      net.input("x", [nil, 3, 4, 4])
      net.weight("w", w.dims, w.values)
      net.weight("b", [5], bias.values)
      net.weight("scale", scale.dims, scale.values)
      net.weight("half", [1], [0.5])
      net.node("Conv", ["x", "w", "b"], "conv")
      net.node("Mul", ["scale", "conv"], "scaled")
      net.node("Add", ["scaled", "half"], "y")
      net.output("y")
      if alsoRead { net.output("conv") }
      #expect(try verdict(net, [x], alsoRead ? [y, conv] : [y]).isPassed)
      #expect(try read(net).graph.nodes.count == (alsoRead ? 6 : 2))
    }
  }

  private func read(_ net: ONNXWriter) throws -> Model {
    let path = NSTemporaryDirectory() + "/conformance-\(UInt64.random(in: 0...(.max))).onnx"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(net.bytes).write(to: URL(fileURLWithPath: path))
    return try ModelFile.read(path)
  }

  /// Values held in whatever order, through random chains of what moves, joins, cuts and reduces: what comes out is
  /// what plain loops make of it.
  @Test(arguments: 0..<120) func layoutsNeverShow(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let n = 2
    let x = Plain.random([n, 4, 6, 2], &random)
    var net = ONNXWriter(), value = x, name = "x", chain = ""
    net.input("x", [nil, 4, 6, 2])
    for step in 0..<7 {
      let next = "v\(step)", rank = value.dims.count
      func pick(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }
      let kind = pick(0..<10)
      chain += " \(kind)"
      let old = value
      switch kind {
      case 0, 1:
        let perm = [0] + Array(1..<rank).shuffled(using: &random)
        value = value.transposed(perm)
        net.node("Transpose", [name], next, ["perm": .integers(perm)])
      case 2, 3:
        // Split an axis in two, or join two neighbours.
        var dims = Array(value.dims.dropFirst())
        let axis = pick(0..<dims.count)
        if Bool.random(using: &random), dims.count > 1 {
          let at = min(axis, dims.count - 2)
          dims[at...at + 1] = [dims[at] * dims[at + 1]]
        } else if dims.count < 5 {
          dims[axis...axis] = dims[axis] % 2 == 0 ? [2, dims[axis] / 2] : [dims[axis], 1]
        }
        value.dims = [n] + dims
        net.integers("s\(step)", [-1] + dims)
        net.node("Reshape", [name, "s\(step)"], next)
      case 4:
        let axis = pick(1..<rank), size = value.dims[axis]
        let start = pick(0..<size), end = pick(start + 1..<size + 1)
        var dims = value.dims
        dims[axis] = end - start
        value = Plain(dims) { at in
          var from = at
          from[axis] += start
          return old[from]
        }
        for (letter, number) in [("a", start), ("b", end), ("c", axis)] { net.integers("\(letter)\(step)", [number]) }
        net.node("Slice", [name, "a\(step)", "b\(step)", "c\(step)"], next)
      case 5:
        let axis = pick(1..<rank), size = value.dims[axis]
        guard value.values.count < 4000 else { continue }
        var dims = value.dims
        dims[axis] *= 2
        value = Plain(dims) { at in
          var from = at
          from[axis] %= size
          return old[from]
        }
        net.node("Concat", [name, name], next, ["axis": .integer(axis)])
      case 6:
        guard rank > 2 else { continue }
        let axis = pick(1..<rank), keeps = Bool.random(using: &random)
        var dims = value.dims
        if keeps { dims[axis] = 1 } else { dims.remove(at: axis) }
        value = Plain(dims) { at in
          var from = at
          if !keeps { from.insert(0, at: axis) }
          return (0..<old.dims[axis]).reduce(-Float.infinity) {
            from[axis] = $1
            return max($0, old[from])
          }
        }
        net.node("ReduceMax", [name, "r\(step)"], next, ["keepdims": .integer(keeps ? 1 : 0)])
        net.integers("r\(step)", [axis])
      case 7:
        let axis = pick(1..<rank)
        var dims = [Int](repeating: 1, count: rank - axis)
        dims[0] = value.dims[axis]
        let c = Plain.random(dims, &random)
        value = Plain(value.dims) { old[$0] + c.values[$0[axis]] }
        net.weight("k\(step)", dims, c.values)
        net.node("Add", [name, "k\(step)"], next)
      case 8:
        let axis = pick(1..<rank)
        value = Plain(value.dims) { at in
          var from = at, sum: Float = 0
          for index in 0..<old.dims[axis] {
            from[axis] = index
            sum += expf(old[from])
          }
          return expf(old[at]) / sum
        }
        net.node("Softmax", [name], next, ["axis": .integer(axis - rank)])
      default:
        let last = value.dims[rank - 1]
        let w = Plain.random([last, 3], &random)
        value = Plain(value.dims.dropLast() + [3]) { at in
          (0..<last).reduce(0) { $0 + old[at.dropLast() + [$1]] * w[[$1, at[rank - 1]]] }
        }
        guard rank > 1 else { continue }
        net.weight("w\(step)", w.dims, w.values)
        net.node("MatMul", [name, "w\(step)"], next)
      }
      name = next
    }
    guard name != "x" else { return }
    net.output(name)
    #expect(try verdict(net, [x], [value]).isPassed, "seed \(seed):\(chain)")
  }

  /// A published network as ONNX computes what its weights do in the network of the same name here.
  @Test(
    .enabled(if: sharedData != nil, "SKIPPED: no models; set COMPRESS_TEST_DATA to the folder that holds them"))
  func publishedNetworksAreTheSameFromEitherFile() throws {
    let sharedData = try #require(sharedData)
    for (network, file) in [("resnet20", "resnet20-12fca82f"), ("resnet32", "resnet32-d509ac18")] {
      let path = "\(sharedData)/models/cifar10-resnet/\(file)"
      let imported = try ModelFile.read(path + ".onnx")
      let entry = try Zoo.entry(network), graph = try entry.graph(entry.defaults)
      let own = try SafeTensorsFile(path + ".safetensors").model(graph)
      #expect(!imported.graph.nodes.contains { if case .transpose = $0.op { true } else { false } })
      var random = SeededRandom(seed: 1)
      let images = Tensor(normal: Shape([4] + graph.inputShape.dims), using: &random)
      let a = try Session(compile(imported)).run(images), b = try Session(compile(own)).run(images)
      #expect(Conformance.deviation(a, b) < 1e-4, "\(network)")
    }
  }

  /// Models in use, as their makers' exporters wrote them.
  @Test(
    .enabled(if: sharedData != nil, "SKIPPED: no models; set COMPRESS_TEST_DATA to the folder that holds them"))
  func realModelsAreReadWithoutTransposing() throws {
    let sharedData = try #require(sharedData)
    for (file, dims, output) in [
      ("ch_PP-OCRv4_det_infer", [1, 3, 64, 96], [64, 96, 1] as Shape),
      ("ch_ppocr_mobile_v2.0_cls_infer", [1, 3, 48, 192], [2]),
    ] {
      let model = try ModelFile.read("\(sharedData)/models/real/\(file).onnx", ModelFile.ReadOptions(inputShapes: ["x": dims]))
      #expect(model.graph.outputShape == output)
      let kinds = model.graph.nodes.map(\.op.spec.name)
      #expect(!kinds.contains("transpose") && kinds.contains("hard_swish"), "\(file)")
      let session = Session(try compile(model))
      let scores = try session.run(Tensor(zeros: Shape([1] + model.graph.inputShape.dims))).array(Float.self)
      #expect(scores.allSatisfy { (0...1).contains($0) })
    }
  }
}
