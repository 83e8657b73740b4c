import Analysis
import Compression
import Datasets
import Diagnostics
import Formats
import Network
import Tensors
import Testing
import Training

@testable import Pipeline

/// Networks that are quantized go on learning as what they are.
@Suite struct QuantizedTrainingTests {
  private let data = Corners()

  private func trained(_ base: Stage, epochs: Int = 4, _ change: (inout TrainingRecipe) -> Void = { _ in }) throws
    -> Stage
  {
    var recipe = TrainingRecipe(data: data, epochs: epochs, batchSize: 16, learningRate: .constant(0.01))
    change(&recipe)
    return try Stage(TrainStage(recipe, name: "tiny"), inputs: [base])
  }

  private func loss(_ model: Model) throws -> Double {
    var options = TrainingOptions(epochs: 1, batchSize: 16, learningRate: .constant(0), seed: 1)
    options.shuffles = false
    let curve = try Trainer(model: model.decoded(), options: options, data: data, pool: .serial).run().curve
    return curve.epochs[0].loss
  }

  /// Packed too coarsely, and tuned: better on the same levels, in no larger a file, and it can be packed again.
  @Test func packedNetworksLearnOnTheirLevels() throws {
    let executor = Executor(context: try context(), store: nil)
    let pruned = try Stage(PruneStage(Magnitude(scope: .layer), target: .sparsity(0.5)), inputs: [trained(tinyStage())])
    let packed = try Stage(PackStage(.lambda(0.3), data: data, samples: 64), inputs: [pruned])
    let tuned = try trained(packed, epochs: 6)
    let before = try executor.model(of: packed), after = try executor.model(of: tuned)
    var moved = 0
    for layer in ["conv", "head"] {
      guard case .codes(let old)? = before[layer, .weight]?.encoding,
        case .codes(let new)? = after[layer, .weight]?.encoding
      else {
        Issue.record("\(layer) has no codes")
        continue
      }
      #expect(old.steps != nil && new.steps != nil)
      func peak(_ coded: CodedValues) -> Int { max(coded.steps!.zero, coded.table.count - 1 - coded.steps!.zero) }
      #expect(peak(new) <= peak(old), "\(new.table) of \(old.table)")
      let values: [Float] = old.decoded.array(), now: [Float] = new.decoded.array()
      #expect(zip(values, now).allSatisfy { $0 != 0 || $1 == 0 }, "zeros of \(layer)")
      moved += zip(values, now).count { $0 != $1 }
      let mask = try #require(after[layer, .weight]!.mask)
      #expect(mask.array(UInt8.self) == after[layer, .weight]!.encoding.nonzeroMask.array(UInt8.self))
      guard case .float(let bias)? = after[layer, .bias]?.encoding else {
        Issue.record("\(layer) has no bias")
        continue
      }
      #expect(bias.dtype == .float16)
    }
    #expect(moved > 0)
    #expect(try loss(after) < loss(before))
    let bytes = try PackedFormat.byteCount(before)
    #expect(try PackedFormat.byteCount(after) <= bytes + bytes / 20)
    let again = try Stage(PackStage(.within(0.01), data: data, samples: 64), inputs: [tuned])
    #expect(try PackedFormat.byteCount(executor.model(of: again)) <= bytes + bytes / 20)
    // The same on several threads, and no mask where there was none.
    let threads = try Executor(context: context(threads: 3), store: nil)
    #expect(try NativeFormat.data(threads.model(of: tuned)) == NativeFormat.data(after))
    let dense = try Stage(PackStage(.lambda(0.1), data: data, samples: 64), inputs: [tinyStage()])
    #expect(try executor.model(of: trained(dense, epochs: 1))["conv", .weight]!.mask == nil)
  }

  /// Clusters stay together, integers integers, activations int8.
  @Test func clustersAndIntegers() throws {
    let executor = Executor(context: try context(), store: nil)
    let choices: [LayerQuantization] = [LayerQuantization(weights: .clusters(4)), .int8]
    for choice in choices {
      let quantized = try Stage(
        QuantizeStage(Uniform(choice: choice), calibration: data.taking(64)), inputs: [trained(tinyStage(), epochs: 1)])
      let before = try executor.model(of: quantized), after = try executor.model(of: trained(quantized))
      #expect(after.activations.keys == before.activations.keys)
      for layer in ["conv", "head"] {
        switch (before[layer, .weight]!.encoding, after[layer, .weight]!.encoding) {
        case (.codes(let old), .codes(let new)):
          #expect(old.codes.array(UInt8.self) == new.codes.array(UInt8.self) && old.table != new.table)
        case (.integer(let old), .integer(let new)):
          #expect(old.bits == new.bits && old.scales.count == new.scales.count && old.scales != new.scales)
        default: Issue.record("\(layer) is stored otherwise")
        }
      }
      let better = try (Judge(.agreement, original: before, on: data, context: executor.context.work).score(after))
      #expect(better < 1)
      let scores = try [before, after].map { try Evaluation($0, on: data, context: executor.context.work).accuracy }
      #expect(scores[1] >= scores[0], "\(scores)")
    }
  }

  /// What is neither weight nor bias of a layer is trained, too: of networks that are quantized as of those that will be.
  @Test func slopesAreTrained() throws {
    var net = GraphBuilder(input: [8, 8, 1])
    net.conv2d(filters: 4, kernel: 3, padding: .same, name: "conv")
    net.add(.prelu(PReLU()), [net.last], name: "slopes")
    net.flatten()
    net.dense(4, name: "head")
    let start = try Stage(
      InitializeStage(name: "net", network: net.graph(), initialization: Initialization(.heNormal), seed: 1))
    let training = TrainingRecipe(data: data, epochs: 1, batchSize: 16, learningRate: .constant(0.01))
    let clusters = Uniform(choice: LayerQuantization(weights: .clusters(4)))
    let executor = Executor(context: try context(), store: nil)
    let aware = try Stage(QuantizeStage(clusters, training: training), inputs: [start])
    let later = try trained(Stage(QuantizeStage(clusters), inputs: [start]), epochs: 1)
    let slopes: [Float] = try executor.model(of: start)["slopes", .slope]!.values.array()
    for stage in [aware, later] {
      #expect(try executor.model(of: stage)["slopes", .slope]!.values.array(Float.self) != slopes)
    }
  }
}
