import Compression
import Datasets
import Foundation
import Kernels
import Network
import Pipeline
import Tensors

@testable import Runtime

/// Blobs of light in one of four corners: easy to learn, quick to read.
struct Corners: Dataset {
  var count = 256
  var salt = 0

  var name: String { "corners" }
  var sampleShape: Shape { [8, 8, 1] }
  var classCount: Int { 4 }
  var identity: DatasetIdentity { DatasetIdentity(.recipe("corners \(count) \(salt)")) }

  func read(
    _ indices: [Int], images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
  ) throws {
    for (k, index) in indices.enumerated() {
      var random = SeededRandom(seed: UInt64(salt)).stream("corner \(index)")
      let corner = random.below(4)
      labels[k] = Int32(corner)
      for y in 0..<8 {
        for x in 0..<8 {
          let lit = (y / 4 == corner / 2) && (x / 4 == corner % 2)
          images[k * 64 + y * 8 + x] = Float((lit ? 0.6 : 0) + 0.4 * random.uniform())
        }
      }
    }
  }
}

func tinyGraph() throws -> Graph {
  var net = GraphBuilder(input: [8, 8, 1])
  net.conv2d(filters: 4, kernel: 3, padding: .same, bias: false, name: "conv")
  net.batchNorm(name: "norm")
  net.activation(.relu, name: "relu")
  net.maxPool(2, name: "pool")
  net.flatten(name: "flat")
  net.dense(4, name: "head")
  return try net.graph()
}

func tinyStage(seed: UInt64 = 1) throws -> Stage {
  try Stage(InitializeStage(name: "tiny", network: tinyGraph(), initialization: Initialization(.heNormal), seed: seed))
}

struct Magnitude: PruningPolicy {
  var scope = PruningScope.global
  var skipped: Set<String> = []
  var name: String { "magnitude" }
  var recipe: Recipe {
    ["name": "magnitude", "scope": .string(scope.rawValue), "skip": .list(skipped.sorted().map { .string($0) })]
  }
  func skips(_ layer: LayerView) -> Bool { skipped.contains(layer.name) }
  func score(_ layer: LayerView) throws -> Tensor? { layer.weight.applying(.abs) }
}

struct Line: Schedule {
  var from: Double
  var to: Double
  var name: String { "line" }
  var recipe: Recipe { [.number(from), .number(to)] }
  func value(at t: Double) throws -> Double { from + (to - from) * t }
}

struct Uniform: QuantizationPolicy {
  var choice: LayerQuantization
  var name: String { "uniform" }
  var recipe: Recipe { .string("\(choice)") }
  func assign(_ layer: LayerView) throws -> LayerQuantization? { choice }
}

extension LayerQuantization {
  static let int8 = LayerQuantization(
    weights: .integer(bits: 8, granularity: .channel), activations: ActivationFormat())
}

/// A folder that goes away with the test.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("compress-test-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

func context(threads: Int = 1) throws -> StageContext {
  StageContext(pool: try ThreadPool(threads: threads, smallestWork: 0))
}

/// Noise, to be taken for any of four classes.
extension Zoo.Entry {
  /// The network as small as it can be made, with four classes.
  var smallest: ZooOptions {
    var options = defaults
    if options.input.rank == 3, options.input[0] > 75 {
      options.input = name.hasPrefix("inception") ? [75, 75, 3] : [32, 32, 3]
    }
    options.classes = 4
    // Some would have layers so narrow that no ReLU in them lets anything through.
    let isNarrowed = ["squeezenet1_1", "regnet_y_400mf"].contains(name)
    if self.options.contains(.width) { options.width = isNarrowed ? 0.25 : 0.0625 }
    return options
  }
}

extension ReferenceInterpreter {
  /// All outputs of the network, one after the other, as a session gives them.
  func outputs(_ sample: Tensor, of graph: Graph) throws -> [Float] {
    let values = try values(sample)
    return graph.outputs.flatMap { values[$0]!.decoded.array(Float.self) }
  }
}

struct Noise: Dataset {
  let sampleShape: Shape
  var name: String { "noise" }
  var count: Int { 4 }
  var classCount: Int { 4 }
  var identity: DatasetIdentity { DatasetIdentity(.recipe("noise")) }

  func read(
    _ indices: [Int], images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
  ) throws {
    for (k, index) in indices.enumerated() {
      var random = SeededRandom(seed: UInt64(index))
      for i in k * sampleShape.count..<(k + 1) * sampleShape.count { images[i] = Float(random.uniform()) }
      labels[k] = Int32(index % 4)
    }
  }
}
