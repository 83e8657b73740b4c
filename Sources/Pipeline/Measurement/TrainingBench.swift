import Datasets
import Diagnostics
import Formats
import Kernels
import Network
import Runtime
import Tensors
import Training

/// How fast a model trains on random images that lie in memory: forward, loss, backward and the optimizer's step. The
/// keys are those of `compress bench --training --json`.
public struct TrainingBench: Sendable, Encodable {
  public let model: String
  /// Of the products: `float32` or `bf16`.
  public let precision: String
  public let threads: Int
  public let batch: Int
  /// Milliseconds for one step.
  public let p50, p90, max: Double
  public let steps: Int
  public let peakMemoryBytes: Int

  private enum CodingKeys: String, CodingKey {
    case model, precision, threads, batch, p50 = "p50_ms", p90 = "p90_ms", max = "max_ms", steps
    case peakMemoryBytes = "peak_memory_bytes"
  }

  /// At the median.
  public var imagesPerSecond: Double { Double(batch) / p50 * 1e3 }

  /// Measures; the first three steps do not count.
  ///
  /// - Parameters:
  ///   - path: a model file, or `zoo:NAME` with random weights.
  ///   - steps: nil for as many as fit six seconds, at least eight.
  /// - Throws: `CompressError` when the file is broken, a number is out of range, or the model cannot be trained.
  public init(
    model path: String, reading: ModelFile.ReadOptions = ModelFile.ReadOptions(), precision: ProductPrecision,
    threads: Int, batch: Int, steps: Int?,
    optimizer: Optimizer = .adam()
  ) throws {
    if let steps, !(1...1_000_000).contains(steps) { throw CompressError("\(steps) runs") }
    let network =
      path.hasPrefix("zoo:")
      ? try BenchReport.network(String(path.dropFirst(4))) : try ModelFile.read(path, reading).decoded()
    var options = TrainingOptions(epochs: 1_000_000, batchSize: batch, optimizer: optimizer)
    options.precision = precision
    let noise = try Noise(shape: network.graph.inputShape, classes: network.graph.outputShape.count, count: batch)
    let trainer = try Trainer(
      model: network, options: options, data: noise, pool: ThreadPool(threads: threads))
    let clock = StepClock(steps: steps)
    _ = try trainer.run(hooks: [clock])
    let times = LatencyStatistics(nanoseconds: clock.counted)
    model = path
    self.precision = precision.rawValue
    self.threads = threads
    self.batch = batch
    (p50, p90, max, self.steps) = (times.p50, times.p90, times.max, times.count)
    peakMemoryBytes = PeakMemory.bytes()
  }
}

/// Takes the time from step to step, and ends the training when there are enough.
private final class StepClock: TrainingHook {
  private let steps: Int?
  private var last = ContinuousClock.now
  private var times: [Duration] = []

  private static let warmUp = 3
  private static let least = 8
  private static let enough = Duration.seconds(6)

  init(steps: Int?) { self.steps = steps }

  func afterStep(_ progress: TrainingProgress, weights: TrainableWeights) -> TrainingChange {
    let now = ContinuousClock.now
    times.append(now - last)
    last = now
    let counted = times.dropFirst(Self.warmUp)
    let isEnough = steps.map { counted.count >= $0 }
    return TrainingChange(
      stops: isEnough ?? (counted.count >= Self.least && counted.reduce(.zero, +) >= Self.enough))
  }

  var counted: [UInt64] { times.dropFirst(Self.warmUp).map { UInt64($0 / .nanoseconds(1)) } }
}

/// Random images, each with a random class: one batch of them.
private struct Noise: Dataset {
  let name = "noise"
  let sampleShape: Shape
  let classCount: Int
  private let batch: Batch

  init(shape: Shape, classes: Int, count: Int) throws {
    guard (1...65_536).contains(count) else { throw CompressError("a batch of \(count) is not within 1 and 65536") }
    var random = SeededRandom(seed: 0)
    sampleShape = shape
    classCount = classes
    let labels = (0..<count).map { _ in Int32(random.below(classes)) }
    batch = Batch(images: Tensor(uniform: shape.batched(count), 0, 1, using: &random), labels: labels)
  }

  var count: Int { batch.count }
  var identity: DatasetIdentity { DatasetIdentity(.recipe("noise")) }

  func read(
    _ indices: [Int], images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
  ) {
    let size = sampleShape.count
    batch.images.withElements(Float.self) { source in
      for (place, index) in indices.enumerated() {
        (images.baseAddress! + place * size).update(from: source.baseAddress! + index * size, count: size)
        labels[place] = batch.labels[index]
      }
    }
  }
}
