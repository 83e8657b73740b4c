import Diagnostics

/// How a picture becomes what a network takes. Pixels are numbers from 0 to 1, a byte divided by 255; the network is
/// given `(pixel * scale - mean) / deviation` of each channel.
public struct Preprocessing: Sendable, Hashable {
  /// The middle of a picture whose shorter side was given so many pixels.
  public struct Crop: Sendable, Hashable {
    public let shortSide: Int
    /// Of the square that is cut out.
    public let side: Int

    /// - Throws: `CompressError` when the square is empty, or does not fit.
    public init(shortSide: Int, side: Int) throws {
      guard (1...Preprocessing.largestSide).contains(shortSide), (1...shortSide).contains(side) else {
        throw CompressError(
          "a square of \(side) cannot be cut out of images with a short side of \(shortSide)", kind: .input)
      }
      self.shortSide = shortSide
      self.side = side
    }
  }

  public enum Channels: String, Sendable, Codable, CaseIterable {
    case grey, rgb

    public var count: Int { self == .grey ? 1 : 3 }
  }

  /// How the numbers lie.
  public enum Layout: String, Sendable, Codable, CaseIterable {
    /// Row by row, the channels of a pixel side by side.
    case hwc
  }

  /// Done first; nil where the whole picture is taken.
  public let crop: Crop?
  /// What it is resized to at last.
  public let height: Int
  public let width: Int
  public let channels: Channels
  public let layout: Layout
  public let scale: Float
  /// One for each channel, or one for all; so are the deviations.
  public let mean: [Float]
  public let deviation: [Float]

  public static let largestSide = 1 << 16

  /// - Throws: `CompressError` with the numbers when a side is out of range, a number is not finite, a deviation is not
  ///   positive, the scale is 0, or there are neither one nor as many as channels.
  public init(
    crop: Crop? = nil, height: Int, width: Int, channels: Channels, layout: Layout = .hwc, scale: Float = 1,
    mean: [Float] = [0], deviation: [Float] = [1]
  ) throws {
    guard [height, width].allSatisfy({ (1...Self.largestSide).contains($0) }) else {
      throw CompressError("images of \(height)x\(width) pixels", kind: .input)
    }
    guard scale.isFinite, scale != 0 else {
      throw CompressError("a scale is a number other than 0, not \(scale)", kind: .input)
    }
    guard mean.count == deviation.count, mean.count == 1 || mean.count == channels.count else {
      throw CompressError(
        "\(mean.count) means and \(deviation.count) standard deviations for images of \(channels.count) "
          + "channel\(channels.count == 1 ? "" : "s")", kind: .input)
    }
    guard mean.allSatisfy(\.isFinite), deviation.allSatisfy({ $0.isFinite && $0 > 0 }) else {
      throw CompressError(
        "means are numbers and standard deviations positive: mean \(mean), std \(deviation)", kind: .input)
    }
    self.crop = crop
    self.height = height
    self.width = width
    self.channels = channels
    self.layout = layout
    self.scale = scale
    self.mean = mean
    self.deviation = deviation
  }
}

extension Preprocessing: CustomStringConvertible {
  /// `32x32 rgb, (pixel - [0.49, 0.48, 0.45]) / [0.25, 0.24, 0.26]`.
  public var description: String {
    func list(_ values: [Float]) -> String { values.count == 1 ? "\(values[0])" : "\(values)" }
    let first = crop.map { "short side \($0.shortSide), middle \($0.side)x\($0.side), " } ?? ""
    let pixel = scale == 1 ? "pixel" : "pixel * \(scale)"
    let isPlain = mean.allSatisfy { $0 == 0 } && deviation.allSatisfy { $0 == 1 }
    return "\(first)\(height)x\(width) \(channels.rawValue), "
      + (isPlain ? pixel : "(\(pixel) - \(list(mean))) / \(list(deviation))")
  }
}

// In files: what says nothing is left out.
extension Preprocessing.Crop: Codable {
  private enum CodingKeys: String, CodingKey { case shortSide = "short_side", side = "size" }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      shortSide: container.decode(Int.self, forKey: .shortSide), side: container.decode(Int.self, forKey: .side))
  }
}

extension Preprocessing: Codable {
  private enum CodingKeys: String, CodingKey { case crop, size, channels, layout, scale, mean, deviation = "std" }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func word<T: RawRepresentable & CaseIterable>(_: T.Type, _ key: CodingKeys) throws -> T where T.RawValue == String {
      let text = try container.decode(String.self, forKey: key)
      guard let value = T(rawValue: text) else {
        throw CompressError("unknown \(key.rawValue) \"\(text.escapedForTerminal.shortened(to: 40))\"", kind: .input)
      }
      return value
    }
    let size = try container.decode([Int].self, forKey: .size)
    guard size.count == 2 else { throw CompressError("a size is a height and a width, not \(size)", kind: .input) }
    try self.init(
      crop: container.decodeIfPresent(Crop.self, forKey: .crop), height: size[0], width: size[1],
      channels: word(Channels.self, .channels), layout: word(Layout.self, .layout),
      scale: container.decodeIfPresent(Float.self, forKey: .scale) ?? 1,
      mean: container.decodeIfPresent([Float].self, forKey: .mean) ?? [0],
      deviation: container.decodeIfPresent([Float].self, forKey: .deviation) ?? [1])
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeIfPresent(crop, forKey: .crop)
    try container.encode([height, width], forKey: .size)
    try container.encode(channels, forKey: .channels)
    try container.encode(layout, forKey: .layout)
    if scale != 1 { try container.encode(scale, forKey: .scale) }
    if mean != [0] || deviation != [1] {
      try container.encode(mean, forKey: .mean)
      try container.encode(deviation, forKey: .deviation)
    }
  }
}
