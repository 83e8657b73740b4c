import Kernels
import Network
import Tensors

extension StatisticNormalization {
  /// - Parameter shape: of one sample.
  public init(_ norm: SampleNorm, over shape: Shape) {
    let channels = shape.dims.last!
    let statistic: Statistic =
      switch norm.statistic {
      case .variance: .variance
      case .meanSquare: .meanSquare
      case .length: .length
      }
    self.init(
      statistic, positions: shape.count / max(channels, 1), channels: channels, groups: norm.groups,
      epsilon: norm.epsilon)
  }
}
