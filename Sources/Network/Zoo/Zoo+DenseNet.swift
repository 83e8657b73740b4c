import Tensors

extension Zoo {
  /// Huang et al. 2017, as in torchvision: every layer reads what all before it in its block made.
  static let densenet121 = Entry(
    "densenet121", "densely connected network of 121 layers (Huang et al. 2017): 8,062,504 parameters",
    Initialization(convolution: .heNormal, dense: .glorotUniform),
    ZooOptions(input: [224, 224, 3], classes: 1000), [.stem, .width]
  ) { net, options in
    let growth = options.filters(32)
    var channels = options.filters(64)
    func norm(_ name: String, relu: String) {
      net.batchNorm(.torch, name: name)
      net.activation(.relu, name: relu)
    }

    switch options.stem {
    case .imagenet:
      net.conv2d(filters: channels, kernel: 7, stride: 2, padding: pad(3), bias: false, name: "features.conv0")
    case .cifar: net.conv2d(filters: channels, kernel: 3, padding: pad(1), bias: false, name: "features.conv0")
    }
    norm("features.norm0", relu: "features.relu0")
    if options.stem == .imagenet { net.maxPool(3, stride: 2, padding: pad(1), name: "features.pool0") }
    let counts = [6, 12, 24, 16]
    for (block, count) in counts.enumerated() {
      for layer in 1...count {
        let name = "features.denseblock\(block + 1).denselayer\(layer)", input = net.last
        norm("\(name).norm1", relu: "\(name).relu1")
        net.conv2d(filters: 4 * growth, kernel: 1, bias: false, name: "\(name).conv1")
        norm("\(name).norm2", relu: "\(name).relu2")
        net.conv2d(filters: growth, kernel: 3, padding: pad(1), bias: false, name: "\(name).conv2")
        net.concat([input, net.last], name: "\(name).concat")
        channels += growth
      }
      guard block < counts.count - 1 else { break }
      let name = "features.transition\(block + 1)"
      channels = max(1, channels / 2)
      norm("\(name).norm", relu: "\(name).relu")
      net.conv2d(filters: channels, kernel: 1, bias: false, name: "\(name).conv")
      net.averagePool(2, name: "\(name).pool")
    }
    norm("features.norm5", relu: "features.relu5")
    net.globalAveragePool(name: "avgpool")
    net.dense(options.classes, name: "classifier")
  }
}
