import Testing

@testable import Tensors

@Suite struct PositionTests {
  @Test func takeAndPutAreInverse() throws {
    var random = SeededRandom(seed: 3)
    let tensor = Tensor(normal: [4, 5, 3], using: &random)
    let order = try tensor.reshaped([60]).argsorted()
    let sorted = try tensor.taking(order)
    #expect(sorted.array(Float.self) == tensor.array(Float.self).sorted())
    #expect(sorted.shape == [60])
    #expect(try Tensor(zeros: [4, 5, 3]).putting(sorted, at: order).array(Float.self) == tensor.array(Float.self))
    // Of a view, in the order of its own elements.
    let view = try tensor.transposed([2, 0, 1])
    #expect(try view.taking(Tensor([Int64(1)])).array(Float.self) == [tensor.array(Float.self)[3]])
  }

  @Test func elementsKeepTheirType() throws {
    let positions = Tensor([Int64(2), 0, 2])
    #expect(try Tensor([Int64(5), 6, 1 << 40]).taking(positions).array(Int64.self) == [1 << 40, 5, 1 << 40])
    #expect(try Tensor([UInt8(5), 6, 7]).taking(positions).array(UInt8.self) == [7, 5, 7])
    let put = try Tensor([Float(1), 2, 3]).putting(Tensor([Float(7), 8, 9]), at: positions)
    #expect(put.array(Float.self) == [8, 2, 9])
  }

  @Test func positionsBeyondWhatFloat32Counts() throws {
    let count = (1 << 24) + 8
    var flags = Tensor(zeros: [count], dtype: .uint8)
    flags.withMutable(UInt8.self) { $0[count - 2] = 1 }
    let order = try flags.argsorted(descending: true)
    #expect(try order.sliced(axis: 0, 0..<1).array(Int64.self) == [Int64(count - 2)])
    let from1 = try order.sliced(axis: 0, 0..<2).integers(adding: 1)
    #expect(from1.array(Int64.self) == [Int64(count - 1), 1])
    #expect(try flags.taking(from1.integers(adding: -1)).array(UInt8.self) == [1, 0])
    #expect(throws: (any Error).self) { try from1.converted(to: .float32).applying(.add, 100).integers(adding: -1) }
  }

  @Test func runningSums() throws {
    let tensor = Tensor((1...6).map(Float.init), [2, 3])
    #expect(try tensor.runningSums().array(Float.self) == [1, 3, 6, 10, 15, 21])
    #expect(try tensor.runningSums(axis: 0).array(Float.self) == [1, 2, 3, 5, 7, 9])
    #expect(try tensor.runningSums(axis: -1).array(Float.self) == [1, 3, 6, 4, 9, 15])
    #expect(try tensor.transposed().runningSums().array(Float.self) == [1, 5, 7, 12, 15, 21])
    #expect(try Tensor(zeros: [0]).runningSums().count == 0)
    // In float32 the ones would be lost.
    let small = Tensor([Float(1 << 25)] + [Float](repeating: 1, count: 8))
    #expect(try small.runningSums().array(Float.self).last == Float((1 << 25) + 8))
  }

  @Test func mistakesAreNamed() throws {
    func message(_ body: () throws -> Tensor) -> String {
      do {
        _ = try body()
        return ""
      } catch { return "\(error)" }
    }
    let tensor = Tensor([Float(1), 2])
    #expect(message { try tensor.taking(Tensor([Int64(2)])) }.contains("position 3 is outside a tensor of 2"))
    #expect(message { try tensor.taking(Tensor([Int64(-1)])) }.contains("position 0"))
    #expect(message { try tensor.putting(tensor, at: Tensor([Int64(0)])) }.contains("2 values for 1 positions"))
    #expect(message { try Tensor([Float(1.5)]).integers(adding: 1) }.contains("1.5 is no integer"))
    #expect(message { try tensor.runningSums(axis: 1) }.contains("axis 2"))
  }
}
