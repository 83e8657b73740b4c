import Foundation
import Testing

@testable import Network
import Tensors

private func shape(_ op: Operator, _ inputs: Shape...) throws -> Shape { try op.spec.outputShapes(inputs)[0] }

private func conv(
  _ filters: Int, _ window: Window = Window(Size2D(3)), groups: Int = 1
) -> Operator { .conv2d(Conv2D(filters: filters, window: window, groups: groups)) }

@Suite struct OperatorTests {
  @Test func convolution() throws {
    #expect(try shape(conv(12), [28, 28, 1]) == [26, 26, 12])
    #expect(try shape(conv(4, Window(Size2D(3), stride: Size2D(2), padding: .same)), [28, 27, 3]) == [14, 14, 4])
    #expect(try shape(conv(4, Window(Size2D(3), dilation: Size2D(2))), [7, 5, 3]) == [3, 1, 4])
    #expect(try shape(conv(4, Window(Size2D(2, 5), stride: Size2D(3, 1))), [9, 9, 1]) == [3, 5, 4])
    let padded = Window(Size2D(3), padding: .explicit(top: 1, left: 2, bottom: 0, right: 3))
    #expect(try shape(conv(1, padded), [4, 4, 1]) == [3, 7, 1])
    let depthwise = Conv2D(filters: 8, window: Window(Size2D(3)), groups: 4)
    #expect(depthwise.parameters([[5, 5, 4]]).map(\.shape) == [[8, 3, 3, 1], [8]])
    #expect(depthwise.macs([[5, 5, 4]], [[3, 3, 8]]) == 3 * 3 * 8 * 9)
    #expect(depthwise.isDepthwise(inputChannels: 4) && !depthwise.isDepthwise(inputChannels: 8))
  }

  @Test func convolutionsThatCannotBe() {
    #expect(
      message { _ = try shape(conv(1, Window(Size2D(5))), [3, 3, 1]) }
        == "window 5x5 is larger than its padded input 3x3")
    #expect(
      message { _ = try shape(conv(6, groups: 4), [8, 8, 8]) }
        == "8 input channels and 6 filters do not divide into 4 groups")
    #expect(message { _ = try shape(conv(1), [9]) } == "expects an image [height, width, channels], got shape [9]")
    #expect(message { _ = try shape(conv(0), [9, 9, 1]) } == "0 filters in 1 groups")
    #expect(
      message { _ = try shape(conv(1, Window(Size2D(3), stride: Size2D(0))), [9, 9, 1]) }
        == "stride 0x0 is out of range")
    let negative = Window(Size2D(3), padding: .explicit(top: -1, left: 0, bottom: 0, right: 0))
    #expect(message { _ = try shape(conv(1, negative), [9, 9, 1]) } == "padding -1 is out of range")
    for window in [
      Window(Size2D(.max)), Window(Size2D(3), dilation: Size2D(.max)), Window(Size2D(3), stride: Size2D(.max)),
    ] {
      #expect(message { _ = try shape(conv(1, window), [9, 9, 1]) }.contains("is out of range"))
    }
    #expect(message { _ = try shape(conv(.max), [9, 9, 1]) }.contains("elements"))
    #expect(
      message { _ = try shape(conv(1 << 30, Window(Size2D(1 << 10))), [1 << 10, 1 << 10, 1]) }.contains("elements"))
  }

  @Test func samePadding() {
    #expect(Window(Size2D(3), stride: Size2D(2), padding: .same).pads(height: 28, width: 27) == (0, 1, 1, 1))
    #expect(Window(Size2D(3), padding: .same, dilation: Size2D(2)).pads(height: 5, width: 5) == (2, 2, 2, 2))
    #expect(Window(Size2D(1), stride: Size2D(3), padding: .same).pads(height: 10, width: 9) == (0, 0, 0, 0))
    #expect(Window(Size2D(2), padding: .same).pads(height: 4, width: 4) == (0, 0, 1, 1))
  }

  @Test func pooling() throws {
    let pool = Operator.pool2d(Pool2D(.max, window: Window(Size2D(2), stride: Size2D(2))))
    #expect(try shape(pool, [26, 27, 12]) == [13, 13, 12])
    let same = Operator.pool2d(Pool2D(.average, window: Window(Size2D(3), stride: Size2D(2), padding: .same)))
    #expect(try shape(same, [7, 8, 2]) == [4, 4, 2])
    let wide = Window(Size2D(2), padding: .explicit(top: 2, left: 0, bottom: 0, right: 0))
    #expect(
      message { _ = try shape(.pool2d(Pool2D(.max, window: wide)), [4, 4, 1]) }
        == "padding 2, 0, 0, 0 (top, left, bottom, right) is not smaller than the pooling window 2x2")
    let still = Window(Size2D(2), stride: Size2D(0), padding: .same)
    #expect(message { _ = try shape(.pool2d(Pool2D(.max, window: still)), [4, 4, 1]) } == "stride 0x0 is out of range")
    let dilated = Window(Size2D(2), dilation: Size2D(2))
    #expect(
      message { _ = try shape(.pool2d(Pool2D(.max, window: dilated)), [4, 4, 1]) } == "pooling windows are not dilated")
    #expect(try shape(.globalPool(GlobalPool(.max)), [7, 5, 3]) == [3])
    #expect(throws: (any Error).self) { try shape(.globalPool(GlobalPool(.max)), [7]) }
  }

  @Test func padding() throws {
    #expect(try shape(.pad(Pad(before: [1, 0, 2], after: [0, 3, 1])), [4, 5, 6]) == [5, 8, 9])
    #expect(
      message { _ = try shape(.pad(Pad(before: [1], after: [1])), [4, 5]) } == "pads 1 and 1 axes of shape [4, 5]")
    #expect(message { _ = try shape(.pad(Pad(before: [-1], after: [0])), [4]) } == "padding -1 is out of range")
    #expect(message { _ = try shape(.pad(Pad(before: [.max], after: [.max])), [4]) }.hasSuffix("is out of range"))
    let maximum = Pool2D(.max, window: Window(Size2D(2)), countsPadding: true)
    #expect(message { _ = try shape(.pool2d(maximum), [4, 4, 1]) } == "padding has no part in a maximum")
    #expect(try shape(.dropout(Dropout(rate: 0.5)), [4, 5]) == [4, 5])
    #expect(message { _ = try shape(.dropout(Dropout(rate: 1)), [4]) } == "rate 1.0 is not from 0 to below 1")
  }

  @Test func poolsReadAndWritten() throws {
    for pool in [
      Pool2D(.max, window: Window(Size2D(2))), Pool2D(.average, window: Window(Size2D(3)), countsPadding: true),
    ] {
      let data = try JSONEncoder().encode(Operator.pool2d(pool))
      #expect(try JSONDecoder().decode(Operator.self, from: data) == .pool2d(pool))
      #expect(String(decoding: data, as: UTF8.self).contains("counts_padding") == pool.countsPadding)
    }
    for op in [Operator.pad(Pad(before: [0, 1], after: [2, 0])), .dropout(Dropout(rate: 0.25))] {
      #expect(try JSONDecoder().decode(Operator.self, from: JSONEncoder().encode(op)) == op)
    }
  }

  @Test func denseAndNorm() throws {
    #expect(try shape(.dense(Dense(units: 10)), [2028]) == [10])
    #expect(try shape(.dense(Dense(units: 10)), [2, 3]) == [2, 10])
    #expect(Dense(units: 10).parameters([[2, 3]]).map(\.shape) == [[10, 3], [10]])
    #expect(Dense(units: 10).macs([[2, 3]], [[2, 10]]) == 60)
    #expect(message { _ = try shape(.dense(Dense(units: 10)), []) } == "expects at least one axis, got a scalar")
    #expect(message { _ = try shape(.dense(Dense(units: -1)), [2]) } == "-1 units")
    #expect(throws: (any Error).self) { try shape(.dense(Dense(units: 1 << 40)), [2]) }
    #expect(Dense(units: 4, hasBias: false).parameters([[3]]).map(\.role) == [.weight])
    #expect(try shape(.batchNorm(BatchNorm()), [4, 5, 6]) == [4, 5, 6])
    #expect(BatchNorm().parameters([[4, 5, 6]]).map(\.shape) == [[6], [6], [6], [6]])
    for bad in [BatchNorm(epsilon: 0), BatchNorm(epsilon: .nan), BatchNorm(epsilon: .infinity), BatchNorm(momentum: 1)]
    {
      #expect(message { _ = try shape(.batchNorm(bad), [3]) }.contains("is out of range"))
    }
    #expect(throws: (any Error).self) { try shape(.batchNorm(BatchNorm()), []) }
  }

  @Test func structure() throws {
    #expect(try shape(.add(Add()), [2, 3], [2, 3]) == [2, 3])
    #expect(try shape(.add(Add()), [2, 3], [3]) == [2, 3] && shape(.add(Add()), [2, 1, 3], [4, 1]) == [2, 4, 3])
    #expect(message { _ = try shape(.add(Add()), [2, 3], [2]) } == "cannot add shapes [2, 3] and [2]")
    #expect(try shape(.concat(Concat(axis: 0)), [4, 4, 3], [2, 4, 3]) == [6, 4, 3])
    #expect(
      message { _ = try shape(.concat(Concat(axis: 3)), [4, 4, 3], [4, 4, 3]) }
        == "cannot concatenate shapes of 3 axes along axis 3")
    #expect(try shape(.concat(Concat()), [4, 4, 3], [4, 4, 5], [4, 4, 1]) == [4, 4, 9])
    #expect(
      message { _ = try shape(.concat(Concat()), [4, 4, 3], [4, 5, 3]) }
        == "cannot concatenate shapes [4, 4, 3] and [4, 5, 3] along their channels")
    #expect(throws: (any Error).self) { try shape(.concat(Concat()), [], []) }
    #expect(try shape(.flatten(Flatten()), [4, 3, 2]) == [24] && shape(.flatten(Flatten()), []) == [1])
    #expect(try shape(.reshape(Reshape([2, 12])), [4, 3, 2]) == [2, 12])
    #expect(message { _ = try shape(.reshape(Reshape([5])), [4]) } == "cannot reshape [4] (4 elements) to [5] (5)")
    #expect(message { _ = try shape(.input(Input([3, 0]))) } == "empty input of shape [3, 0]")
    #expect(throws: (any Error).self) { try shape(.activation(.softmax), []) }
    #expect(Activation.relu6.clampRange == 0...6 && Activation.sigmoid.clampRange == nil)
  }
}
