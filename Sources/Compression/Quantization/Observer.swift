import Diagnostics
import Network

/// Watches the values that pass one point of the network during calibration, batch by batch, in
/// constant memory, and then says how to quantize them.
public protocol Observer {
  mutating func observe(_ values: UnsafeBufferPointer<Float>) throws

  /// - Throws: `CompressError` when nothing was observed.
  func quantization() throws -> ActivationQuantization
}

/// The observers a recipe can name.
public enum ObserverKind: String, Sendable, CaseIterable {
  case minmax

  public func makeObserver() -> any Observer {
    switch self {
    case .minmax: MinMaxObserver()
    }
  }
}

/// The whole range that was seen.
public struct MinMaxObserver: Observer {
  private var low = Float.infinity
  private var high = -Float.infinity

  public init() {}

  public mutating func observe(_ values: UnsafeBufferPointer<Float>) throws {
    var low = low, high = high
    var finite = true
    for value in values {
      finite = finite && value.isFinite
      low = min(low, value)
      high = max(high, value)
    }
    guard finite else { throw CompressError("an activation is not finite; was the model trained to NaN?") }
    (self.low, self.high) = (low, high)
  }

  public func quantization() throws -> ActivationQuantization {
    guard low <= high else { throw CompressError("no calibration data reached it") }
    return try ActivationQuantization(low: low, high: high)
  }
}
