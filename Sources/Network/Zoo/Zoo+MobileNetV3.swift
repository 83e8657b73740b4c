import Tensors

extension Zoo {
  /// Howard et al. 2019, as in torchvision.
  static let mobilenetV3Small = mobilenetV3(
    "mobilenet_v3_small", "2,554,968", last: 1024,
    [
      Bottleneck(3, 16, 16, .relu, squeezes: true, stride: 2), Bottleneck(3, 72, 24, .relu, stride: 2),
      Bottleneck(3, 88, 24, .relu), Bottleneck(5, 96, 40, squeezes: true, stride: 2),
      Bottleneck(5, 240, 40, squeezes: true), Bottleneck(5, 240, 40, squeezes: true),
      Bottleneck(5, 120, 48, squeezes: true), Bottleneck(5, 144, 48, squeezes: true),
      Bottleneck(5, 288, 96, squeezes: true, stride: 2), Bottleneck(5, 576, 96, squeezes: true),
      Bottleneck(5, 576, 96, squeezes: true),
    ])

  /// Howard et al. 2019, as in torchvision.
  static let mobilenetV3Large = mobilenetV3(
    "mobilenet_v3_large", "5,507,432", last: 1280,
    [
      Bottleneck(3, 16, 16, .relu), Bottleneck(3, 64, 24, .relu, stride: 2), Bottleneck(3, 72, 24, .relu),
      Bottleneck(5, 72, 40, .relu, squeezes: true, stride: 2), Bottleneck(5, 120, 40, .relu, squeezes: true),
      Bottleneck(5, 120, 40, .relu, squeezes: true), Bottleneck(3, 240, 80, stride: 2), Bottleneck(3, 200, 80),
      Bottleneck(3, 184, 80), Bottleneck(3, 184, 80), Bottleneck(3, 480, 112, squeezes: true),
      Bottleneck(3, 672, 112, squeezes: true), Bottleneck(5, 672, 160, squeezes: true, stride: 2),
      Bottleneck(5, 960, 160, squeezes: true), Bottleneck(5, 960, 160, squeezes: true),
    ])

  /// An inverted residual block: wider, a depthwise convolution, perhaps a gate, narrower.
  private struct Bottleneck {
    let kernel: Int
    let expanded: Int
    let filters: Int
    let function: Activation
    let squeezes: Bool
    let stride: Int

    init(
      _ kernel: Int, _ expanded: Int, _ filters: Int, _ function: Activation = .hardSwish, squeezes: Bool = false,
      stride: Int = 1
    ) {
      self.kernel = kernel
      self.expanded = expanded
      self.filters = filters
      self.function = function
      self.squeezes = squeezes
      self.stride = stride
    }
  }

  private static func mobilenetV3(_ name: String, _ parameters: String, last: Int, _ blocks: [Bottleneck]) -> Entry {
    Entry(
      name, "inverted residuals with gates and hard swish (Howard et al. 2019): \(parameters) parameters",
      Initialization(convolution: .heNormalFanOut, dense: .smallNormal),
      ZooOptions(input: [224, 224, 3], classes: 1000, dropout: 0.2), [.stem, .width, .dropout]
    ) { net, options in
      // Batch norms have an epsilon of 0.001 and move a hundredth at a time.
      func layer(
        _ filters: Int, _ kernel: Int, stride: Int = 1, groups: Int = 1, _ function: Activation?, _ name: String
      ) {
        net.convNorm(
          filters: filters, kernel: kernel, stride: stride, groups: groups, function, BatchNorm(),
          names: ("\(name).0", "\(name).1"))
      }

      var channels = options.filters(divisibleByEight: 16)
      layer(channels, 3, stride: options.firstStride, .hardSwish, "features.0")
      for (index, block) in blocks.enumerated() {
        let name = "features.\(index + 1)", input = net.last
        let expanded = options.filters(divisibleByEight: block.expanded)
        let filters = options.filters(divisibleByEight: block.filters)
        var part = 0
        if expanded != channels {
          layer(expanded, 1, block.function, "\(name).block.0")
          part = 1
        }
        layer(
          expanded, block.kernel, stride: block.stride, groups: expanded, block.function, "\(name).block.\(part)")
        if block.squeezes {
          part += 1
          net.squeezeExcitation(
            expanded, squeezed: ZooOptions.divisibleByEight(Double(expanded / 4)), .relu,
            gate: .hardSigmoid(slope: 1 / 6, offset: 0.5), name: "\(name).block.\(part)")
        }
        layer(filters, 1, nil, "\(name).block.\(part + 1)")
        if block.stride == 1, channels == filters { net.add(input, net.last, name: "\(name).add") }
        channels = filters
      }
      layer(6 * channels, 1, .hardSwish, "features.\(blocks.count + 1)")
      net.globalAveragePool(name: "avgpool")
      net.dense(options.filters(divisibleByEight: last), name: "classifier.0")
      net.activation(.hardSwish, name: "classifier.1")
      if options.dropout > 0 { net.dropout(Float(options.dropout), name: "classifier.2") }
      net.dense(options.classes, name: "classifier.3")
    }
  }
}
