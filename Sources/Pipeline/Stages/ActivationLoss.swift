import Datasets
import Foundation
import Kernels
import Network
import Runtime

/// What rounding activations costs beside rounding the weights alone, on some of the very samples that the activations
/// were calibrated on: one value that is far from all others makes steps that are too coarse for these, and no layer of
/// the network need look wrong by itself.
struct ActivationLoss {
  /// Outputs against those of the model as it was, in decibels of signal to noise.
  let rounded: Double
  /// The same with activations in float.
  let weightsAlone: Double
  private let samples: Int

  /// So many samples are enough to see it, and cost next to nothing beside calibration.
  private static let samples = 4
  /// Decibels by which outputs may be behind; those that are as good as this are good enough in any case.
  private static let tolerated = 5.0, good = 60.0

  /// nil when an output is not finite.
  init?(of quantized: Model, beside original: Model, on data: any Dataset, pool: ThreadPool) throws {
    let samples = min(Self.samples, data.count)
    self.samples = samples
    let images = try data.batch(0..<samples).images
    var weightsAlone = try quantized.decoded()
    // Biases were corrected for what activations add.
    for (layer, role, parameter) in original.allParameters where role == .bias {
      try weightsAlone.set(parameter, layer, role)
    }
    let models = [original, quantized, weightsAlone]
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
    rounded = decibels(outputs[1])
    self.weightsAlone = decibels(outputs[2])
  }

  /// For people, where it is more than one would expect.
  var sentence: String? {
    guard min(weightsAlone, Self.good) - rounded > Self.tolerated else { return nil }
    let others = weightsAlone.isFinite ? String(format: "they are at %.1f dB", weightsAlone) : "nothing is lost"
    return String(format: "quantized activations cost accuracy: on %d calibration samples ", samples)
      + String(format: "the outputs are at %.1f dB ", rounded) + "(signal to noise); with the weights alone quantized \(others). Are there samples among them unlike the others? "
      + "differences() tells which layers lose most"
  }
}
