import Descriptors
import Kernels
import Network
import Tensors

extension PreparedStep {
  static func bilinear(_ resize: Resize, _ image: Shape) -> PreparedStep { Interpolation(resize, over: image).step }
}
