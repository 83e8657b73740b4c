import Compression
import Datasets
import Diagnostics
import Network
import Tensors
import Testing

@testable import Pipeline

/// Corners whose classes have names, the same samples under whatever names.
private struct Named: Dataset {
  var classNames: [String]?
  private let corners = Corners(count: 64)

  init(_ names: [String]) { classNames = names }

  var name: String { "named" }
  var count: Int { corners.count }
  var sampleShape: Shape { corners.sampleShape }
  var classCount: Int { corners.classCount }
  var identity: DatasetIdentity { corners.identity }
  var preprocessing: Preprocessing? { try? Preprocessing(height: 8, width: 8, channels: .grey) }

  func read(
    _ indices: [Int], images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
  ) throws {
    try corners.read(indices, images: images, labels: labels)
  }
}

@Suite struct SignatureTests {
  private let names = ["north", "east", "south", "west"]

  private func trained(_ names: [String], from start: Stage? = nil) throws -> Stage {
    try Stage(
      TrainStage(TrainingRecipe(data: Named(names), batchSize: 32), name: "tiny"), inputs: [start ?? tinyStage()])
  }

  private func described(_ stage: Stage, _ names: [String]) throws -> Stage {
    try Stage(DescribeStage(ModelSignature(classes: names, preprocessing: nil)), inputs: [stage])
  }

  @Test func itIsKnownBeforeAnythingIsComputedAndKeptByEveryStage() throws {
    let executor = Executor(context: try context(), store: nil)
    let first = try trained(names)
    #expect(try tinyStage().signature == .unknown)
    let pruned = try Stage(PruneStage(Magnitude(), target: .sparsity(0.5)), inputs: [first])
    let narrow = try Stage(
      PruneChannelsStage(FilterMagnitude(), target: .shares([0.25])), inputs: [first])
    let rewound = try Stage(RewindStage(), inputs: [pruned, tinyStage()])
    let drawn = try Stage(ReinitializeStage(Initialization(.heNormal), seed: 2), inputs: [first])
    let equalized = try Stage(EqualizeStage(), inputs: [first])
    let int8 = try Stage(QuantizeStage(Uniform(choice: .int8), calibration: Corners().taking(16)), inputs: [pruned])
    let mixed = try Stage(
      MixStage(.bytes(1 << 20), price: .bytes, names: ["int8", "float"], data: Corners(count: 32), samples: 16),
      inputs: [first, int8, first])
    let expected = try ModelSignature(
      classes: names, preprocessing: Preprocessing(height: 8, width: 8, channels: .grey))
    for stage in [first, pruned, narrow, rewound, drawn, equalized, int8, mixed] {
      #expect(stage.signature == expected, "\(stage.work.label)")
      #expect(try executor.model(of: stage).signature == expected, "\(stage.work.label)")
    }
  }

  /// Labels mean what the data of a training says; trainings on the way to something else do not change what is known.
  @Test func whoeverKnowsBetterSaysIt() throws {
    let other = ["a", "b", "c", "d"]
    let named = try described(trained(names), other)
    #expect(named.signature.classes == other && named.signature.preprocessing != nil)
    #expect(try trained(names, from: named).signature.classes == names)
    let tuning = TrainingRecipe(data: Named(names), batchSize: 32)
    for start in [named, try tinyStage()] {
      let pruned = try Stage(PruneStage(Magnitude(), target: .sparsity(0.5), training: tuning), inputs: [start])
      let quantized = try Stage(
        QuantizeStage(Uniform(choice: .int8), calibration: Corners().taking(16), training: tuning), inputs: [start])
      for stage in [pruned, quantized] { #expect(stage.signature.classes == start.signature.classes ?? names) }
    }
    // Names of five classes are none of a network of four scores; a script that says so is told.
    #expect(try trained(names + ["up"]).signature.classes == nil)
    let error = #expect(throws: CompressError.self) { try described(tinyStage(), ["one"]) }
    #expect(error?.message == "1 names of classes for 4 scores")
  }

  /// Names decide nothing that is computed: whatever was computed under others is taken, and called as the stage says.
  @Test func equalWorkUnderOtherNames() throws {
    let folder = try TemporaryFolder()
    let store = StageStore(root: folder.path)
    let first = try trained(names), second = try trained(["a", "b", "c", "d"])
    #expect(first.key == second.key)
    let executor = Executor(context: try context(), store: store)
    #expect(try executor.model(of: first).signature.classes == names)
    #expect(try executor.model(of: second).signature.classes == ["a", "b", "c", "d"])
    let again = Executor(context: try context(), store: store)
    #expect(try again.model(of: second).signature.classes == ["a", "b", "c", "d"])
    #expect(!again.hasComputed(second))
    #expect(try described(first, ["a", "b", "c", "d"]).key != described(first, names).key)
  }
}

/// The filters of least magnitude.
private struct FilterMagnitude: PruningPolicy {
  var unit: PruningUnit { .filter }
  var name: String { "filter magnitude" }
  var scope: PruningScope { .global }
  var recipe: Recipe { .string(name) }
  func skips(_ layer: LayerView) -> Bool { false }
  func score(_ layer: LayerView) throws -> Tensor? {
    try layer.weight.applying(.abs).reshaped([layer.weight.shape[0], -1]).reduced(.sum, axes: [1])
  }
}
