import Descriptors
import Kernels
import Network

extension PreparedStep {
  /// A function of two values, element by element, with what is fused into it.
  static func pairs(
    _ function: PairFunction, _ operation: Program.Operation, _ coding: IntegerCoding?, _ inputs: [Program.Value]
  ) throws -> PreparedStep {
    let broadcast = try Broadcast(inputs[0].shape, inputs[1].shape)
    guard let coding else { return broadcast.step(function, clamp: .init(operation.clamp)) }
    return broadcast.step(
      function, coding.inputs[0], coding.inputs[1], to: coding.to, clamp: coding.to.codes(of: operation.clamp))
  }
}
