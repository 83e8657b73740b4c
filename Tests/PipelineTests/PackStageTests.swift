import Analysis
import Compression
import Datasets
import Diagnostics
import Files
import Formats
import Network
import Runtime
import Tensors
import Testing

@testable import Pipeline

@Suite struct PackStageTests {
  private let data = Corners()

  private func trained() throws -> Stage {
    try Stage(
      TrainStage(
        TrainingRecipe(data: data, epochs: 4, batchSize: 16, learningRate: .constant(0.01)), name: "tiny"),
      inputs: [tinyStage()])
  }

  private func packed(_ base: Stage, _ goal: PackStage.Goal, on samples: (any Dataset)? = nil) throws -> Stage {
    try Stage(PackStage(goal, data: samples ?? data, samples: 64, seed: 3), inputs: [base])
  }

  /// What comes of it is the same function nearly, in a fraction of the bytes, on any number of threads and through a
  /// file.
  @Test func floatsBecomeFewLevels() throws {
    let base = try trained(), stage = try packed(base, .lambda(0.005))
    let executor = Executor(context: try context(), store: nil)
    let before = try executor.model(of: base), result = try executor.result(of: stage), after = result.model
    #expect(after.graph["norm"] == nil)
    for layer in ["conv", "head"] {
      guard case .codes(let coded)? = after[layer, .weight]?.encoding else {
        Issue.record("\(layer) has no codes")
        continue
      }
      #expect(coded.steps != nil && coded.table.count < 64, "\(coded.table.count)")
      guard case .float(let bias)? = after[layer, .bias]?.encoding else {
        Issue.record("\(layer) has no bias")
        continue
      }
      #expect(bias.dtype == .float16)
    }
    let bytes = try PackedFormat.byteCount(after), whole = try PackedFormat.byteCount(before)
    #expect(result.record.facts["packed_bytes"] == Double(bytes) && result.record.facts["lambda"] == 0.005)
    #expect(3 * bytes < 2 * whole, "\(bytes) of \(whole)")
    let test = Corners(count: 200, salt: 9)
    #expect(try Evaluation(after, on: test, context: executor.context.work).accuracy > 0.95)
    let path = try TemporaryFolder()
    try ModelFile.write(after, to: path.path + "/tiny.cmpz")
    #expect(try NativeFormat.data(ModelFile.read(path.path + "/tiny.cmpz")) == NativeFormat.data(after))
    let threads = try Executor(context: context(threads: 3), store: nil)
    #expect(try NativeFormat.data(threads.model(of: packed(trained(), .lambda(0.005)))) == NativeFormat.data(after))
    // A lower price leaves a finer network, and rounding what is rounded goes on from there.
    let finer = try executor.result(of: packed(base, .lambda(1e-4))).record.facts["packed_bytes"]!
    let coarser = try executor.result(of: packed(stage, .lambda(0.2))).record.facts["packed_bytes"]!
    #expect(finer > Double(bytes) && coarser < Double(bytes), "\(finer), \(bytes), \(coarser)")
  }

  @Test func accuracyIsKeptWithinItsLimit() throws {
    let base = try trained(), executor = Executor(context: try context(), store: nil)
    let result = try executor.result(of: packed(base, .within(0.01)))
    let facts = result.record.facts
    let whole = try Evaluation(executor.model(of: base), on: data, context: executor.context.work).accuracy
    let left = try Evaluation(result.model, on: data, context: executor.context.work).accuracy
    #expect(facts["accuracy_before"] == whole && facts["accuracy"] == left && left >= whole - 0.01)
    #expect(result.record.warnings == nil)
    // Each that was tried is told, and one of them was too coarse.
    let tried = result.record.notes.filter { $0.hasPrefix("lambda ") }
    #expect(tried.count > 3 && tried.allSatisfy { $0.contains(" bytes, accuracy ") }, "\(tried)")
    let wide = try executor.result(of: packed(base, .within(0.3))).record.facts["packed_bytes"]!
    #expect(wide < facts["packed_bytes"]!)
  }

  /// Without labels it is the outputs that are to agree.
  @Test func agreementIsKeptWhereThereAreNoLabels() throws {
    let executor = Executor(context: try context(), store: nil), noise = try Datasets.Noise([8, 8, 1], count: 80)
    let base = try tinyStage(), result = try executor.result(of: packed(base, .within(0.001), on: noise))
    let cosine = try #require(result.record.facts["agreement"])
    #expect(cosine >= 0.999 && cosine < 1)
    let own = try Agreement(
      executor.model(of: base), result.model, on: noise, context: executor.context.work)
    #expect(own.cosine == cosine)
  }

  @Test func bytesAreReachedOrToldOf() throws {
    let base = try trained(), executor = Executor(context: try context(), store: nil)
    let finest = try executor.result(of: packed(base, .lambda(0))).record.facts["packed_bytes"]!
    let aim = Int(finest * 0.7)
    let result = try executor.result(of: packed(base, .bytes(aim)))
    let bytes = try PackedFormat.byteCount(result.model)
    #expect(bytes <= aim && bytes > aim * 9 / 10, "\(bytes) of \(aim)")
    #expect(result.record.warnings == nil)
    #expect(try executor.result(of: packed(base, .bytes(1 << 20))).record.facts["lambda"] == 0)
    let missed = try executor.result(of: packed(base, .bytes(20))).record
    let warning = try #require(missed.warnings?.first)
    let least = Int(try #require(missed.facts["packed_bytes"]))
    #expect(warning.hasPrefix("not as small as 20 bytes: ") && warning.contains("\(least)"))
  }

  /// Masks of pruning are kept, which the executor holds the stage to; more may have become zero.
  @Test func zerosStayZeros() throws {
    let executor = Executor(context: try context(), store: nil)
    let pruned = try Stage(PruneStage(Magnitude(scope: .layer), target: .sparsity(0.6)), inputs: [trained()])
    let before = try executor.model(of: pruned)
    let int8 = try Stage(QuantizeStage(Uniform(choice: .int8), calibration: data.taking(64)), inputs: [pruned])
    for stage in [try packed(pruned, .lambda(0.01)), try packed(int8, .lambda(0.01))] {
      let after = try executor.model(of: stage)
      for layer in ["conv", "head"] {
        let old: [Float] = before[layer, .weight]!.values.array(), new: [Float] = after[layer, .weight]!.values.array()
        #expect(zip(old, new).allSatisfy { $0 != 0 || $1 == 0 })
        let mask = try #require(after[layer, .weight]!.mask)
        #expect(mask.array(UInt8.self) == after[layer, .weight]!.encoding.nonzeroMask.array(UInt8.self))
      }
      #expect(try executor.record(of: stage).contracts?.isEmpty == false)
    }
  }

  /// A network of integers stays one: as many bits, activations as they were, computed as int8.
  @Test func integersStayIntegers() throws {
    let executor = Executor(context: try context(), store: nil)
    let int8 = try Stage(QuantizeStage(Uniform(choice: .int8), calibration: data.taking(64)), inputs: [trained()])
    let before = try executor.model(of: int8), after = try executor.model(of: packed(int8, .lambda(0.01)))
    #expect(after.activations == before.activations && !after.activations.isEmpty)
    for layer in ["conv", "head"] {
      guard case .integer(let integers)? = after[layer, .weight]?.encoding else {
        Issue.record("\(layer) has no integers")
        continue
      }
      #expect(integers.scales.count == 1 && integers.bits == 8)
    }
    #expect(try compile(after).floatFallbacks.count == compile(before).floatFallbacks.count)
    #expect(try PackedFormat.byteCount(after) < PackedFormat.byteCount(before))
    let test = Corners(count: 200, salt: 9)
    #expect(try Evaluation(after, on: test, context: executor.context.work).accuracy > 0.95)
  }

  /// Groups, each channel by itself, and what ends in a softmax.
  @Test func whateverHasWeights() throws {
    var net = GraphBuilder(input: [8, 8, 4])
    net.conv2d(filters: 8, kernel: 3, padding: .same, groups: 2, name: "grouped")
    net.activation(.relu)
    net.conv2d(filters: 8, kernel: 3, padding: .same, groups: 8, name: "depthwise")
    net.globalAveragePool()
    net.dense(5, name: "scores")
    net.activation(.softmax)
    let model = try Model(initializing: try net.graph(), seed: 4)
    let noise = try Datasets.Noise([8, 8, 4], count: 40)
    let stage = try PackStage(.within(1e-3), data: noise, samples: 32)
    let result = try stage.run(inputs: [model], context: context())
    for layer in result.model.weightLayers {
      guard case .codes? = result.model[layer, .weight]?.encoding else {
        Issue.record("\(layer) has no codes")
        continue
      }
    }
    #expect(result.record.facts["agreement"]! >= 0.999)
  }

  /// Clusters are values of their own, and stay.
  @Test func clustersStay() throws {
    let choice = LayerQuantization(weights: .clusters(8))
    let clustered = try Stage(QuantizeStage(Uniform(choice: choice)), inputs: [trained()])
    let executor = Executor(context: try context(), store: nil)
    #expect(throws: CompressError.self) { try executor.model(of: packed(clustered, .lambda(0.01))) }
  }

  @Test func whatIsAskedForIsChecked() throws {
    func message(_ body: () throws -> Any) -> String {
      do { _ = try body() } catch let error as CompressError { return error.message } catch { return "\(error)" }
      return ""
    }
    #expect(message { try PackStage(.lambda(-1), data: data) }.hasPrefix("lambda = -1.0"))
    #expect(message { try PackStage(.lambda(.nan), data: data) }.hasPrefix("lambda = nan"))
    #expect(message { try PackStage(.within(1.5), data: data) }.hasPrefix("within 1.5"))
    #expect(message { try PackStage(.bytes(0), data: data) } == "a file of 0 bytes")
    #expect(message { try PackStage(.lambda(1), data: data, samples: 0) }.hasPrefix("0 samples"))
    let digits = SyntheticDigits(count: 10, part: "train")
    #expect(message { try packed(tinyStage(), .lambda(1), on: digits) }.contains("[28, 28, 1]"))
    let key = try packed(tinyStage(), .lambda(1)).key
    #expect(try packed(tinyStage(), .lambda(1)).key == key)
    #expect(try packed(tinyStage(), .lambda(2)).key != key && packed(tinyStage(), .within(1)).key != key)
  }
}
