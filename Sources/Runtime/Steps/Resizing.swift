import Descriptors
import Kernels
import Network
import Tensors

extension PreparedStep {
  static func bilinear(_ resize: Resize, _ coding: IntegerCoding?, _ image: Shape) -> PreparedStep {
    let interpolation = Interpolation(resize, over: image)
    return coding.map { interpolation.step(from: $0.from, to: $0.to) } ?? interpolation.step
  }
}
