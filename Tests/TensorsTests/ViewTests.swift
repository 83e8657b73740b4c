import Testing

@testable import Tensors

@Suite struct ViewTests {
  let counting = Tensor((0..<24).map(Float.init), [2, 3, 4])

  @Test func slicesAndSelections() throws {
    #expect(
      try counting.sliced(axis: 1, 1..<3).array()
        == [4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23].map(Float.init))
    #expect(try counting.selected(axis: -1, 3).array() == [3, 7, 11, 15, 19, 23] as [Float])
    #expect(try counting.sliced(axis: 0, 1..<1).shape == [0, 3, 4])
    #expect(
      message { _ = try counting.sliced(axis: 1, 2..<4) } == "elements 3 to 4 are outside axis 2 of shape [2, 3, 4]")
    #expect(message { _ = try counting.selected(axis: 0, 2) } == "index 3 is outside axis 1 of shape [2, 3, 4]")
    #expect(message { _ = try counting.sliced(axis: 3, 0..<1) } == "axis 4 is outside a tensor of shape [2, 3, 4]")
  }

  @Test func transposing() throws {
    let turned = try counting.transposed([2, 0, 1])
    #expect(turned.shape == [4, 2, 3] && !turned.isContiguous)
    for index in indices(turned.shape) {
      #expect(element(turned, index) == element(counting, [index[1], index[2], index[0]]))
    }
    #expect(try counting.transposed().shape == [4, 3, 2])
    #expect(try turned.transposed([1, 2, 0]).array() == counting.array(Float.self))
    #expect(message { _ = try counting.transposed([0, 0, 1]) }.contains("[1, 1, 2] is no permutation of the 3 axes"))
  }

  @Test func reshaping() throws {
    #expect(try counting.reshaped([4, -1]).shape == [4, 6])
    #expect(try counting.transposed().reshaped([24]).array()[1] as Float == 12)
    #expect(try Tensor(zeros: [0, 3]).reshaped([-1]).shape == [0])
    #expect(message { _ = try counting.reshaped([5, 5]) } == "cannot reshape [2, 3, 4] (24 elements) to [5, 5] (25)")
    #expect(throws: (any Error).self) { try counting.reshaped([-1, -1]) }
    #expect(throws: (any Error).self) { try counting.reshaped([5, -1]) }
    #expect(throws: (any Error).self) { try Tensor(zeros: [0]).reshaped([0, -1]) }
  }

  @Test func stretching() throws {
    let stretched = try Tensor([1, 2] as [Float], [2, 1]).broadcast(to: [2, 2, 3])
    #expect(stretched.array() == [1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2] as [Float])
    #expect(try Tensor(scalar: 4).broadcast(to: [2]).array() == [4, 4] as [Float])
    #expect(message { _ = try counting.broadcast(to: [3, 4]) } == "shape [2, 3, 4] does not broadcast to [3, 4]")
  }

  @Test func gatheringAndConcatenating() throws {
    #expect(
      try counting.gathered(axis: 1, [2, 0, 2]).selected(axis: 0, 0).array()
        == [8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11].map(Float.init))
    #expect(try counting.gathered(axis: 2, []).shape == [2, 3, 0])
    for wrong in [-1, 3, Int.max, Int.min] {
      #expect(
        message { _ = try counting.gathered(axis: 1, [wrong]) }
          == "index \(wrong &+ 1) is outside axis 2 of shape [2, 3, 4]"
      )
    }
    #expect(
      try counting.gathered(first: [1], last: [3, 0]).array() == [15, 12, 19, 16, 23, 20] as [Float])
    #expect(try counting.gathered(first: [], last: [0]).shape == [0, 3, 1])
    #expect(
      message { _ = try counting.gathered(first: [0], last: [4]) } == "index 5 is outside axis 3 of shape [2, 3, 4]")
    #expect(
      message { _ = try counting.gathered(first: [2], last: [0]) } == "index 3 is outside axis 1 of shape [2, 3, 4]")
    let bytes = Tensor((0..<6).map { UInt8($0) }, [3, 2])
    #expect(try bytes.gathered(first: [2, 0], last: [1]).array() == [5, 1] as [UInt8])
    #expect(message { _ = try Tensor(zeros: [3]).gathered(first: [0], last: [0]) }.contains("no first and last axis"))
    let turned = try counting.transposed([0, 2, 1])
    let parts = [try turned.sliced(axis: 1, 0..<1), try turned.sliced(axis: 1, 1..<4)]
    #expect(try Tensor.concatenated(parts, axis: 1).array() == turned.array(Float.self))
    #expect(throws: (any Error).self) { try Tensor.concatenated([], axis: 0) }
    #expect(
      message { _ = try Tensor.concatenated([Tensor(zeros: [2, 3]), Tensor(zeros: [2, 4])], axis: 0) }
        == "cannot concatenate [2, 4] with [2, 3] along axis 0")
    #expect(throws: (any Error).self) {
      try Tensor.concatenated([Tensor(zeros: [2]), Tensor(zeros: [2], dtype: .int8)], axis: 0)
    }
  }

  @Test func writingCopiesWhatIsShared() throws {
    var a = counting
    let b = try a.sliced(axis: 0, 0..<1)
    a.withMutable(Float.self) { $0[0] = 100 }
    #expect(b.array()[0] as Float == 0 && counting.array()[0] as Float == 0 && a.array()[0] as Float == 100)
    var stretched = try Tensor(scalar: 1).broadcast(to: [3])
    stretched.withMutable(Float.self) { $0[1] = 5 }
    #expect(stretched.array() == [1, 5, 1] as [Float])
    var turned = try a.transposed()
    turned.withMutable(Float.self) { $0[1] = -1 }
    #expect(element(turned, [0, 0, 1]) == -1 && element(a, [1, 0, 0]) == 12)
  }

  @Test func borrowedBytesAreNeverWritten() throws {
    final class Owner {
      let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 16)
      deinit { bytes.deallocate() }
    }
    let owner = Owner()
    for i in 0..<4 { owner.bytes.storeBytes(of: Float(i), toByteOffset: i * 4, as: Float.self) }
    let bytes = UnsafeRawBufferPointer(owner.bytes)
    var tensor = try Tensor(borrowing: bytes, owner: owner, shape: [2, 2], dtype: .float32)
    #expect(tensor.array() == [0, 1, 2, 3] as [Float])
    tensor.withMutable(Float.self) { $0[0] = 9 }
    #expect(tensor.array()[0] as Float == 9 && bytes.load(as: Float.self) == 0)
    #expect(throws: (any Error).self) { try Tensor(borrowing: bytes, owner: owner, shape: [3], dtype: .float32) }
    let odd = UnsafeRawBufferPointer(rebasing: bytes[1..<5])
    #expect(throws: (any Error).self) { try Tensor(borrowing: odd, owner: owner, shape: [1], dtype: .float32) }
    let none = UnsafeRawBufferPointer(start: nil, count: 0)
    #expect(try Tensor(borrowing: none, owner: owner, shape: [0], dtype: .float32).array() == [] as [Float])
  }
}
