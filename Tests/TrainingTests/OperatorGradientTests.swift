import Network
import TestSupport
import Testing

@testable import Training

@Suite struct OperatorGradientTests {
  @Test(arguments: OperatorNetwork.all) func gradients(_ network: OperatorNetwork) throws {
    try checkGradients(network.graph, tolerance: 1e-3)
  }
}
