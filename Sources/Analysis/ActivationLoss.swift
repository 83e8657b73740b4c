import Compression
import Datasets
import Foundation
import Kernels
import Network
import Runtime

/// What activations that were calibrated cost beside those quantized on the fly (dynamic range), on some of the very
/// samples they were calibrated on: one value that is far from all others makes steps that are too coarse for these, and
/// no layer of the network need look wrong by itself.
public struct ActivationLoss {
  /// Outputs against those of the model as it was, in decibels of signal to noise.
  public let calibrated: Double
  /// The same with dynamic range.
  public let dynamic: Double
  private let samples: Int

  /// So many samples are enough to see it, and cost little beside calibration.
  private static let mostSamples = 4
  /// Decibels by which outputs may be behind; above 30 they are good enough in any case: noise of 3 % of the signal changes
  /// hardly a prediction, and what dynamic range leaves in float (norms, attention, sums) accounts for ten decibels of a
  /// transformer.
  private static let tolerated = 6.0, good = 36.0

  /// nil when an output is not finite.
  public init?(
    of quantized: Model, _ assignment: QuantizationAssignment, on data: any Dataset, pool: ThreadPool
  ) throws {
    let samples = min(Self.mostSamples, data.count)
    self.samples = samples
    let images = try data.batch(0..<samples).images
    let dynamic = try QuantizationAssignment(assignment.model) { _, node in
      assignment.layers[node.name].map { _ in LayerQuantization(weights: .integer(bits: 8, granularity: .channel)) }
    }
    let models = [assignment.model, quantized, try dynamic.quantized([:])]
    let outputs = try models.map { model in
      try Session(compile(model, CompileOptions(maxBatch: samples)), pool: pool).run(images).array(Float.self)
    }
    guard outputs.allSatisfy({ $0.allSatisfy(\.isFinite) }) else { return nil }
    func decibels(_ found: [Float]) -> Double {
      var signal = 0.0, noise = 0.0
      for (a, b) in zip(outputs[0], found) {
        signal += Double(a) * Double(a)
        noise += (Double(a) - Double(b)) * (Double(a) - Double(b))
      }
      return noise == 0 ? .infinity : 10 * log10(signal / noise)
    }
    calibrated = decibels(outputs[1])
    self.dynamic = decibels(outputs[2])
  }

  /// For people, where it is more than one would expect.
  public var sentence: String? {
    guard min(dynamic, Self.good) - calibrated > Self.tolerated else { return nil }
    let others = dynamic.isFinite ? String(format: "%.1f dB", dynamic) : "nothing lost"
    return String(format: "on %d calibration samples the outputs are at %.1f dB", samples, calibrated)
      + " (signal to noise), with dynamic_range \(others): is there a sample unlike the others? "
      + "differences() tells which layers lose most"
  }
}
