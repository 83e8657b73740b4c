import Tensors

extension Zoo {
  /// Sandler et al. 2018, as in torchvision.
  static let mobilenetV2 = Entry(
    "mobilenet_v2", "inverted residuals (Sandler et al. 2018): 3,538,984 parameters",
    Initialization(convolution: .heNormalFanOut, dense: .smallNormal),
    ZooOptions(input: [224, 224, 3], classes: 1000, dropout: 0.2), [.width, .dropout]
  ) { net, options in
    func convolution(
      _ filters: Int, _ kernel: Int, stride: Int = 1, groups: Int = 1, relu: Bool = true, _ conv: String, _ norm: String
    ) {
      net.conv2d(
        filters: filters, kernel: kernel, stride: stride, padding: pad(kernel / 2), groups: groups, bias: false,
        name: conv)
      net.batchNorm(.torch, name: norm)
      if relu { net.activation(.relu6, name: norm + ".relu") }
    }
    func layer(_ filters: Int, _ kernel: Int, stride: Int = 1, groups: Int = 1, _ name: String) {
      convolution(filters, kernel, stride: stride, groups: groups, "\(name).0", "\(name).1")
    }

    var channels = options.filters(divisibleByEight: 32)
    layer(channels, 3, stride: 2, "features.0")
    var index = 1
    let stages = [
      (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ]
    for (expansion, width, count, firstStride) in stages {
      let filters = options.filters(divisibleByEight: width)
      for block in 0..<count {
        let name = "features.\(index).conv", stride = block == 0 ? firstStride : 1
        let input = net.last, hidden = channels * expansion
        var part = 0
        if expansion > 1 {
          layer(hidden, 1, "\(name).0")
          part = 1
        }
        layer(hidden, 3, stride: stride, groups: hidden, "\(name).\(part)")
        convolution(filters, 1, relu: false, "\(name).\(part + 1)", "\(name).\(part + 2)")
        if stride == 1, channels == filters { net.add(input, net.last, name: "features.\(index).add") }
        channels = filters
        index += 1
      }
    }
    var wide = options
    wide.width = max(1, options.width)  // the last layer does not shrink
    layer(wide.filters(divisibleByEight: 1280), 1, "features.\(index)")
    net.globalAveragePool(name: "pool")
    if options.dropout > 0 { net.dropout(Float(options.dropout), name: "classifier.0") }
    net.dense(options.classes, name: "classifier.1")
  }
}
