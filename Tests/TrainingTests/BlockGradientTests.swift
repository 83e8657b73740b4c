import Network
import Tensors
import Testing

/// The blocks that networks are made of, whole.
@Suite struct BlockGradientTests {
  /// He et al. 2016, with a projection where the size changes.
  static func residual(_ net: inout GraphBuilder, filters: Int, stride: Int) {
    let start = net.last
    net.conv2d(filters: filters, kernel: 3, stride: stride, padding: .same, bias: false)
    net.batchNorm()
    net.activation(.relu)
    net.conv2d(filters: filters, kernel: 3, padding: .same, bias: false)
    let branch = net.batchNorm()
    var shortcut = start
    if stride != 1 {
      net.conv2d(filters: filters, kernel: 1, stride: stride, padding: .same, bias: false, from: start)
      shortcut = net.batchNorm()
    }
    net.add(branch, shortcut)
    net.activation(.relu)
  }

  static func residualNetwork() throws -> Graph {
    try built([6, 6, 2]) {
      $0.conv2d(filters: 3, kernel: 3, padding: .same, bias: false)
      $0.batchNorm()
      $0.activation(.relu)
      residual(&$0, filters: 3, stride: 1)
      residual(&$0, filters: 4, stride: 2)
      $0.globalAveragePool()
      $0.dense(3)
      $0.activation(.softmax)
    }
  }

  /// Sandler et al. 2018: expand, depthwise, project, add.
  static func invertedResidualNetwork() throws -> Graph {
    try built([6, 6, 2]) {
      $0.conv2d(filters: 3, kernel: 1, bias: false)
      let start = $0.batchNorm()
      $0.conv2d(filters: 6, kernel: 1, bias: false)
      $0.batchNorm()
      $0.activation(.relu6)
      $0.conv2d(filters: 6, kernel: 3, padding: .same, groups: 6, bias: false)
      $0.batchNorm()
      $0.activation(.relu6)
      $0.conv2d(filters: 3, kernel: 1, bias: false)
      let end = $0.batchNorm()
      $0.add(end, start)
      $0.globalAveragePool()
      $0.dense(3)
    }
  }

  /// Szegedy et al. 2015: branches of different windows, joined.
  static func inceptionNetwork() throws -> Graph {
    try built([7, 7, 2]) {
      let start = $0.conv2d(filters: 3, kernel: 3, bias: false)
      func unit(_ net: inout GraphBuilder, _ filters: Int, _ kernel: Int, from: String) -> String {
        net.conv2d(filters: filters, kernel: kernel, padding: .same, bias: false, from: from)
        net.batchNorm()
        return net.activation(.relu)
      }
      let one = unit(&$0, 2, 1, from: start)
      let inner = unit(&$0, 2, 1, from: start)
      let three = unit(&$0, 3, 3, from: inner)
      let five = unit(&$0, 1, 5, from: start)
      let pooled = $0.averagePool(3, stride: 1, padding: .same, from: start)
      let last = unit(&$0, 2, 1, from: pooled)
      $0.concat([one, three, five, last])
      $0.maxPool(2)
      $0.flatten()
      $0.dense(3)
    }
  }

  @Test func residualBlocksWithBatchNorm() throws {
    try checkGradients(Self.residualNetwork(), count: 4, tolerance: 2e-3)
  }

  @Test func depthwiseBlock() throws {
    try checkGradients(Self.invertedResidualNetwork(), count: 4, tolerance: 2e-3)
  }

  @Test func inceptionBlock() throws {
    try checkGradients(Self.inceptionNetwork(), count: 4, tolerance: 2e-3)
  }
}
