import Network
import Tensors

/// What the weights of a convolution or dense layer are multiplied with, at single places of its output.
public struct LayerPatches: Sendable {
  public let groups: Int
  /// Weights of one filter.
  public let depth: Int
  /// Places at which the weights are used: the pixels of a convolution's output; a dense layer over an image or tokens
  /// is used at each pixel or token.
  public let pixels: Int
  /// Of the layer's input.
  public let shape: Shape

  private let window: Window?  // nil: a dense layer
  /// How far apart the pixels of a transposed convolution's input lie; zeros are between them.
  private let spacing: Size2D
  private let columns: Int  // of the output

  /// - Parameter node: a convolution or dense layer of the graph.
  public init(_ graph: Graph, _ node: Node) {
    shape = graph.inputShapes(of: node)[0]
    if case .conv2d(let conv) = node.op {
      let output = graph.shape(of: node.name)
      window = conv.window
      spacing = conv.inputDilation
      groups = conv.groups
      depth = conv.window.size.height * conv.window.size.width * shape[2] / conv.groups
      pixels = output[0] * output[1]
      columns = output[1]
    } else {
      window = nil
      spacing = Size2D(1)
      groups = 1
      depth = shape.dims.last ?? 1
      pixels = shape.count / max(depth, 1)
      columns = 1
    }
  }

  /// Writes what the weights of `range` are multiplied with at one place, where it is not zero.
  ///
  /// - Parameters:
  ///   - elements: the layer's input for some samples.
  ///   - rows: zeros, `width` of them for each row, as many as `range` has unless told otherwise.
  public func gather(
    _ elements: UnsafeBufferPointer<Float>, image: Int, pixel: Int, group: Int, _ range: Range<Int>,
    into rows: inout [Float], at row: Int, width: Int? = nil
  ) {
    rows.withUnsafeMutableBufferPointer {
      gather(
        elements, image: image, pixel: pixel, group: group, range,
        into: $0.baseAddress! + row * (width ?? range.count))
    }
  }

  /// The same for one row of zeros.
  public func gather(
    _ elements: UnsafeBufferPointer<Float>, image: Int, pixel: Int, group: Int, _ range: Range<Int>,
    into row: UnsafeMutablePointer<Float>
  ) {
    let base = elements.baseAddress! + image * shape.count
    guard let window else { return row.update(from: base + pixel * depth + range.lowerBound, count: range.count) }
    let height = shape[0], across = shape[1], channels = shape[2]
    let perGroup = channels / groups
    let pads = window.pads(height: (height - 1) * spacing.height + 1, width: (across - 1) * spacing.width + 1)
    let top = pixel / columns * window.stride.height - pads.top
    let left = pixel % columns * window.stride.width - pads.left
    // The channels of a tap lie side by side.
    var i = range.lowerBound
    while i < range.upperBound {
      let (tap, channel) = i.quotientAndRemainder(dividingBy: perGroup)
      let run = min(perGroup - channel, range.upperBound - i)
      defer { i += run }
      let y = top + tap / window.size.width * window.dilation.height
      let x = left + tap % window.size.width * window.dilation.width
      guard y >= 0, x >= 0, y % spacing.height == 0, x % spacing.width == 0 else { continue }
      let (line, column) = (y / spacing.height, x / spacing.width)
      guard line < height, column < across else { continue }
      let place = base + (line * across + column) * channels + group * perGroup + channel
      (row + i - range.lowerBound).update(from: place, count: run)
    }
  }
}
