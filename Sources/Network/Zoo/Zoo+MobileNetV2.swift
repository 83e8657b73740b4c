import Tensors

extension Zoo {
  /// Sandler et al. 2018, as in torchvision.
  static let mobilenetV2 = Entry(
    "mobilenet_v2", "inverted residuals (Sandler et al. 2018): 3,538,984 parameters",
    Initialization(convolution: .heNormalFanOut, dense: .smallNormal),
    ZooOptions(input: [224, 224, 3], classes: 1000, dropout: 0.2), [.stem, .width, .dropout]
  ) { net, options in
    let next = mobilenetV2Features(&net, options, mobilenetV2Stages[...]).next
    var wide = options
    wide.width = max(1, options.width)  // the last layer does not shrink
    net.convNorm(
      filters: wide.filters(divisibleByEight: 1280), kernel: 1, .relu6, names: ("\(next).0", "\(next).1"))
    net.globalAveragePool(name: "pool")
    if options.dropout > 0 { net.dropout(Float(options.dropout), name: "classifier.0") }
    net.dense(options.classes, name: "classifier.1")
  }

  typealias MobilenetV2Stage = (expansion: Int, width: Int, count: Int, stride: Int)
  static let mobilenetV2Stages: [MobilenetV2Stage] = [
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
    (6, 160, 3, 2), (6, 320, 1, 1),
  ]

  /// - Returns: what each stage gives, and the name that the layer behind the last one has.
  static func mobilenetV2Features(
    _ net: inout GraphBuilder, _ options: ZooOptions,
    _ stages: ArraySlice<MobilenetV2Stage>, prefix: String = ""
  ) -> (outputs: [String], next: String) {
    func layer(
      _ filters: Int, _ kernel: Int, stride: Int = 1, groups: Int = 1, _ function: Activation?, _ conv: String,
      _ norm: String
    ) {
      net.convNorm(filters: filters, kernel: kernel, stride: stride, groups: groups, function, names: (conv, norm))
    }

    var outputs: [String] = []
    var channels = options.filters(divisibleByEight: 32)
    layer(channels, 3, stride: options.firstStride, .relu6, "\(prefix)features.0.0", "\(prefix)features.0.1")
    var index = 1
    for stage in stages {
      let filters = options.filters(divisibleByEight: stage.width)
      for block in 0..<stage.count {
        let name = "\(prefix)features.\(index).conv", stride = block == 0 ? stage.stride : 1
        let input = net.last, hidden = channels * stage.expansion
        var part = 0
        if stage.expansion > 1 {
          layer(hidden, 1, .relu6, "\(name).0.0", "\(name).0.1")
          part = 1
        }
        layer(hidden, 3, stride: stride, groups: hidden, .relu6, "\(name).\(part).0", "\(name).\(part).1")
        layer(filters, 1, nil, "\(name).\(part + 1)", "\(name).\(part + 2)")
        if stride == 1, channels == filters { net.add(input, net.last, name: "\(prefix)features.\(index).add") }
        channels = filters
        index += 1
      }
      outputs.append(net.last)
    }
    return (outputs, "\(prefix)features.\(index)")
  }
}
