import Tensors

extension Zoo {
  /// Tan and Le 2019, as in torchvision. Stochastic depth, which is nothing where a network runs, is left out.
  static let efficientnetB0 = Entry(
    "efficientnet_b0", "inverted residuals with gates, balanced by search (Tan and Le 2019): 5,330,564 parameters",
    Initialization(convolution: .heNormalFanOut, dense: .smallNormal),
    ZooOptions(input: [224, 224, 3], classes: 1000, dropout: 0.2), [.stem, .width, .dropout]
  ) { net, options in
    func layer(
      _ filters: Int, _ kernel: Int, stride: Int = 1, groups: Int = 1, _ function: Activation?, _ name: String
    ) {
      net.convNorm(
        filters: filters, kernel: kernel, stride: stride, groups: groups, function,
        names: ("\(name).0", "\(name).1"))
    }

    var channels = options.filters(divisibleByEight: 32)
    layer(channels, 3, stride: options.firstStride, .silu, "features.0")
    for (index, stage) in efficientStages.enumerated() {
      let filters = options.filters(divisibleByEight: stage.width)
      for number in 0..<stage.count {
        let name = "features.\(index + 1).\(number)", input = net.last, stride = number == 0 ? stage.stride : 1
        let expanded = ZooOptions.divisibleByEight(Double(channels * stage.expansion))
        var part = 0
        if stage.expansion > 1 {
          layer(expanded, 1, .silu, "\(name).block.0")
          part = 1
        }
        layer(expanded, stage.kernel, stride: stride, groups: expanded, .silu, "\(name).block.\(part)")
        net.squeezeExcitation(
          expanded, squeezed: max(1, channels / 4), .silu, gate: .sigmoid, name: "\(name).block.\(part + 1)")
        layer(filters, 1, nil, "\(name).block.\(part + 2)")
        if stride == 1, channels == filters { net.add(net.last, input, name: "\(name).add") }
        channels = filters
      }
    }
    layer(4 * channels, 1, .silu, "features.\(efficientStages.count + 1)")
    net.globalAveragePool(name: "avgpool")
    if options.dropout > 0 { net.dropout(Float(options.dropout), name: "classifier.0") }
    net.dense(options.classes, name: "classifier.1")
  }

  /// The same without gates and with ReLU6, for integers (Liu 2020), as in timm.
  static let efficientnetLite0 = Entry(
    "efficientnet_lite0", "efficientnet_b0 without gates, with ReLU6, for integers: 4,694,024 parameters",
    Initialization(convolution: .heNormalFanOut, dense: .smallNormal),
    ZooOptions(input: [224, 224, 3], classes: 1000, dropout: 0.2), [.stem, .width, .dropout]
  ) { net, options in
    var channels = options.filters(divisibleByEight: 32)
    net.convNorm(filters: channels, kernel: 3, stride: options.firstStride, .relu6, names: ("conv_stem", "bn1"))
    for (index, stage) in efficientStages.enumerated() {
      let filters = options.filters(divisibleByEight: stage.width)
      for number in 0..<stage.count {
        let name = "blocks.\(index).\(number)", input = net.last, stride = number == 0 ? stage.stride : 1
        let expanded = ZooOptions.divisibleByEight(Double(channels * stage.expansion)), isWider = stage.expansion > 1
        var norms = 0
        func norm() -> String {
          norms += 1
          return "\(name).bn\(norms)"
        }
        if isWider { net.convNorm(filters: expanded, kernel: 1, .relu6, names: ("\(name).conv_pw", norm())) }
        net.convNorm(
          filters: expanded, kernel: stage.kernel, stride: stride, groups: expanded, .relu6,
          names: ("\(name).conv_dw", norm()))
        net.convNorm(
          filters: filters, kernel: 1, names: (isWider ? "\(name).conv_pwl" : "\(name).conv_pw", norm()))
        if stride == 1, channels == filters { net.add(net.last, input, name: "\(name).add") }
        channels = filters
      }
    }
    net.convNorm(filters: 4 * channels, kernel: 1, .relu6, names: ("conv_head", "bn2"))
    net.globalAveragePool(name: "global_pool")
    if options.dropout > 0 { net.dropout(Float(options.dropout), name: "drop") }
    net.dense(options.classes, name: "classifier")
  }

  private static let efficientStages: [(expansion: Int, kernel: Int, stride: Int, width: Int, count: Int)] = [
    (1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3), (6, 5, 2, 192, 4), (6, 3, 1, 320, 1),
  ]
}
