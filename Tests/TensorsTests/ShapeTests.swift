import Foundation
import Testing

@testable import Tensors

@Suite struct ShapeTests {
  @Test func stridesAndCounts() {
    #expect(Shape([2, 3, 4]).strides == [12, 4, 1])
    #expect(Shape([]).count == 1 && Shape([]).strides == [])
    #expect(Shape([2, 0, 4]).count == 0)
    #expect(Shape([3]).batched(2) == [2, 3])
    #expect("\(Shape([2, 3]))" == "[2, 3]")
  }

  @Test func sizesFromOutsideAreChecked() throws {
    #expect(try Shape(checking: [2, 3]) == [2, 3])
    #expect(message { _ = try Shape(checking: [2, -1]) } == "shape [2, -1] has a negative extent")
    #expect(message { _ = try Shape(checking: [1 << 20, 1 << 21]) }.contains("has more than 1099511627776 elements"))
    #expect(message { _ = try Shape(checking: [1, 1, 1, 1, 1, 1, 1, 1, 1]) } == "a shape has at most 8 axes, not 9")
    // An empty axis must not hide strides that overflow.
    #expect(throws: (any Error).self) { try Shape(checking: [0, 1 << 62, 1 << 62]) }
    #expect(throws: (any Error).self) { try Shape(checking: [1 << 62, 1 << 62, 0]) }
    #expect(throws: (any Error).self) { try JSONDecoder().decode([Shape].self, from: Data("[[3,-1]]".utf8)) }
  }

  @Test func broadcasting() throws {
    #expect(try Shape.broadcast([2, 1, 3], [4, 1]) == [2, 4, 3])
    #expect(try Shape.broadcast([], [2, 0]) == [2, 0])
    #expect(try Shape.broadcast([1], [0]) == [0])
    #expect(message { _ = try Shape.broadcast([2, 3], [2, 4]) } == "shapes [2, 3] and [2, 4] do not broadcast")
    #expect(throws: (any Error).self) { try Shape.broadcast([1 << 30, 1], [1, 1 << 30]) }
  }
}
