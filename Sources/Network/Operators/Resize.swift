import Diagnostics
import Tensors

/// An image in another size, each axis by itself: `[h, w, c]` → `[height, width, c]`.
public struct Resize: RearrangingSpec {
  public enum Interpolation: String, Sendable, Codable { case nearest, bilinear }

  /// Where pixel `i` of the result lies in the input, by the names of ONNX; `s` is output size over input size.
  public enum Coordinates: String, Sendable, Codable {
    /// `(i + 0.5) / s - 0.5`: PyTorch's bilinear, TensorFlow's `half_pixel_centers`.
    case halfPixel = "half_pixel"
    /// The same, but 0 for a result of one pixel, as long as it would be before its length is rounded.
    case pytorchHalfPixel = "pytorch_half_pixel"
    /// `i * (in - 1) / (out - 1)`; `out` is not rounded where scales are given.
    case alignCorners = "align_corners"
    /// `i / s`: PyTorch's nearest.
    case asymmetric
    /// `(i + 0.5) / s`, TensorFlow's nearest with half pixel centers.
    case tfHalfPixelForNearest = "tf_half_pixel_for_nn"
  }

  /// Which of two pixels is the nearest.
  public enum Rounding: String, Sendable, Codable {
    case preferFloor = "round_prefer_floor", preferCeil = "round_prefer_ceil", floor, ceil
  }

  public static let kind = "resize"
  public var asOperator: Operator { .resize(self) }

  public var interpolation: Interpolation
  public var height: Int
  public var width: Int
  public var coordinates: Coordinates
  public var rounding: Rounding
  /// Output size over input size by which coordinates are computed, where it was given and the size rounded.
  public var scales: [Float]?

  public init(
    _ interpolation: Interpolation, height: Int, width: Int, coordinates: Coordinates = .halfPixel,
    rounding: Rounding = .floor, scales: [Float]? = nil
  ) {
    self.interpolation = interpolation
    self.height = height
    self.width = width
    self.coordinates = coordinates
    self.rounding = rounding
    self.scales = scales
  }

  public var name: String { "resize \(interpolation.rawValue)" }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    let (_, _, channels) = try inputs[0].image()
    guard (1...1 << 16).contains(height), (1...1 << 16).contains(width) else {
      throw CompressError("cannot resize to \(height)x\(width) pixels")
    }
    guard scales.map({ $0.count == 2 && $0.allSatisfy { $0 > 0 && $0.isFinite } }) ?? true else {
      throw CompressError("scales \(scales ?? []) are not two positive numbers")
    }
    return [try Shape(checking: [height, width, channels])]
  }

  public func work(_ inputs: [Shape], _ outputs: [Shape]) -> Double { Double(outputs[0].count) * 4 }

  /// For each pixel along an axis (0 down, 1 across) the two of the input it lies between, and the share of the second.
  public func taps(_ input: Shape, axis: Int) -> [(first: Int, second: Int, share: Float)] {
    let before = input[axis], after = axis == 0 ? height : width
    let scale = scales?[axis] ?? Float(after) / Float(before)
    // How long the result would be if it had not to be whole pixels.
    let length = scales.map { $0[axis] * Float(before) } ?? Float(after)
    return (0..<after).map { index in
      let i = Float(index)
      let place: Float =
        switch coordinates {
        case .halfPixel: (i + 0.5) / scale - 0.5
        case .pytorchHalfPixel: length != 1 ? (i + 0.5) / scale - 0.5 : 0
        case .alignCorners: after > 1 && length != 1 ? i * Float(before - 1) / (length - 1) : 0
        case .asymmetric: i / scale
        case .tfHalfPixelForNearest: (i + 0.5) / scale
        }
      func inside(_ pixel: Float) -> Int { Int(min(max(pixel, 0), Float(before - 1))) }
      switch interpolation {
      case .nearest:
        let pixel =
          switch rounding {
          case .preferFloor: (place - 0.5).rounded(.up)
          case .preferCeil: (place + 0.5).rounded(.down)
          case .floor: place.rounded(.down)
          case .ceil: place.rounded(.up)
          }
        return (inside(pixel), inside(pixel), 0)
      case .bilinear:
        let place = min(max(place, 0), Float(before - 1)), first = place.rounded(.down)
        return (inside(first), inside(first + 1), place - first)
      }
    }
  }

  public func rearrangement(_ inputs: [Shape]) -> Rearrangement? {
    guard interpolation == .nearest else { return nil }
    return Rearrangement(
      inputs[0], [0, 1].map { taps(inputs[0], axis: $0).map(\.first) } + [Array(0..<inputs[0][2])])
  }

  public var preserves: Preserved { interpolation == .nearest ? [.zero, .selection, .scale] : [.zero, .scale] }
  // What lies between pixels is within their range.
  public var quantization: QuantizationRule { .ofInput }
  public func formatVersion(_ inputs: [Shape]) -> UInt32 { 3 }
  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling { .carried(outputs[0]) }
}
