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

@testable import Pipeline
@testable import Scripting

/// Every filter criterion on every network of the zoo, and on every trained one there is: later networks are in the
/// table by themselves, later criteria and files by a row. Full size, and all files, when COMPRESS_SOAK is set.
@Suite struct FilterPruningTests {
  static let isSoak = ProcessInfo.processInfo.environment["COMPRESS_SOAK"] != nil

  struct Criterion: Sendable {
    let name: String
    /// Options in Lua for networks of full size, where the defaults would take hours.
    var atFullSize = "{}"
  }

  static let criteria = [
    Criterion(name: "filter_l1"), Criterion(name: "filter_l2"), Criterion(name: "filter_fpgm"),
    Criterion(name: "filter_batch_norm"), Criterion(name: "filter_random"), Criterion(name: "filter_taylor"),
    Criterion(name: "filter_hrank", atFullSize: "{ images = 1 }"),
  ]
  static let shares = isSoak ? (1...9).map { Double($0) / 10 } : [0.1, 0.5, 0.9]

  /// Trained networks: the file under `models`, and what it goes into.
  static let files: KeyValuePairs = [
    "lenet-300-100/lenet300100_dense": "lenet_300_100", "mlperf-tiny/image_classification/resnet8": "resnet8",
    "cifar10-resnet/resnet20-12fca82f": "resnet20", "cifar10-resnet/resnet32-d509ac18": "resnet32",
    "cifar10-torchvision/resnet18_cifar10": "resnet18_cifar", "cifar10-torchvision/vgg16_bn_cifar10": "vgg16_bn_cifar",
  ]

  /// `$COMPRESS_TEST_DATA`, or `shared/data` beside the source tree.
  static let modelFolder: String? =
    [ProcessInfo.processInfo.environment["COMPRESS_TEST_DATA"], sourceRoot + "/../shared/data"].compactMap { $0 }
    .map { $0 + "/models" }.first { FileManager.default.fileExists(atPath: $0) }

  /// The network as it is, or as small as it can be; statistics and biases drawn, so that nothing is zero or one by
  /// accident.
  private func model(_ entry: Zoo.Entry, isFullSize: Bool) throws -> Model {
    var options = entry.defaults
    // As many as the digits have that gradients are taken of.
    options.classes = max(10, options.classes)
    if !isFullSize, entry.options.contains(.width) { options.width = 0.25 }
    if !isFullSize, options.input.rank == 3 {
      let sizes = [28, 32, 64, 75].filter { $0 < options.input[0] } + [options.input[0]]
      for size in sizes {
        options.input = [size, size, options.input[2]]
        if (try? entry.graph(options)) != nil { break }
      }
    }
    var networks = RandomNetworks(77)
    return try networks.model(entry.graph(options))
  }

  private func policies(isFullSize: Bool) throws -> (session: ScriptSession, policies: [LuaPruningPolicy]) {
    let folder = try ScriptFolder(["script.lua": ""])
    var options = ScriptSession.Options(script: folder.path + "/script.lua")
    options.plugins = [sourceRoot + "/plugins"]
    let executor = Executor(context: StageContext(pool: .serial), store: nil)
    let session = try ScriptSession(options, executor: executor, print: { _ in })
    let policies = try Self.criteria.map { criterion in
      let text = "return \(isFullSize ? criterion.atFullSize : "{}")"
      let given = try session.state.load(text, name: "options").call().first?.table
      return try LuaPruningPolicy(PluginObject(session.registry.plugin(criterion.name)).bind(given), session)
    }
    return (session, policies)
  }

  @Test func everyFilterCriterionIsInTheTable() throws {
    let plugins = try FileManager.default.contentsOfDirectory(atPath: sourceRoot + "/plugins/pruning")
    let filters = plugins.filter { $0.hasPrefix("filter_") }.map { String($0.dropLast(4)) }
    #expect(filters.sorted() == Self.criteria.map(\.name).sorted())
  }

  @Test(.enabled(if: modelFolder != nil, "SKIPPED: no trained networks; set COMPRESS_TEST_DATA"))
  func everyTrainedNetworkIsInTheTable() throws {
    let found = FileManager.default.enumerator(atPath: Self.modelFolder!)!.compactMap { $0 as? String }
      .filter { $0.hasSuffix(".safetensors") }.map { String($0.dropLast(12)) }
    #expect(found.sorted() == Self.files.map(\.key).sorted())
  }

  @Test(arguments: Zoo.entries.map(\.name))
  func removedAsIfZeroed(_ name: String) throws {
    try check(name, model(Zoo.entry(name), isFullSize: false), isFullSize: false)
  }

  /// One network after the other: two of the largest would need more memory than many machines have.
  @Test(.enabled(if: isSoak), .serialized, arguments: Zoo.entries.map(\.name))
  func removedAsIfZeroedAtFullSize(_ name: String) throws {
    try check(name, model(Zoo.entry(name), isFullSize: true), isFullSize: true)
  }

  @Test(
    .enabled(if: modelFolder != nil, "SKIPPED: no trained networks; set COMPRESS_TEST_DATA"),
    arguments: isSoak ? files.map { [$0.key, $0.value] } : [["cifar10-resnet/resnet20-12fca82f", "resnet20"]])
  func trainedNetworksToo(_ row: [String]) throws {
    let entry = try Zoo.entry(row[1])
    let file = try SafeTensorsFile("\(Self.modelFolder!)/\(row[0]).safetensors")
    try check(row[0], file.model(entry.graph(entry.defaults)), isFullSize: true)
  }

  private func check(_ name: String, _ model: Model, isFullSize: Bool) throws {
    let (session, policies) = try policies(isFullSize: isFullSize)
    let context = StageContext(pool: .serial)
    var networks = RandomNetworks(5)
    let sample = try networks.sample(model.graph.inputShape).batched
    // As images of the network's size, a vector's being one row; that there may be more than ten classes does no harm.
    var images = ImageOptions()
    let shape = model.graph.inputShape
    images.size = shape.rank == 3 ? Array(shape.dims.prefix(2)) : [1, shape.count]
    images.channels = shape.rank == 3 ? shape[2] : 1
    let digits = try SyntheticDigits(count: isFullSize ? 2 : 8, part: "train").converted(images)
    let samples: any Dataset = shape.rank == 3 ? digits : Flat(of: digits)
    for policy in policies {
      let half = try PruneChannelsStage(policy, target: .cost(.channels(0.5)), samples: samples)
      // Scores once for all shares.
      let selection: ChannelSelection
      do { selection = try half.selection(for: model, context: context).selection } catch let error as CompressError {
        // Gradients of the loss of labels are there for scores of classes only.
        let isOther = model.graph.outputs.count > 1 || model.graph.outputShape.rank > 1
        #expect(
          policy.name == "filter_taylor" && isOther && error.message.contains("needs a vector of class scores"),
          "\(name), \(policy.name): \(error)")
        continue
      }
      for share in Self.shares {
        let choice: ChannelSelection.Choice
        do { choice = try selection.choose(.channels(share)) } catch let error as CompressError {
          // Networks without batch norms, or with no channel of their own to give.
          #expect(error.message.contains("no channels to remove"), "\(name), \(policy.name)")
          break
        }
        let smaller: Model
        if share == 0.5, !isFullSize {
          smaller = try half.run(inputs: [model], context: context).model
        } else {
          smaller = try model.removing(choice.removal, of: selection.groups)
        }
        #expect(smaller.weightLayers == model.weightLayers)
        #expect(choice.macs < ModelCost(model).macs)
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).cmpr").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        try NativeFormat.write(smaller, to: file)
        let loaded = try NativeFormat.read(file)
        let expected = try outputs(model.silenced(keeping: selection.groups.kept(removing: choice.removal)), sample)
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

/// Images as vectors.
private struct Flat: Dataset {
  let of: any Dataset
  var name: String { of.name }
  var count: Int { of.count }
  var sampleShape: Shape { [of.sampleShape.count] }
  var classCount: Int { of.classCount }
  var identity: DatasetIdentity { of.identity }

  func read(
    _ indices: [Int], images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
  ) throws {
    try of.read(indices, images: images, labels: labels)
  }
}

extension Tensor {
  fileprivate var batched: Tensor { get throws { try reshaped([1] + shape.dims) } }
}
