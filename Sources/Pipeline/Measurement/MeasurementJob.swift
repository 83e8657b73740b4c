import Analysis
import Foundation
import Runtime

/// What a measuring process is told, as JSON in a file: to time images, or to predict samples, or both.
public struct MeasurementJob: Codable, Sendable {
  /// The native model file.
  public var model: String
  /// Raw float32 images, one after the other, to be timed one by one.
  public var images: String
  /// Of these images the first to time, and how many; none when there is nothing to time.
  public var firstImage: Int
  public var imageCount: Int
  public var warmUp: Int
  public var threads: Int
  /// How many samples then arrive on standard input, raw float32, to be predicted.
  public var evaluated: Int
  /// Whether to time layers that leave zeros out beside the same with every weight multiplied, on the first image.
  public var timesZeros = false
  /// Where to write the `MeasurementReport`.
  public var report: String
}

/// What a measuring process answers, as JSON in a file.
public struct MeasurementReport: Codable, Sendable {
  /// Of one turn; nil when nothing was to be timed.
  public var timing: Timing?
  /// What was answered to each sample that arrived.
  public var answers: Classifier.Answers
  /// Of the layers that leave zeros out, where that was asked for.
  public var zerosSaved: [ZerosSaved]?
}
