import Kernels
import Network
import Tensors

extension Interpolation {
  /// - Parameter image: the shape of one sample.
  public init(_ resize: Resize, over image: Shape) {
    self.init(
      height: image[0], width: image[1], channels: image[2], rows: resize.taps(image, axis: 0),
      columns: resize.taps(image, axis: 1))
  }
}
