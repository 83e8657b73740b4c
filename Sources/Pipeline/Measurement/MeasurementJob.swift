import Foundation

/// What a measuring process is told, as JSON in a file.
public struct MeasurementJob: Codable, Sendable {
  /// The native model file.
  public var model: String
  /// Raw float32 images, one after the other, to be timed one by one.
  public var images: String
  public var imageCount: Int
  public var warmUp: Int
  public var threads: Int
  /// How many samples then arrive on standard input, raw float32, to be predicted.
  public var evaluated: Int
  /// Where to write the `MeasurementReport`.
  public var report: String
}

/// What a measuring process answers, as JSON in a file.
public struct MeasurementReport: Codable, Sendable {
  /// Milliseconds, in the order they were taken.
  public var latency: VariantResult.Latency
  public var peakMemoryBytes: Int
  /// The predicted class of each sample that arrived.
  public var predictions: [Int32]
}
