import Foundation
import Testing

@testable import Tensors

/// Each operation written a second time, for one pair of numbers.
private func reference(_ operation: UnaryOperation, _ x: Float) -> Float {
  switch operation {
  case .neg: 0 - x
  case .abs: x < 0 ? -x : x
  case .sign: x.isNaN ? .nan : x == 0 ? 0 : Float(x.sign == .minus ? -1 : 1)
  case .square: x * x
  case .sqrt: Foundation.sqrt(x)
  case .exp: Foundation.exp(x)
  case .log: Foundation.log(x)
  case .reciprocal: 1 / x
  case .floor: Foundation.floor(x)
  case .ceil: Foundation.ceil(x)
  case .round: Foundation.rint(x)
  case .sigmoid: 1 / (1 + Foundation.exp(-x))
  case .tanh: Foundation.tanh(x)
  case .relu: x.isNaN ? .nan : Swift.max(x, 0)
  }
}

private func reference(_ operation: BinaryOperation, _ x: Float, _ y: Float) -> Float {
  let unordered = x.isNaN || y.isNaN
  return switch operation {
  case .add: x + y
  case .sub: x - y
  case .mul: x * y
  case .div: x / y
  case .pow: Foundation.pow(x, y)
  case .min: unordered ? .nan : Swift.min(x, y)
  case .max: unordered ? .nan : Swift.max(x, y)
  case .gt: x > y ? 1 : 0
  case .ge: x >= y ? 1 : 0
  case .lt: x < y ? 1 : 0
  case .le: x <= y ? 1 : 0
  case .eq: x == y ? 1 : 0
  case .ne: x == y ? 0 : 1
  }
}

@Suite struct OperationTests {
  static let special: [Float] = [
    0, -0.0, 0.5, 1.5, 2.5, -0.5, -1.5, 1, -1, .infinity, -.infinity, .nan, 1e30, .leastNormalMagnitude / 8,
    8_388_607.5, -8_388_607.5, 4_194_304.5, 8_388_609, 2_097_151.75,
  ]

  @Test(arguments: UnaryOperation.allCases) func unary(_ operation: UnaryOperation) throws {
    for tensor in try awkwardTensors() + [Tensor(Self.special)] {
      let result = tensor.applying(operation)
      #expect(result.shape == tensor.shape)
      #expect(same(result.array(), tensor.array().map { reference(operation, $0) }))
    }
  }

  @Test(arguments: BinaryOperation.allCases) func binary(_ operation: BinaryOperation) throws {
    let tensors = try awkwardTensors() + [Tensor(Self.special, [19, 1]), Tensor(Self.special)]
    var pairs = 0
    for a in tensors {
      for b in tensors {
        guard let target = try? Shape.broadcast(a.shape, b.shape) else {
          #expect(message { _ = try a.applying(operation, b) } == "shapes \(a.shape) and \(b.shape) do not broadcast")
          continue
        }
        pairs += 1
        let result = try a.applying(operation, b).converted(to: .float32)
        #expect(result.shape == target)
        let x = try a.broadcast(to: target).array(Float.self), y = try b.broadcast(to: target).array(Float.self)
        #expect(same(result.array(), zip(x, y).map { reference(operation, $0, $1) }), "\(a.shape) \(b.shape)")
      }
    }
    #expect(pairs > 60)
    #expect(
      try tensors[5].applying(operation, 2).converted(to: .float32).array()
        == tensors[5].array().map { reference(operation, $0, 2) })
  }

  @Test func typesAreConverted() throws {
    let integers = Tensor([1, -2, 3] as [Int8]), halves = Tensor([0.5, 1, 2] as [Float]).converted(to: .float16)
    let sum = try integers.applying(.add, halves)
    #expect(sum.dtype == .float32 && sum.array() == [1.5, -1, 5] as [Float])
    #expect(integers.applying(.abs).array() == [1, 2, 3] as [Float])
    #expect(try integers.applying(.gt, 0).dtype == .uint8)
  }

  @Test func clamping() throws {
    let values = Tensor([-5, 0.5, 7, .nan, .infinity] as [Float])
    #expect(same(try values.clamped(-1, 2).array(), [-1, 0.5, 2, .nan, 2]))
    #expect(same(try values.clamped(0, .infinity).array(), [0, 0.5, 7, .nan, .infinity]))
    #expect(message { _ = try values.clamped(2, 1) } == "cannot clamp to the range 2.0 to 1.0")
    #expect(throws: (any Error).self) { try values.clamped(.nan, 1) }
  }

  @Test func logic() throws {
    let a = Tensor([0, 0, 1, 2] as [UInt8]), b = Tensor([0, 4, 0, 1] as [UInt8])
    #expect(try a.applying(.and, b).array() == [0, 0, 0, 1] as [UInt8])
    #expect(try a.applying(.or, b).array() == [0, 1, 1, 1] as [UInt8])
    #expect(try a.applying(.xor, b).array() == [0, 1, 1, 0] as [UInt8])
    #expect(try a.negated().array() == [1, 1, 0, 0] as [UInt8])
    let grid = try a.reshaped([4, 1]).applying(.or, Tensor([0, 1] as [UInt8]))
    #expect(grid.shape == [4, 2] && grid.array() == [0, 1, 0, 1, 1, 1, 1, 1] as [UInt8])
    #expect(message { _ = try a.applying(.and, Tensor(zeros: [4])) }.contains("got float32 of shape [4]"))
    #expect(throws: (any Error).self) { try Tensor(zeros: [1]).negated() }
  }

  @Test func selecting() throws {
    let condition = try Tensor([1, 0] as [UInt8]).reshaped([2, 1])
    let chosen = try Tensor.select(condition, Tensor([1, 2, 3] as [Float]), Tensor(scalar: -1))
    #expect(chosen.shape == [2, 3] && chosen.array() == [1, 2, 3, -1, -1, -1] as [Float])
    #expect(throws: (any Error).self) { try Tensor.select(condition, Tensor(zeros: [3]), Tensor(zeros: [4])) }
    #expect(throws: (any Error).self) { try Tensor.select(Tensor(zeros: [2]), Tensor(zeros: [2]), Tensor(zeros: [2])) }
  }
}
