import Network
import TestSupport
import Testing

@testable import Training

/// Gradients where values have several readers, sources that are no input, or weights that are used twice.
@Suite struct ValueGradientTests {
  @Test func severalInputsAndOutputs() throws { try checkGradients(ValueNetworks.several()) }

  @Test func oneConvolutionAtTwoPlaces() throws { try checkGradients(ValueNetworks.shared()) }

  @Test func gates() throws { try checkGradients(ValueNetworks.gated(), tolerance: 1e-3) }

  @Test func productsOfAValueWithItselfAndOthers() throws {
    var net = GraphBuilder(input: [3, 4, 2])
    net.dense(3, name: "rows")
    net.mul("rows", "rows", name: "square")
    let column = net.constant([4, 1], isTrained: true, name: "column")
    net.mul(column, "square", name: "scaled")
    net.flatten()
    net.dense(3, name: "scores")
    try checkGradients(net.graph())
  }

  @Test func constantsAndBroadcastSums() throws {
    var net = GraphBuilder(input: [3, 4, 2])
    let positions = net.constant([3, 4, 2], isTrained: true, name: "positions")
    net.add("input", positions, name: "placed")
    net.dense(3, name: "rows")
    let row = net.constant([3], isTrained: true, name: "row")
    net.add(row, "rows", name: "shifted")
    let column = net.constant([4, 1], isTrained: true, name: "column")
    net.add("shifted", column, name: "again")
    let token = net.constant([3, 1, 3], isTrained: true, name: "token")
    net.concat(["again", token], axis: 1, name: "joined")
    net.flatten()
    net.dense(3, name: "scores")
    try checkGradients(net.graph())
  }
}
