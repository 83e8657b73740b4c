import Diagnostics
import Tensors

/// Blocks of channels as blocks of pixels: `[h, w, c * block * block]` → `[h * block, w * block, c]`.
public struct DepthToSpace: RearrangingSpec {
  public enum Order: String, Sendable, Codable {
    /// Channel `(y * block + x) * c + i` is pixel `(y, x)` of channel `i`: ONNX's DCR, TensorFlow's.
    case depthLast = "dcr"
    /// Channel `(i * block + y) * block + x` is: ONNX's CRD, PyTorch's pixel shuffle (Shi et al. 2016).
    case depthFirst = "crd"
  }

  public static let kind = "depth_to_space"
  public var asOperator: Operator { .depthToSpace(self) }

  public var block: Int
  public var order: Order

  public init(block: Int, order: Order = .depthLast) {
    self.block = block
    self.order = order
  }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    let (height, width, channels) = try inputs[0].image()
    guard (1...1024).contains(block), channels % (block * block) == 0 else {
      throw CompressError("\(channels) channels are no blocks of \(block)x\(block) pixels")
    }
    return [try Shape(checking: [height * block, width * block, channels / (block * block)])]
  }

  public func rearrangement(_ inputs: [Shape]) -> Rearrangement? {
    let (height, width, all) = (inputs[0][0], inputs[0][1], inputs[0][2])
    let channels = all / (block * block)
    let (down, across, along) =
      order == .depthLast ? (block * channels, channels, 1) : (block, 1, block * block)
    return Rearrangement([
      (0..<height * block).map { $0 / block * width * all + $0 % block * down },
      (0..<width * block).map { $0 / block * all + $0 % block * across },
      (0..<channels).map { $0 * along },
    ])
  }

  public var preserves: Preserved { [.zero, .selection, .scale] }
  public var quantization: QuantizationRule { .ofInput }
  public func formatVersion(_ inputs: [Shape]) -> UInt32 { 3 }

  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling {
    let channels = outputs[0][2], pixels = block * block
    return ChannelCoupling(
      ties: (0..<channels * pixels).map { (.input(0, $0), .output(order == .depthLast ? $0 % channels : $0 / pixels)) })
  }
}

/// Blocks of pixels as blocks of channels: `[h, w, c]` → `[h / block, w / block, block * block * c]`, channel
/// `(y * block + x) * c + i` being pixel `(y, x)` of channel `i`.
public struct SpaceToDepth: RearrangingSpec {
  public static let kind = "space_to_depth"
  public var asOperator: Operator { .spaceToDepth(self) }

  public var block: Int

  public init(block: Int) { self.block = block }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    let (height, width, channels) = try inputs[0].image()
    guard (1...1024).contains(block), height % block == 0, width % block == 0 else {
      throw CompressError("an image of \(height)x\(width) pixels is no blocks of \(block)x\(block)")
    }
    return [try Shape(checking: [height / block, width / block, channels * block * block])]
  }

  public func rearrangement(_ inputs: [Shape]) -> Rearrangement? {
    let (height, width, channels) = (inputs[0][0], inputs[0][1], inputs[0][2])
    return Rearrangement([
      (0..<height / block).map { $0 * block * width * channels },
      (0..<width / block).map { $0 * block * channels },
      (0..<block).map { $0 * width * channels },
      (0..<block).map { $0 * channels },
      Array(0..<channels),
    ])
  }

  public var preserves: Preserved { [.zero, .selection, .scale] }
  public var quantization: QuantizationRule { .ofInput }
  public func formatVersion(_ inputs: [Shape]) -> UInt32 { 3 }

  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling {
    .carried(outputs[0][2], modulo: inputs[0][2])
  }
}
