import Devices
import Diagnostics
import Files
import Formats
import Kernels
import Network
import Runtime
import Tensors

extension BenchReport {
  /// Measures on another machine, on random input.
  ///
  /// - Parameters:
  ///   - threads: nil for as many as it has processors.
  ///   - runs: nil for as many as fit two seconds there, at least 20.
  /// - Throws: `CompressError` as the other does, and naming the device when it cannot be reached or gives no answer.
  public init(
    model path: String, on remote: RemoteDevice, reading: ModelFile.ReadOptions, precision: BenchPrecision,
    threads: Int?, batch: Int, runs: Int?, perLayer: Bool, isExact: Bool, sparsity: BenchSparsity?
  ) throws {
    try Self.check(batch: batch, runs: runs, most: RunnerJob.mostRuns)
    if let threads, !(1...1024).contains(threads) {
      throw CompressError("\(threads) threads are not within 1 and 1024")
    }
    let model = try Self.prepared(path, reading, precision, sparsity, .serial)
    var random = SeededRandom(seed: 0)
    let scratch = try ScratchFolder(), samples = "\(scratch.path)/samples.f32"
    let input = Tensor(uniform: model.graph.inputShape.batched(batch), 0, 1, using: &random)
    try AtomicFile.write(to: samples) { writer in try input.withBytes { try writer.write($0) } }
    var job = RunnerJob(plans: 1, samples: batch)
    (job.threads, job.batch, job.runs, job.timesSteps) = (threads ?? 0, batch, runs ?? 0, perLayer)
    let found = try DeviceMeasurement(
      on: remote, count: 1, model: { _ in model }, job: job, samples: samples, isExact: isExact)
    let measured = found.measured[0], times = measured.timing.statistics
    let layers = zip(measured.plan.steps, measured.answer.stepNanoseconds).map { step, nanoseconds in
      Layer(step, milliseconds: Double(nanoseconds) / 1e6, batch: batch, denseMilliseconds: nil)
    }
    self.init(
      model: path, precision: precision.rawValue, threads: measured.answer.threads, batch: batch,
      fileBytes: path.hasPrefix("zoo:") ? try NativeFormat.byteCount(model) : try Folders.size(ofFile: path),
      times: times, peakMemoryBytes: measured.timing.peakMemoryBytes, load: nil, layers: perLayer ? layers : nil,
      undefined: measured.answer.undefined, device: found.device)
  }
}
