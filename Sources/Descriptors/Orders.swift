import Kernels
import Network
import Tensors

extension ElementOrder {
  /// - Parameter input: the shape of one sample.
  public init(_ rearrangement: Rearrangement, over input: Shape) {
    self.init(inputCount: input.count, offsets: rearrangement.offsets)
  }
}
