import Network
import Tensors
import Testing

// Each operator stands behind a convolution or dense layer, whose gradients are right only if the operator's input
// gradient is.
@Suite struct GradientTests {
  @Test func dense() throws {
    try checkGradients(
      built([5]) {
        $0.dense(7); $0.dense(3, bias: false); $0.dense(4)
      }, count: 3)
  }

  @Test func convolutionOfManyKinds() throws {
    try checkGradients(
      built([7, 6, 2]) {
        $0.conv2d(filters: 3, kernel: 3)
        $0.conv2d(filters: 5, kernel: 2, stride: 2, padding: .same, bias: false)
        $0.flatten()
        $0.dense(3)
      })
  }

  @Test func convolutionWithExplicitPaddingAndDilation() throws {
    let window = Window(
      Size2D(2, 3), stride: Size2D(1, 2), padding: .explicit(top: 1, left: 2, bottom: 0, right: 1),
      dilation: Size2D(2, 1))
    try checkGradients(
      built([5, 6, 3]) {
        $0.conv2d(filters: 2, kernel: 1)
        $0.add(.conv2d(Conv2D(filters: 3, window: window)), [$0.last])
        $0.flatten()
      })
  }

  @Test(arguments: [(2, 6), (3, 3), (3, 9)])
  func groupedConvolution(groups: Int, filters: Int) throws {
    try checkGradients(
      built([6, 5, 1]) {
        $0.conv2d(filters: groups * 2, kernel: 2)
        $0.conv2d(filters: filters, kernel: 3, padding: .same, groups: groups)
        $0.flatten()
      })
  }

  @Test(arguments: [1, 2, 3], [1, 2])
  func depthwiseConvolution(multiplier: Int, stride: Int) throws {
    try checkGradients(
      built([6, 5, 2]) {
        $0.conv2d(filters: 3, kernel: 1)
        $0.conv2d(filters: 3 * multiplier, kernel: 3, stride: stride, padding: .same, groups: 3)
        $0.flatten()
        $0.dense(2)
      })
  }

  @Test(arguments: [true, false])
  func batchNorm(isTraining: Bool) throws {
    try checkGradients(
      built([4, 3, 2]) {
        $0.conv2d(filters: 3, kernel: 2)
        $0.batchNorm()
        $0.activation(.relu)
        $0.flatten()
        $0.dense(5)
        $0.batchNorm(BatchNorm(epsilon: 0.1))
        $0.dense(2)
      }, count: 5, isTraining: isTraining, tolerance: 5e-4)
  }

  @Test(arguments: [.relu, .relu6, .sigmoid, .softmax, .hardSwish] as [Activation])
  func activation(function: Activation) throws {
    try checkGradients(
      built([9]) {
        $0.dense(12)
        $0.activation(function)
        $0.dense(7)
        $0.activation(function)
        $0.dense(3)
      }, count: 4)
  }

  @Test func activationsInARow() throws {
    try checkGradients(
      built([9]) {
        $0.dense(12)
        $0.activation(.sigmoid)
        $0.activation(.relu)
        $0.reshape([2, 6])
        $0.activation(.softmax)
        $0.flatten()
        $0.activation(.sigmoid)
        $0.dense(3)
      }, count: 4)
  }

  @Test func relu6ReachesItsTop() throws {
    try checkGradients(
      built([40]) {
        $0.dense(30)
        $0.dense(20)
        $0.activation(.relu6)
        $0.dense(2)
      }, count: 4, tolerance: 1e-3)
  }

  @Test(arguments: [Pool2D.Reduction.max, .average])
  func pooling(reduction: Pool2D.Reduction) throws {
    for window in [
      Window(Size2D(2), stride: Size2D(2)), Window(Size2D(3, 2), stride: Size2D(2, 1), padding: .same),
      Window(Size2D(3), stride: Size2D(1), padding: .explicit(top: 2, left: 0, bottom: 1, right: 1)),
      Window(Size2D(1), stride: Size2D(3)),
    ] {
      try checkGradients(
        built([5, 6, 1]) {
          $0.conv2d(filters: 3, kernel: 2)
          $0.add(.pool2d(Pool2D(reduction, window: window)), [$0.last])
          $0.flatten()
        })
    }
  }

  @Test func averagesThatCountPadding() throws {
    let window = Window(Size2D(3, 2), stride: Size2D(1, 2), padding: .explicit(top: 1, left: 1, bottom: 2, right: 0))
    try checkGradients(
      built([5, 6, 1]) {
        $0.conv2d(filters: 3, kernel: 2)
        $0.add(.pool2d(Pool2D(.average, window: window, countsPadding: true)), [$0.last])
        $0.flatten()
      })
  }

  @Test(arguments: [
    ([0, 0, 2], [0, 0, 1]), ([1, 0, 0], [0, 2, 0]), ([0, 1, 3], [2, 0, 0]), ([0, 0, 0], [0, 0, 0]),
  ])
  func padding(before: [Int], after: [Int]) throws {
    try checkGradients(
      built([4, 3, 2]) {
        let stem = $0.conv2d(filters: 2, kernel: 2)
        $0.pad(before: before, after: after)
        $0.conv2d(filters: 2, kernel: 2)
        let flat = $0.flatten()
        $0.flatten(from: stem)
        $0.concat([flat, $0.last])
      })
  }

  @Test func paddingOfVectors() throws {
    try checkGradients(
      built([4]) {
        $0.dense(3)
        $0.pad(before: [2], after: [1])
        $0.dense(2)
      })
  }

  @Test func dropoutThatDropsNothing() throws {
    for (rate, isTraining) in [(Float(0), true), (0.5, false)] {
      try checkGradients(
        built([4]) {
          $0.dense(5)
          $0.dropout(rate)
          $0.dense(2)
        }, isTraining: isTraining)
    }
  }

  @Test(arguments: [Pool2D.Reduction.max, .average])
  func globalPooling(reduction: Pool2D.Reduction) throws {
    try checkGradients(
      built([5, 6, 1]) {
        $0.conv2d(filters: 3, kernel: 2)
        $0.add(.globalPool(GlobalPool(reduction)), [$0.last])
        $0.dense(4)
      })
  }

  @Test func residualBranchesAddUp() throws {
    try checkGradients(
      built([4, 4, 2]) {
        let stem = $0.conv2d(filters: 3, kernel: 3, padding: .same)
        $0.activation(.relu)
        let branch = $0.conv2d(filters: 3, kernel: 3, padding: .same)
        $0.add(stem, branch)
        let sum = $0.activation(.relu)
        $0.add(sum, sum)
        $0.flatten()
      })
  }

  @Test func aValueReadByAllKindsOfLayers() throws {
    try checkGradients(
      built([3, 3, 2]) {
        let stem = $0.conv2d(filters: 2, kernel: 2)
        let relu = $0.activation(.relu, from: stem)
        let sigmoid = $0.activation(.sigmoid, from: stem)
        let shaped = $0.reshape([2, 2, 2], from: stem)
        let again = $0.activation(.relu6, from: shaped)
        let joined = $0.concat([relu, stem, sigmoid, again, stem])
        let flat = $0.flatten(from: joined)
        let stemFlat = $0.flatten(from: stem)
        $0.concat([flat, stemFlat])
        $0.dense(3)
      })
  }

  @Test func concatOfVectors() throws {
    try checkGradients(
      built([6]) {
        let a = $0.dense(2), b = $0.dense(3, from: "input"), c = $0.dense(1, from: a)
        $0.concat([b, a, c, "input"])
        $0.dense(2)
      })
  }

  @Test func whatTheScoresDoNotDependOnIsLeftAlone() throws {
    var net = GraphBuilder(input: [4])
    net.dense(3, name: "scores")
    net.dense(2, name: "unused")
    let open = try net.graph()
    let graph = try Graph(open.nodes, output: "scores")
    // The unused layer's numerical gradient is zero, and so must be ours.
    try checkGradients(graph)
  }

  @Test func softmaxAtTheOutputBelongsToTheLoss() throws {
    try checkGradients(
      built([4]) {
        $0.dense(3); $0.activation(.softmax)
      })
  }
}
