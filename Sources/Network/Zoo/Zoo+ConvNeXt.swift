import Tensors

extension Zoo {
  /// Liu et al. 2022, as in torchvision: depthwise 7x7 convolutions and dense layers over the channels of each pixel.
  /// Stochastic depth, which is nothing where a network runs, is left out.
  static let convnextTiny = Entry(
    "convnext_tiny", "depthwise 7x7 and dense layers with layer norms (Liu et al. 2022): 28,589,128 parameters",
    Initialization(.glorotUniform), ZooOptions(input: [224, 224, 3], classes: 1000), [.stem, .width]
  ) { net, options in
    func norm(_ name: String) {
      net.add(.normalization(SampleNorm(epsilon: 1e-6)), [net.last], name: name)
    }

    let patch = options.stem == .imagenet ? 4 : 2
    for (stage, (width, count)) in [(96, 3), (192, 3), (384, 9), (768, 3)].enumerated() {
      let filters = options.filters(width)
      if stage == 0 {
        net.conv2d(filters: filters, kernel: patch, stride: patch, name: "features.0.0")
        norm("features.0.1")
      } else {
        norm("features.\(2 * stage).0")
        net.conv2d(filters: filters, kernel: 2, stride: 2, name: "features.\(2 * stage).1")
      }
      for block in 0..<count {
        let name = "features.\(2 * stage + 1).\(block)", input = net.last
        net.conv2d(filters: filters, kernel: 7, padding: pad(3), groups: filters, name: "\(name).block.0")
        norm("\(name).block.2")
        net.dense(4 * filters, name: "\(name).block.3")
        net.activation(.gelu, name: "\(name).block.4")
        let branch = net.dense(filters, name: "\(name).block.5")
        // PyTorch has the channels first.
        net.constant([filters, 1, 1], isTrained: true, name: "\(name).layer_scale")
        let scale = net.reshape([filters], name: "\(name).scale")
        net.mul(branch, scale, name: "\(name).scaled")
        net.add(net.last, input, name: "\(name).add")
      }
    }
    net.globalAveragePool(name: "avgpool")
    norm("classifier.0")
    net.dense(options.classes, name: "classifier.2")
  }
}
