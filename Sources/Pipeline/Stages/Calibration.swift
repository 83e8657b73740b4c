import Compression
import Diagnostics
import Kernels
import Network
import Runtime
import Tensors

/// Streams samples through a float model while observers watch the values that are to be quantized.
struct Calibration {
  /// Samples at once.
  static let batch = 32

  private let session: Session
  private var observers: [String: any Observer]

  init(_ assignment: QuantizationAssignment, pool: ThreadPool) throws {
    observers = assignment.observed.mapValues { $0.makeObserver() }
    session = Session(try compile(assignment.model, CompileOptions(maxBatch: Self.batch)), pool: pool)
  }

  /// - Parameter samples: at most `batch` of them, float32.
  /// - Throws: `CompressError` naming the layer whose output is not finite.
  mutating func observe(_ samples: Tensor) throws {
    guard !observers.isEmpty else { return }
    var observers = observers
    try session.run(samples) { value, elements in
      try atLayer(value) { try observers[value]?.observe(elements) }
    }
    self.observers = observers
  }

  func ranges() throws -> [String: ActivationQuantization] {
    var ranges: [String: ActivationQuantization] = [:]
    for (name, observer) in observers { ranges[name] = try atLayer(name) { try observer.quantization() } }
    return ranges
  }
}
