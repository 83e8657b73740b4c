import Compression
import Diagnostics
import Kernels
import Network
import Runtime
import Tensors

/// Streams samples through a float model while observers watch the values that are to be quantized.
public struct Calibration {
  /// Samples at once.
  public static let batch = 32

  private let session: Session
  private let pool: ThreadPool
  private var observers: [String: Observer]

  public init(_ assignment: QuantizationAssignment, pool: ThreadPool) throws {
    self.pool = pool
    observers = try Dictionary(
      uniqueKeysWithValues: assignment.observed.map { value, format in
        (value, try Observer(format, sensitive: assignment.sensitiveRange(of: value)))
      })
    session = Session(try compile(assignment.model, CompileOptions(maxBatch: Self.batch)), pool: pool)
  }

  /// - Parameter samples: at most `batch` of them, float32.
  /// - Throws: `CompressError` naming the layer whose output is not finite.
  public mutating func observe(_ samples: Tensor) throws {
    var observers = take()  // moved, so that histograms are not copied
    defer { self.observers = observers }
    try session.run(samples) { value, elements in
      try Cancellation.checkCurrent()
      try atLayer(value) { try observers[value]?.observe(elements, pool: pool) }
    }
  }

  private mutating func take() -> [String: Observer] {
    defer { observers = [:] }
    return observers
  }

  /// - Throws: `CompressError` naming a value that nothing reached.
  public func ranges() throws -> [String: ActivationEncoding] {
    let names = observers.keys.sorted()
    var found = [Result<ActivationEncoding, any Error>?](repeating: nil, count: names.count)
    found.withUnsafeMutableBufferPointer { found in
      pool.parallelFor(names.count) { index in
        found[index] = Result { try atLayer(names[index]) { try observers[names[index]]!.encoding() } }
      }
    }
    try Cancellation.checkCurrent()  // or some were skipped
    return Dictionary(uniqueKeysWithValues: zip(names, try found.map { try $0!.get() }))
  }
}
