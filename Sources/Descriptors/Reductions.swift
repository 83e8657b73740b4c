import Kernels
import Network
import Tensors

extension AxisReduction {
  /// - Parameter input: the shape of one sample.
  public init(_ reduce: Reduce, over input: Shape) {
    let (within, starts) = reduce.elements(input)
    let function: Function =
      switch reduce.function {
      case .mean: .mean
      case .sum: .sum
      case .max: .max
      case .min: .min
      }
    self.init(function, inputCount: input.count, starts: starts.sources, within: within.sources)
  }
}

extension PreparedStep {
  /// - Parameter input: the shape of one sample.
  public static func argMax(_ argMax: ArgMax, _ input: Shape) -> PreparedStep {
    .argMax(
      outer: input.dims[..<argMax.axis].reduce(1, *), extent: input[argMax.axis],
      inner: input.dims[(argMax.axis + 1)...].reduce(1, *))
  }
}
