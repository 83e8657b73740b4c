import Kernels
import Network
import Tensors

extension ZeroPadding {
  /// - Parameter input: the shape of one sample.
  public init(_ zeros: InsertZeros, over input: Shape) {
    let positions = zeros.positions(input), channels = input[2]
    self.init(run: channels, starts: positions, outputCount: (positions.last ?? -channels) + channels)
  }

  public init(_ pad: Pad, over input: Shape) {
    self.init(shape: input.dims, before: pad.before, after: pad.after)
  }
}
