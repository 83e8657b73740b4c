import Analysis
import Compression
import Diagnostics
import Files
import Formats
import Kernels
import Network
import Runtime
import Tensors

/// In what arithmetic a model is to be timed.
public enum BenchPrecision: String, Sendable, CaseIterable {
  /// As the file says.
  case stored
  case fp32, fp16, dynamic, int8
  /// Of training alone.
  case bf16
}

/// How fast a model runs on random input: one from a file, or `zoo:NAME` with random weights. The keys are those of
/// `compress bench --json`.
public struct BenchReport: Sendable, Encodable {
  /// A step of the compiled model.
  public struct Layer: Sendable, Encodable {
    public let layer: String
    /// What runs, for instance `conv 3x3, relu`.
    public let operation: String
    public let arithmetic: Arithmetic
    /// Shape of one result.
    public let output: [Int]
    /// Median time of one run of the whole batch.
    public let milliseconds: Double
    /// Multiply-accumulates for the whole batch, by the definition, and those that are made: Winograd's method saves some.
    public let macs, multiplications: Int
    public let weightBytes: Int
    /// The function that runs, for instance `f32_patches`, and of a layer with weights why it was chosen.
    public let kernel: String
    public let kernelReason: String?
    /// Of the weights, where they are counted, the share that sparse kernels leave out: zeros, of int8 fours of them.
    public let zeros: Double?
    /// Where zeros are left out, what the layer takes with every weight multiplied, timed in turns with it.
    public let denseMilliseconds: Double?

    init(_ step: Plan.Step, milliseconds: Double, batch: Int, denseMilliseconds: Double?) {
      (layer, operation, arithmetic, output) = (step.layer, step.operation, step.arithmetic, step.outputShape.dims)
      self.milliseconds = milliseconds
      (macs, weightBytes) = (step.macs * batch, step.weightBytes)
      multiplications = (step.choice?.multiplications ?? step.macs) * batch
      (kernel, kernelReason, zeros) = (step.kernelName, step.choice?.reason, step.choice?.zeros)
      self.denseMilliseconds = denseMilliseconds
    }

    private enum CodingKeys: String, CodingKey {
      case layer, operation, arithmetic, output, milliseconds = "p50_ms", macs, multiplications, weightBytes =
        "weight_bytes"
      case kernel, kernelReason = "kernel_reason", zeros, denseMilliseconds = "dense_p50_ms"
    }
  }

  public let model: String
  public let precision: String
  public let threads: Int
  public let batch: Int
  /// Milliseconds for one run of the whole batch.
  public let p50, p90, p99, max: Double
  public let runs: Int
  /// Of the file; of a network of the zoo, what its native file would have.
  public let fileBytes: Int
  public let peakMemoryBytes: Int
  /// What the machine did while it was timed; no key of the JSON. Nil where it was another machine.
  public let load: MachineLoad?
  /// Where the time goes, when that was asked for.
  public let layers: [Layer]?
  /// How many of the batch's random images it answers NaN to; nil when to none.
  public let undefined: Int?
  /// The machine that it ran on, where that is not this one.
  public let device: DeviceRecord?

  private enum CodingKeys: String, CodingKey {
    case model, precision, threads, batch, p50 = "p50_ms", p90 = "p90_ms", p99 = "p99_ms", max = "max_ms", runs
    case fileBytes = "file_bytes", peakMemoryBytes = "peak_memory_bytes", layers, undefined, device
  }

  /// Measures.
  ///
  /// - Parameters:
  ///   - runs: nil for as many as fit two seconds, at least 20.
  ///   - perLayer: whether each layer is timed as well, in runs of their own.
  ///   - isExact: whether float sums keep the order of the definition (see `CompileOptions`).
  ///   - sparsity: zeros to put into the network first.
  /// - Throws: `CompressError` when the file is broken, a number is out of range, or a quantized model is asked to
  ///   run in another precision than its own.
  public init(
    model path: String, reading: ModelFile.ReadOptions = ModelFile.ReadOptions(), precision: BenchPrecision,
    threads: Int, batch: Int, runs: Int?, perLayer: Bool = false, isExact: Bool = false, sparsity: BenchSparsity? = nil
  ) throws {
    try Self.check(batch: batch, runs: runs, most: 10_000_000)
    let pool = try ThreadPool(threads: threads)
    let plan: Plan, fileBytes: Int, options = CompileOptions(maxBatch: batch, isExact: isExact)
    func prepared() throws -> Model { try Self.prepared(path, reading, precision, sparsity, pool) }
    if path.hasPrefix("zoo:") {
      let prepared = try prepared()
      fileBytes = try NativeFormat.byteCount(prepared)
      // What it took to make the network is nobody's who runs it.
      PeakMemory.reset()
      plan = try compile(consume prepared, options)
    } else {
      fileBytes = try Folders.size(ofFile: path)
      plan = try compile(prepared(), options)
    }
    let session = Session(plan, pool: pool)
    var random = SeededRandom(seed: 0)
    let input = Tensor(uniform: plan.inputShape.batched(batch), 0, 1, using: &random)
    var output = Tensor(zeros: plan.outputShape.batched(batch))
    let (times, load) = try input.withElements(Float.self) { input in
      try output.withMutable(Float.self) { output in
        let trial = try LatencyMeasurement(runs: 3, warmUp: 5) { _ in session.run(input: input, output: output) }
        let fitting = Swift.max(20, Swift.min(100_000, Int(saturating: 2000 / trial.statistics.p50)))
        let start = MachineCounters()
        let measured = try LatencyMeasurement(runs: runs ?? fitting, warmUp: Swift.min(50, fitting / 4)) { _ in
          session.run(input: input, output: output)
        }
        return (measured.statistics, MachineLoad(from: start, to: MachineCounters()))
      }
    }
    let outputs = plan.outputShape.count
    let unknown = output.withElements(Float.self) { output in
      (0..<batch).count { sample in output[sample * outputs..<(sample + 1) * outputs].contains { $0.isNaN } }
    }
    let peak = PeakMemory.bytes()
    var layers: [Layer]?
    if perLayer {
      // Made when the memory of running alone is known.
      var everyWeight = options
      everyWeight.leavesZerosOut = false
      let dense = plan.leavesZerosOut ? Session(try compile(prepared(), everyWeight), pool: pool) : nil
      layers = Self.layers(session, dense, input, runs: times.count)
    }
    self.init(
      model: path, precision: precision.rawValue, threads: threads, batch: batch, fileBytes: fileBytes, times: times,
      peakMemoryBytes: peak, load: load, layers: layers, undefined: unknown, device: nil)
  }

  init(
    model: String, precision: String, threads: Int, batch: Int, fileBytes: Int, times: LatencyStatistics,
    peakMemoryBytes: Int, load: MachineLoad?, layers: [Layer]?, undefined: Int, device: DeviceRecord?
  ) {
    (self.model, self.precision, self.threads, self.batch) = (model, precision, threads, batch)
    (p50, p90, p99, max) = (times.p50, times.p90, times.p99, times.max)
    runs = times.count
    (self.fileBytes, self.peakMemoryBytes, self.load) = (fileBytes, peakMemoryBytes, load)
    (self.layers, self.device) = (layers, device)
    self.undefined = undefined > 0 ? undefined : nil
  }

  private static func layers(_ session: Session, _ dense: Session?, _ input: Tensor, runs: Int) -> [Layer] {
    let plan = session.plan, batch = input.shape.dims[0]
    let times = StepTimes([session] + (dense.map { [$0] } ?? []), input: input) { $0 < Swift.min(runs, 1000) }
    let saved = dense.map { times.zerosSaved(plan, beside: $0.plan) } ?? []
    return zip(plan.steps, times.milliseconds[0]).map { step, milliseconds in
      Layer(
        step, milliseconds: milliseconds, batch: batch,
        denseMilliseconds: step.choice?.algorithm == .sparse
          ? saved.first { $0.layer == step.layer }?.denseMilliseconds : nil)
    }
  }

  /// An untrained network of the zoo.
  static func network(_ name: String) throws -> Model {
    let entry = try Zoo.entry(name)
    return try Model(initializing: entry.graph(entry.defaults), entry.initialization, seed: 0)
  }

  static func check(batch: Int, runs: Int?, most: Int) throws {
    guard (1...4096).contains(batch) else { throw CompressError("a batch of \(batch) is not within 1 and 4096") }
    if let runs, !(1...most).contains(runs) { throw CompressError("\(runs) runs are not within 1 and \(most)") }
  }

  /// A model from a file or of the zoo, in the arithmetic and with the zeros that are asked for.
  static func prepared(
    _ path: String, _ reading: ModelFile.ReadOptions, _ precision: BenchPrecision, _ sparsity: BenchSparsity?,
    _ pool: ThreadPool
  ) throws -> Model {
    let model = path.hasPrefix("zoo:") ? try network(String(path.dropFirst(4))) : try ModelFile.read(path, reading)
    return try prepared(model, precision, sparsity, pool)
  }

  private static func prepared(
    _ model: Model, _ precision: BenchPrecision, _ sparsity: BenchSparsity?, _ pool: ThreadPool
  ) throws -> Model {
    let model = try sparsity?.applied(to: model) ?? model
    let format: LayerQuantization
    switch precision {
    case .stored: return model
    case .fp32: return try model.decoded()
    case .bf16: throw CompressError("bf16 is a precision of training: add --training", kind: .usage)
    case .fp16: format = LayerQuantization(weights: .float16)
    case .dynamic: format = LayerQuantization(weights: .integer(bits: 8, granularity: .channel))
    case .int8:
      format = LayerQuantization(weights: .integer(bits: 8, granularity: .channel), activations: ActivationFormat())
    }
    let assignment = try QuantizationAssignment(model) { _, _ in format }
    var random = SeededRandom(seed: 1)
    let samples = Tensor(uniform: model.graph.inputShape.batched(8), 0, 1, using: &random)
    var calibration = try Calibration(assignment, pool: pool)
    try calibration.observe(samples)
    return try assignment.quantized(try calibration.ranges())
  }
}
