import Compression
import Diagnostics
import Network
import Tensors
import Testing

@Suite struct ChannelSelectionTests {
  private func chain() throws -> ChannelGroups {
    var net = GraphBuilder(input: [8, 8, 2])
    net.conv2d(filters: 4, kernel: 1, name: "a")
    net.conv2d(filters: 8, kernel: 1, name: "b")
    net.globalAveragePool()
    net.dense(3, name: "c")
    return ChannelGroups(try net.graph())
  }

  private let scores: [String: Tensor] = [
    "a": Tensor([4, 3, 2, 1] as [Float]), "b": Tensor([10, 20, 30, 40, 50, 60, 70, 80] as [Float]),
  ]

  @Test func globalScopeTakesTheLeastOfAll() throws {
    let raw = try ChannelSelection(chain(), scores: scores, normalized: false, scope: .global)
    #expect(try raw.choose(.channels(0.25)).removal == [0: [3, 2, 1]])
    // By the group's mean, a's 1/2.5 is more than b's 10/45.
    let normalized = try ChannelSelection(chain(), scores: scores, normalized: true, scope: .global)
    #expect(try normalized.choose(.channels(1 / 12.0)).removal == [1: [0]])
  }

  @Test func layerScopeTakesTheSameShareOfEach() throws {
    let selection = try ChannelSelection(chain(), scores: scores, normalized: false, scope: .layer)
    let removal = try selection.choose(.channels(0.5)).removal
    #expect(removal == [0: [3, 2], 1: [0, 1, 2, 3]])
  }

  @Test(arguments: [0.9, 0.6, 0.5, 0.3, 0.1])
  func costTargetsAreMetByTheNearestCount(_ share: Double) throws {
    var net = GraphBuilder(input: [16, 16, 3])
    for filters in [64, 96, 128] {
      net.conv2d(filters: filters, kernel: 3, padding: .same)
      net.activation(.relu)
    }
    net.globalAveragePool()
    net.dense(10)
    let graph = try net.graph(), groups = ChannelGroups(graph)
    var random = SeededRandom(seed: 1)
    let scores = Dictionary(
      uniqueKeysWithValues: ["conv2d_1", "conv2d_2", "conv2d_3", "dense_1"].map {
        ($0, Tensor(uniform: [graph.shape(of: $0).dims.last!], 0, 1, using: &random))
      })
    for scope in PruningScope.allCases {
      let selection = try ChannelSelection(groups, scores: scores, normalized: true, scope: scope)
      let whole = groups.cost(removing: [:])
      let macs = try selection.choose(.macs(share))
      #expect(abs(Double(macs.macs) / Double(whole.macs) - share) < 0.01 && macs.note == nil)
      let number = try selection.choose(.parameters(share * Double(whole.parameters)))
      #expect(abs(Double(number.parameters) / Double(whole.parameters) - share) < 0.01)
      let cost = groups.cost(removing: macs.removal)
      #expect(cost.macs == macs.macs && cost.parameters == macs.parameters)
    }
  }

  /// Each part of a split keeps its best channel, whatever the scores, and only that.
  @Test(arguments: PruningScope.allCases) func noPartOfASplitLosesAll(_ scope: PruningScope) throws {
    var net = GraphBuilder(input: [8, 8, 2])
    net.conv2d(filters: 8, kernel: 1, name: "a")
    let parts = [[0, 1, 2], [3, 4, 5, 6, 7]].map { net.add(.gather(Gather(axis: 2, $0)), ["a"]) }
    let sums = parts.map { net.conv2d(filters: 3, kernel: 1, from: $0) }
    net.concat(sums)
    net.globalAveragePool()
    net.dense(3)
    let graph = try net.graph()
    let scores = ["a": Tensor([2, 3, 1, 40, 50, 60, 80, 70] as [Float])]
    let selection = try ChannelSelection(ChannelGroups(graph), scores: scores, normalized: false, scope: scope)
    #expect(try selection.choose(.channels(0.99)).removal == [0: [0, 2, 3, 4, 5, 7]])
    #expect(try selection.choose(.channels(0.5)).removal == [0: [0, 2, 3, 4]])
    let model = try Model(initializing: graph, seed: 1)
    _ = try model.removing(selection.choose(.channels(0.99)).removal, of: selection.groups)
  }

  @Test func sharesOfTheirOwnAndTheMinimum() throws {
    let selection = try ChannelSelection(chain(), scores: scores, normalized: false, scope: .layer, minimum: 3)
    let choice = try selection.choose { $0 == 0 ? 0.9 : 0.25 }
    #expect(choice.removal == [0: [3], 1: [0, 1]])
    #expect(try selection.choose { $0 == 1 ? 0.5 : nil }.removal == [1: [0, 1, 2, 3]])
    #expect(throws: CompressError.self) { try selection.choose { _ in 1.5 } }
  }

  @Test func multiplesStay() throws {
    func selection(_ multiple: Int, _ scope: PruningScope = .global, minimum: Int = 1) throws -> ChannelSelection {
      try ChannelSelection(
        chain(), scores: scores, normalized: true, scope: scope, minimum: minimum, multiple: multiple)
    }
    // Pairs by their means: of a 0.6 and 1.4, of b 0.33, 0.78, 1.22 and 1.67 times the group's; the last pair stays.
    let pairs = try selection(2)
    #expect(pairs.count == 4)
    #expect(pairs.removing(2).removal == [0: [2, 3], 1: [0, 1]])
    #expect(pairs.removing(4).removal == [0: [2, 3], 1: [0, 1, 2, 3, 4, 5]])
    #expect(try pairs.choose { _ in 0.3 }.removal == [0: [2, 3], 1: [0, 1]])
    #expect(try pairs.choose { _ in 0.1 }.removal == [1: [0, 1]])
    // What is over the last multiple goes first; a group narrower than it stays whole.
    #expect(try selection(3).removing(2).removal == [0: [3], 1: [0, 1]])
    #expect(try selection(5, .layer).removing(1).removal == [1: [0, 1, 2]])
    #expect(try selection(2, minimum: 3).count == 2)
    #expect(throws: CompressError.self) { try selection(8).choose(.macs(0.5)) }
  }

  @Test func whatCannotBeIsSaidWithNumbers() throws {
    func message(_ body: () throws -> Void) -> String {
      do { try body() } catch { return "\(error)" }
      return ""
    }
    let selection = try ChannelSelection(chain(), scores: scores, normalized: false, scope: .global)
    #expect(message { _ = try selection.choose(.macs(0.001)) }.contains("cannot be reached"))
    #expect(message { _ = try selection.choose(.macs(0)) }.contains("leaves nothing"))
    #expect(message { _ = try selection.choose(.channels(1)) }.contains("below 1"))
    // Nothing between: each of a's channels is a quarter of a tiny network.
    #expect(try selection.choose(.macs(0.86)).note?.contains("was asked for") == true)
    #expect(
      message { _ = try ChannelSelection(chain(), scores: [:], normalized: false, scope: .global).choose(.macs(0.5)) }
        .contains("no channels to remove"))
    #expect(
      message {
        _ = try ChannelSelection(
          chain(), scores: ["a": Tensor([1, 2] as [Float]), "b": scores["b"]!], normalized: false, scope: .global)
      }.contains("layer \"a\": 2 scores"))
    #expect(
      message {
        _ = try ChannelSelection(
          chain(), scores: ["a": Tensor([1, .nan, 2, 3] as [Float]), "b": scores["b"]!], normalized: false,
          scope: .global)
      }.contains("score 1 is NaN"))
  }
}
