import Diagnostics

/// A model that a network learns from besides the labels (Hinton, Vinyals and Dean 2015).
public protocol Teacher {
  /// Numbers it gives for one sample: scores, or all values that are matched.
  var classCount: Int { get }

  /// Writes the scores before any softmax, or the values, of `count` samples, one after the other.
  func scores(
    _ samples: UnsafeBufferPointer<Float>, count: Int, into scores: UnsafeMutableBufferPointer<Float>) throws
}

/// How much the teacher counts: the loss is `(1 - weight) * cross-entropy + weight * T² * KL`, KL being the divergence
/// of the student's softmax of `scores / T` from the teacher's. T² keeps gradients of the same size whatever T.
public struct Distillation: Sendable, Hashable {
  public var temperature: Double
  /// 0…1; the paper's and most people's alpha.
  public var weight: Double

  public init(temperature: Double = 4, weight: Double = 0.9) {
    self.temperature = temperature
    self.weight = weight
  }

  /// - Throws: `CompressError` when a number is out of range.
  func validate() throws {
    guard temperature > 0, temperature.isFinite else {
      throw CompressError("temperature \(temperature) is not above 0")
    }
    guard (0...1).contains(weight) else { throw CompressError("alpha \(weight) is not within 0 and 1") }
  }
}
