import Compression
import Datasets
import Diagnostics
import Foundation
import Formats
import Network
import Pipeline
import Runtime
import TestSupport
import Tensors
import Testing

@testable import Scripting

/// Every filter criterion on every network of the zoo: later networks and criteria are in the table by themselves.
@Suite struct FilterPruningTests {
  static let isSoak = ProcessInfo.processInfo.environment["COMPRESS_SOAK"] != nil
  static let criteria = [
    "filter_l1", "filter_l2", "filter_fpgm", "filter_batch_norm", "filter_random", "filter_taylor", "filter_hrank",
  ]
  static let shares = isSoak ? Array(stride(from: 0.1, through: 0.9, by: 0.1)) : [0.1, 0.5, 0.9]

  /// The network as it is, or as small as it can be; statistics and biases drawn, so that nothing is zero or one by
  /// accident.
  private func model(_ entry: Zoo.Entry, isFullSize: Bool) throws -> Model {
    var options = entry.defaults
    if !isFullSize {
      if entry.options.contains(.width) { options.width = 0.25 }
      let sizes = [28, 32, 64, 75].filter { $0 < options.input[0] } + [options.input[0]]
      for size in sizes {
        options.input = [size, size, options.input[2]]
        if (try? entry.graph(options)) != nil { break }
      }
    }
    var networks = RandomNetworks(77)
    return try networks.model(entry.graph(options))
  }

  private func policies(_ criteria: [String]) throws -> (session: ScriptSession, policies: [LuaPruningPolicy]) {
    let folder = try ScriptFolder(["script.lua": ""])
    var options = ScriptSession.Options(script: folder.path + "/script.lua")
    options.plugins = [sourceRoot + "/plugins"]
    let executor = Executor(context: StageContext(pool: .serial), store: nil)
    let session = try ScriptSession(options, executor: executor, print: { _ in })
    return (
      session,
      try criteria.map { try LuaPruningPolicy(PluginObject(session.registry.plugin($0)).bind(nil), session) }
    )
  }

  @Test(arguments: Zoo.entries.map(\.name))
  func removedAsIfZeroed(_ name: String) throws {
    try check(name, model(Zoo.entry(name), isFullSize: false), Self.criteria)
  }

  @Test(.enabled(if: isSoak), arguments: Zoo.entries.map(\.name))
  func removedAsIfZeroedAtFullSize(_ name: String) throws {
    try check(name, model(Zoo.entry(name), isFullSize: true), ["filter_l2"])
  }

  private func check(_ name: String, _ model: Model, _ criteria: [String]) throws {
    let (session, policies) = try policies(criteria)
    let context = StageContext(pool: .serial)
    var networks = RandomNetworks(5)
    let sample = try networks.sample(model.graph.inputShape).batched
    // As images of the network's size; that there may be more than ten classes does no harm.
    var images = ImageOptions()
    images.size = Array(model.graph.inputShape.dims.prefix(2))
    images.channels = model.graph.inputShape[2]
    let samples = try SyntheticDigits(count: 8, part: "train").converted(images)
    for policy in policies {
      for share in Self.shares {
        let stage = try PruneChannelsStage(policy, target: .cost(.channels(share)), samples: samples)
        let groups: ChannelGroups, choice: ChannelSelection.Choice
        do { (groups, choice) = try stage.choice(for: model, context: context) } catch let error as CompressError {
          // Networks without batch norms, or with no channel of their own to give.
          #expect(error.message.contains("no channels to remove"), "\(name), \(policy.name)")
          continue
        }
        let smaller = try stage.run(inputs: [model], context: context).model
        #expect(smaller.weightLayers == model.weightLayers)
        #expect(choice.macs < ModelCost(model).macs)
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).cmpr").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        try NativeFormat.write(smaller, to: file)
        let loaded = try NativeFormat.read(file)
        let expected = try outputs(model.silenced(keeping: groups.kept(removing: choice.removal)), sample)
        let actual = try outputs(loaded, sample)
        let scale = max(1e-3, expected.map(abs).max()!)
        #expect(expected.count == actual.count)
        #expect(
          zip(expected, actual).allSatisfy { abs($0 - $1) <= 1e-4 * scale }, "\(name), \(policy.name), \(share)")
      }
    }
    withExtendedLifetime(session) {}
  }

  private func outputs(_ model: Model, _ sample: Tensor) throws -> [Float] {
    try Session(compile(model)).run(sample).array()
  }

  static let residual = """
    local digits = dataset "digits"
    local data = digits.train:take(100)
    local net = zoo.resnet8 { input = {28, 28, 1}, width = 0.5 }

    """

  @Test func targetsAreMetAndTrainingFollows() throws {
    let result = try run(
      Self.residual + """
        local half = prune(net, use "filter_l2" {}, { macs = 0.5, train = { data = data, batch = 25 } })
        local round = prune(net, use "filter_l1" {}, { params = 0.4, rounds = 3 })
        print(half:cost().macs / net:cost().macs, round:cost().parameters / net:cost().parameters)
        """)
    let shares = result.printed[0].split(separator: "\t").map { Double($0)! }
    #expect(abs(shares[0] - 0.5) < 0.02)
    #expect(abs(shares[1] - 0.4) < 0.03)
    #expect(result.outcome.stages.map(\.work.kind) == ["initialize", "prune", "train", "prune", "prune", "prune"])
  }

  @Test func ratiosForEachGroup() throws {
    let result = try run(
      preamble + "prune(net, use 'filter_l1' {}, { ratios = { 0.25 } })")
    #expect(try result.executor.model(of: result.outcome.leaves[0])["conv", .weight]!.shape[0] == 9)
  }

  @Test(arguments: [
    ("use 'filter_l1' {}, {}", "needs a target"),
    ("use 'filter_l1' {}, { macs = 0.5, params = 0.5 }", "one target"),
    ("use 'filter_l1' {}, { schedule = use 'linear' { to = 0.5 } }", "needs a target"),
    ("use 'filter_l1' {}, { macs = 0.5, schedule = use 'linear' { to = 0.5 } }", "in rounds, not along a schedule"),
    ("use 'filter_l1' {}, { ratios = { 0.1, 0.2 } }", "2 shares for 1 groups of channels: conv"),
    ("use 'filter_l1' {}, { macs = 0.001 }", "cannot be reached"),
    ("use 'filter_l1' { skip = 'conv' }, { macs = 0.5 }", "no channels to remove"),
    ("use 'global_magnitude' {}, { macs = 0.5 }", "prunes single weights"),
  ])
  func mistakesAreNamed(_ call: String, _ expected: String) {
    let error = failure(preamble + "prune(net, \(call))")
    #expect(error?.message.contains(expected) == true, "\(String(describing: error))")
    #expect(error?.line == 4)
  }
}

extension Tensor {
  fileprivate var batched: Tensor { get throws { try reshaped([1] + shape.dims) } }
}
