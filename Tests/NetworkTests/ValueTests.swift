import Foundation
import TestSupport
import Testing

@testable import Network
import Tensors

/// Graphs with several inputs and outputs, constants and shared parameters.
@Suite struct ValueTests {
  @Test func inputsAndOutputsHaveNamesAndAnOrder() throws {
    let graph = try ValueNetworks.several()
    #expect(graph.inputs == ["input", "other"] && graph.outputs == ["scores", "each", "features"])
    #expect(graph.inputShapes == [[6, 6, 2], [4]] && graph.inputShape == [76])
    #expect(graph.outputShapes == [[5], [37, 3], [6, 6, 4]] && graph.outputShape == [5])
    #expect(graph.shape(of: "shifted") == [6, 6, 4] && graph.shape(of: "tokens") == [37, 4])
    #expect(graph.isOutput("features") && !graph.isOutput("rows"))
    #expect(graph.needed(for: ["scores"]).contains("other") && !graph.needed(for: ["scores"]).contains("rows"))
  }

  @Test func graphsAreTheSameBehindJSON() throws {
    for graph in [try ValueNetworks.several(), try ValueNetworks.shared()] {
      #expect(try JSONDecoder().decode(Graph.self, from: JSONEncoder().encode(graph)) == graph)
    }
    // What is as it was before is written as it was before.
    let json = String(decoding: try JSONEncoder().encode(try ValueNetworks.shared()), as: UTF8.self)
    #expect(json.contains("\"output\":\"scores\"") && !json.contains("\"outputs\""))
  }

  @Test func sharedParametersAreThoseOfTheirOwner() throws {
    let graph = try ValueNetworks.shared()
    var model = try Model(initializing: graph, seed: 1)
    #expect(graph.owner(of: "again") == "once" && graph.isShared("once") && !graph.isShared("stem"))
    #expect(model.weightLayers == ["stem", "once", "scores"])
    #expect(!model.allParameters.contains { $0.layer == "again" })
    let cost = ModelCost(model)
    #expect(cost.layers.first { $0.name == "again" }?.parameters == 0)
    #expect(cost.layers.first { $0.name == "again" }?.macs == cost.layers.first { $0.name == "once" }?.macs)
    try model.set(Parameter(Tensor(repeating: 2, [4, 3, 3, 4])), "again", .weight)
    #expect(model["once", .weight]?.values.array(Float.self).first == 2)
  }

  @Test func whatCannotBeSharedIsRefused() throws {
    func message(_ nodes: [Node]) -> String {
      do { _ = try Graph([Node("input", .input(Input([4])))] + nodes, output: "b") } catch { return "\(error)" }
      return ""
    }
    let dense = Operator.dense(Dense(units: 4))
    #expect(message([Node("b", dense, ["input"], sharing: "a")]).contains("\"a\", which is no earlier layer"))
    #expect(
      message([Node("a", .dense(Dense(units: 3)), ["input"]), Node("b", dense, ["input"], sharing: "a")])
        .contains("they are others"))
    #expect(
      message([
        Node("a", dense, ["input"]), Node("c", dense, ["a"], sharing: "a"), Node("b", dense, ["c"], sharing: "c"),
      ]).contains("which has none of its own"))
  }

  @Test func networksUpToAValueKeepWhatItNeeds() throws {
    let model = try Model(initializing: ValueNetworks.several(), seed: 3)
    let part = try model.upTo(["scores"])
    #expect(part.graph.outputs == ["scores"] && part.graph.inputs == ["input", "other"])
    #expect(part.graph["tokens"] == nil && part["stem", .weight] != nil)
  }
}
