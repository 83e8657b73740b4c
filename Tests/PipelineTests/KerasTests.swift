import Diagnostics
import Foundation
import Kernels
import Network
import Runtime
import TestSupport
import Tensors
import Testing

@testable import Formats
@testable import Pipeline

/// Models that Keras made, by `networks.py` and `networks2.py` of Tests/Fixtures, with what they give there.
@Suite struct KerasTests {
  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "nothing was thrown"
    } catch { return (error as? CompressError)?.description ?? "not a CompressError: \(error)" }
  }

  /// All outputs, one after the other, sample by sample.
  private func expected(_ file: SafeTensorsFile, _ held: (Tensor, Int) throws -> Tensor) throws -> Tensor {
    let entries = file.entries.filter { $0.name.hasPrefix("y") }.sorted { $0.name < $1.name }
    let outputs = try entries.enumerated().map { try held(file.floats($1), $0) }
    let samples = outputs[0].shape[0]
    let rows = outputs.map { $0.array(Float.self) }
    let values = (0..<samples).flatMap { sample in
      rows.flatMap { row in row[(sample * row.count / samples)..<((sample + 1) * row.count / samples)] }
    }
    return Tensor(values, [samples, values.count / samples])
  }

  /// Of Keras 3, and with a 2 behind their names of Keras 2.
  @Test(
    arguments: [
      "sequential", "nested", "shapes", "signals", "first", "attention", "sequential2", "nested2", "signals2",
    ].flatMap { [$0 + ".keras", $0 + ".h5"] })
  func outputsAreTheSame(_ name: String) throws {
    let model = try ModelFile.read(fixture(name))
    let known = try SafeTensorsFile(fixture(name.split(separator: ".")[0] + ".safetensors"))
    let interface = try #require(model.signature.interface)
    // Images whose channels come first there are held with them last.
    func held(_ tensor: Tensor, _ value: ModelInterface.Value) throws -> Tensor {
      try tensor.transposed([0] + value.order.map { $0 + 1 }).contiguous()
    }
    let x = try held(known.floats(try #require(known.entries.first { $0.name == "x" })), interface.inputs[0])
    let wanted = try expected(known) { try held($0, interface.outputs[$1]) }
    let given = try Session(compile(model)).run(x).reshaped(wanted.shape.dims)
    #expect(Conformance.deviation(given, wanted) < 1e-4)
    #expect(Set(model.graph.nodes.map(\.name)).count == model.graph.nodes.count)
  }

  @Test func namesAndInterface() throws {
    let model = try ModelFile.read(fixture("nested.keras"))
    #expect(model.graph.inputs == ["x"] && model.graph.outputs.first == "logits")
    // What is called twice is there twice, with weights once.
    let inner = model.graph.nodes.filter { $0.name.hasPrefix("inner/conv") }
    #expect(inner.map(\.name) == ["inner/conv", "inner/conv 2"] && inner[1].sharing == "inner/conv")
    let interface = try #require(model.signature.interface)
    #expect(interface.format == "keras" && interface.inputs.map(\.name) == ["x"])
    #expect(interface.inputs[0].order == [0, 1, 2] && interface.outputs[0].name == "logits")
    #expect(try ModelFile.read(fixture("nested.h5")).signature.interface?.format == "h5")
  }

  @Test func inputsThatVary() throws {
    let path = fixture("varying.keras")
    let text = message { _ = try ModelFile.read(path) }
    #expect(text.contains("has a shape that varies, (None, None, None, 3)") && text.contains("--input input_layer"))
    let input = try #require(text.firstMatch(of: /--input (\w+)=/)).1
    let model = try ModelFile.read(path, ModelFile.ReadOptions(inputShapes: [String(input): [1, 5, 6, 3]]))
    #expect(model.graph.inputShape == [5, 6, 3] && model.graph.outputShape == [3, 4, 2])
    #expect(
      message { _ = try ModelFile.read(path, ModelFile.ReadOptions(inputShapes: [String(input): [1, 5, 6, 4]])) }
        .contains("cannot have shape [1, 5, 6, 4]"))
    #expect(
      message { _ = try ModelFile.read(path, ModelFile.ReadOptions(inputShapes: ["y": [1, 5, 6, 3]])) }
        .contains("has no input \"y\""))
  }

  @Test(
    arguments: [
      ("lambda.keras", "layer \"plus\": Lambda: holds Python code, which is not run"),
      ("recurrent.keras", "LSTM: is a class of layers that is not supported"),
      ("causal.keras", "layer \"causal\": is called with use_causal_mask, which is not supported"),
    ])
  func whatIsRefused(_ name: String, _ says: String) {
    let text = message { _ = try ModelFile.read(fixture(name)) }
    #expect(text.hasPrefix(fixture(name) + ": ") && text.contains(says) && text.contains("model.export("), "\(text)")
  }
}
