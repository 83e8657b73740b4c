import Analysis
import Compression
import Diagnostics
import Formats
import Kernels
import Network
import Runtime
import Tensors

/// How long static int8 takes beside plain forward passes of the same images in the same batches: what calibration
/// costs on top of running the network.
public struct QuantizationBench: Sendable, Encodable {
  public struct Row: Sendable, Encodable {
    public let observer: String
    /// The best of the rounds: calibration, ranges and integers, to the finished model.
    public let seconds: Double
    /// By the forward passes' best.
    public let ratio: Double
  }

  public let model: String
  public let images: Int
  public let threads: Int
  /// The best of the rounds.
  public let forwardSeconds: Double
  public let rows: [Row]
  public let peakMemoryBytes: Int

  private enum CodingKeys: String, CodingKey {
    case model, images, threads, forwardSeconds = "forward_seconds", rows, peakMemoryBytes = "peak_memory_bytes"
  }

  /// Measures in turns, so that whatever else the machine does falls on all alike.
  ///
  /// - Parameter path: a model file, or `zoo:NAME`.
  /// - Throws: `CompressError` when the model is quantized already, or a number is out of range.
  public init(
    model path: String, reading: ModelFile.ReadOptions = ModelFile.ReadOptions(), images: Int, threads: Int,
    rounds: Int = 3
  ) throws {
    guard (1...1_000_000).contains(images) else { throw CompressError("\(images) images to calibrate on") }
    let model =
      path.hasPrefix("zoo:") ? try BenchReport.network(String(path.dropFirst(4))) : try ModelFile.read(path, reading)
    let pool = try ThreadPool(threads: threads)
    var random = SeededRandom(seed: 1)
    // The same few batches again and again: what is in them does not matter for the time.
    let size = min(Calibration.batch, images)
    let batch = Tensor(uniform: model.graph.inputShape.batched(size), 0, 1, using: &random)
    func forEachBatch(_ body: (Tensor) throws -> Void) throws {
      for start in stride(from: 0, to: images, by: size) {
        try body(images - start < size ? batch.sliced(axis: 0, 0..<(images - start)) : batch)
      }
    }
    func forward() throws {
      let session = Session(try compile(model, CompileOptions(maxBatch: size)), pool: pool)
      try forEachBatch { _ = try session.run($0) }
    }
    func quantize(_ method: RangeMethod) throws {
      let assignment = try QuantizationAssignment(model) { _, _ in
        LayerQuantization(
          weights: .integer(bits: 8, granularity: .channel), activations: ActivationFormat(method))
      }
      var calibration = try Calibration(assignment, pool: pool)
      try forEachBatch { try calibration.observe($0) }
      _ = try assignment.quantized(try calibration.ranges())
    }
    func seconds(_ body: () throws -> Void) rethrows -> Double {
      let start = ContinuousClock.now
      try body()
      return (ContinuousClock.now - start) / .seconds(1)
    }
    var forwardBest = Double.infinity
    var best = [Double](repeating: .infinity, count: RangeMethod.named.count)
    for _ in 0..<rounds {
      forwardBest = min(forwardBest, try seconds(forward))
      for (index, (_, method)) in RangeMethod.named.enumerated() {
        best[index] = min(best[index], try seconds { try quantize(method) })
      }
    }
    self.model = path
    self.images = images
    self.threads = threads
    forwardSeconds = forwardBest
    rows = zip(RangeMethod.named, best).map { Row(observer: $0.name, seconds: $1, ratio: $1 / forwardBest) }
    peakMemoryBytes = PeakMemory.bytes()
  }
}
