import Diagnostics
import Tensors

/// Height and width of a kernel, a stride, a dilation.
public struct Size2D: Sendable, Hashable {
  public var height: Int
  public var width: Int

  public init(_ height: Int, _ width: Int) {
    self.height = height
    self.width = width
  }

  public init(_ both: Int) { self.init(both, both) }
}

/// How an image is padded with zeros before a window slides over it.
public enum Padding: Sendable, Hashable {
  /// None: the window stays inside.
  case valid
  /// TensorFlow's SAME: `ceil(size / stride)` outputs; an odd surplus goes to the bottom and right.
  case same
  case explicit(top: Int, left: Int, bottom: Int, right: Int)
}

/// Where a window goes over an image: the geometry that convolution and pooling share.
public struct Window: Sendable, Hashable {
  public var size: Size2D
  public var stride: Size2D
  public var padding: Padding
  public var dilation: Size2D

  public init(_ size: Size2D, stride: Size2D = Size2D(1), padding: Padding = .valid, dilation: Size2D = Size2D(1)) {
    self.size = size
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
  }

  /// Pixels under a window: 1024x1024.
  static let mostTaps = 1 << 20

  /// The padding in pixels for an image of the given size.
  ///
  /// - Precondition: strides are positive; `output(height:width:)` checks it.
  public func pads(height: Int, width: Int) -> (top: Int, left: Int, bottom: Int, right: Int) {
    switch padding {
    case .valid: return (0, 0, 0, 0)
    case .explicit(let top, let left, let bottom, let right): return (top, left, bottom, right)
    case .same:
      func total(_ extent: Int, _ size: Int, _ stride: Int, _ dilation: Int) -> Int {
        let outputs = (extent + stride - 1) / stride
        return max(0, (outputs - 1) * stride + (size - 1) * dilation + 1 - extent)
      }
      let vertical = total(height, size.height, stride.height, dilation.height)
      let horizontal = total(width, size.width, stride.width, dilation.width)
      return (vertical / 2, horizontal / 2, vertical - vertical / 2, horizontal - horizontal / 2)
    }
  }

  /// Height and width of the output.
  ///
  /// - Throws: `CompressError` when an extent is not positive or too large, or the window exceeds the padded image.
  public func output(height: Int, width: Int) throws -> Size2D {
    let limit = 1 << 16
    for (name, value) in [("window", size), ("stride", stride), ("dilation", dilation)] {
      guard (1...limit).contains(value.height), (1...limit).contains(value.width) else {
        throw CompressError("\(name) \(value.height)x\(value.width) is out of range")
      }
    }
    guard size.height * size.width <= Self.mostTaps else {
      throw CompressError(
        "a window of \(size.height)x\(size.width) has more than \(Self.mostTaps) pixels")
    }
    let pads = pads(height: height, width: width)
    for pad in [pads.top, pads.left, pads.bottom, pads.right] where !(0...limit).contains(pad) {
      throw CompressError("padding \(pad) is out of range")
    }
    let spanHeight = (size.height - 1) * dilation.height + 1
    let spanWidth = (size.width - 1) * dilation.width + 1
    let paddedHeight = height + pads.top + pads.bottom
    let paddedWidth = width + pads.left + pads.right
    guard spanHeight <= paddedHeight, spanWidth <= paddedWidth else {
      throw CompressError(
        "window \(spanHeight)x\(spanWidth) is larger than its padded input \(paddedHeight)x\(paddedWidth)")
    }
    return Size2D((paddedHeight - spanHeight) / stride.height + 1, (paddedWidth - spanWidth) / stride.width + 1)
  }
}

extension Shape {
  /// Height, width and channels of an image shape.
  ///
  /// - Throws: `CompressError` when the shape is not `[height, width, channels]`.
  func image() throws -> (height: Int, width: Int, channels: Int) {
    guard rank == 3 else { throw CompressError("expects an image [height, width, channels], got shape \(self)") }
    return (self[0], self[1], self[2])
  }
}

extension Size2D: Codable {
  public init(from decoder: any Decoder) throws {
    let values = try [Int](from: decoder)
    guard values.count == 2 else { throw CompressError("a size has two extents, not \(values.count)", kind: .input) }
    self.init(values[0], values[1])
  }

  public func encode(to encoder: any Encoder) throws { try [height, width].encode(to: encoder) }
}

// "valid", "same", or [top, left, bottom, right].
extension Padding: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let name = try? container.decode(String.self) {
      switch name {
      case "valid": self = .valid
      case "same": self = .same
      default: throw CompressError("unknown padding \"\(name.escapedForTerminal)\"", kind: .input)
      }
    } else {
      let pads = try container.decode([Int].self)
      guard pads.count == 4 else { throw CompressError("padding has four extents, not \(pads.count)", kind: .input) }
      self = .explicit(top: pads[0], left: pads[1], bottom: pads[2], right: pads[3])
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .valid: try container.encode("valid")
    case .same: try container.encode("same")
    case .explicit(let top, let left, let bottom, let right): try container.encode([top, left, bottom, right])
    }
  }
}

extension Window: Codable {}
