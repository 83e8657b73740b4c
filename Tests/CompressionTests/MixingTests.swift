import Compression
import Diagnostics
import Network
import Tensors
import Testing

@Suite struct MixingTests {
  static func quantized(_ model: Model, bits: Int) throws -> Model {
    let assignment = try QuantizationAssignment(model) { _, _ in
      LayerQuantization(
        weights: .integer(bits: bits, granularity: .channel), activations: ActivationFormat(bits: bits))
    }
    return try assignment.quantized(
      assignment.observed.mapValues { _ in .affine(try ActivationQuantization(scale: 0.1, zeroPoint: 1, bits: bits)) })
  }

  @Test func layersBringTheirInputsAndOutputs() throws {
    let model = try QuantizationAssignmentTests().residual()
    let eight = try Self.quantized(model, bits: 8), four = try Self.quantized(model, bits: 4)
    let all = try Model.mixing([model, eight]) { _ in 1 }
    #expect(all.activations == eight.activations)
    #expect(try Model.mixing([model, eight]) { _ in 0 }.activations.isEmpty)
    let one = try Model.mixing([model, eight]) { $0 == "branch" ? 1 : 0 }
    #expect(one.activations.keys.sorted() == ["branch", "entry", "joined", "pool", "flat"].sorted())
    #expect(one["stem", .weight]?.encoding.name == "float32" && one["branch", .weight]?.encoding.name == "int8")
    // Between layers of different bits the finer holds; what only passes values on has them as they come.
    let mixed = try Model.mixing([four, eight]) { $0 == "head" ? 1 : 0 }
    #expect(mixed.activations["joined"]?.integer?.bits == 4 && mixed.activations["flat"]?.integer?.bits == 4)
    #expect(mixed.activations["input"]?.integer?.bits == 4)
    let finer = try Model.mixing([four, eight]) { $0 == "branch" ? 1 : 0 }
    #expect(finer.activations["entry"]?.integer?.bits == 8)
  }

  @Test func otherNetworksAreRefused() throws {
    var net = GraphBuilder(input: [8, 8, 3])
    net.flatten()
    net.dense(2, name: "head")
    let other = try Model(initializing: net.graph(), seed: 1)
    #expect(throws: CompressError.self) {
      try Model.mixing([QuantizationAssignmentTests().residual(), other]) { _ in 0 }
    }
  }
}
