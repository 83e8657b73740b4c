import Network

/// Networks whose values do not form one chain from one input to one output.
public enum ValueNetworks {
  /// Two inputs and three outputs, one of which a later layer reads as well; a constant that is broadcast, a trained
  /// one that is joined along another axis than the channels, and a dense layer over vectors in rows.
  public static func several() throws -> Graph {
    var net = GraphBuilder(input: [6, 6, 2])
    let stem = net.conv2d(filters: 4, kernel: 3, padding: .same, name: "stem")
    let other = net.input([4], name: "other")
    net.add(stem, other, name: "shifted")
    let features = net.activation(.relu, name: "features")
    net.globalAveragePool(name: "mean")
    let scores = net.dense(5, name: "scores")
    net.reshape([36, 4], from: features, name: "rows")
    let token = net.constant([1, 4], isTrained: true, name: "token")
    net.concat([token, "rows"], axis: 0, name: "tokens")
    let offset = net.constant([4], name: "offset")
    net.add("tokens", offset, name: "placed")
    net.dense(3, name: "each")
    return try net.graph(outputs: [scores, "each", features])
  }

  /// One convolution at two places, with a batch norm behind each.
  public static func shared() throws -> Graph {
    var net = GraphBuilder(input: [6, 6, 2])
    net.conv2d(filters: 4, kernel: 3, padding: .same, name: "stem")
    net.activation(.relu, name: "first")
    let conv = Conv2D(filters: 4, window: Window(Size2D(3), padding: .same))
    net.add(.conv2d(conv), ["first"], name: "once")
    net.activation(.relu, name: "second")
    net.add(.conv2d(conv), ["second"], name: "again", sharing: "once")
    net.activation(.relu, name: "third")
    net.globalAveragePool(name: "mean")
    net.dense(5, name: "scores")
    return try net.graph()
  }

  /// Two convolutions, each behind a gate of squeeze-and-excitation, with hard_swish, as MobileNetV3 has them.
  public static func gated() throws -> Graph {
    var net = GraphBuilder(input: [6, 6, 2])
    for (block, filters) in [6, 8].enumerated() {
      net.conv2d(filters: filters, kernel: 3, padding: .same, bias: false, name: "conv\(block)")
      net.batchNorm(name: "norm\(block)")
      let image = net.activation(.hardSwish, name: "image\(block)")
      net.globalAveragePool(name: "squeeze\(block)")
      net.dense(3, name: "reduce\(block)")
      net.activation(.relu)
      net.dense(filters, name: "expand\(block)")
      let gate = net.activation(.sigmoid, name: "gate\(block)")
      net.mul(image, gate, name: "scaled\(block)")
    }
    net.globalAveragePool(name: "mean")
    net.dense(5, name: "scores")
    return try net.graph()
  }
}
