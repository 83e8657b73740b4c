import Tensors

extension Zoo {
  /// He et al. 2015, as in torchvision.
  static let resnet18 = Entry(
    "resnet18", "residual network of 18 layers (He et al. 2015): 11,699,112 parameters", resnetInitialization,
    ZooOptions(input: [224, 224, 3], classes: 1000), [.stem, .width]
  ) { net, options in
    resnet(&net, options, blocks: [2, 2, 2, 2], expansion: 1) { net, filters, stride, input, name in
      net.conv2d(
        filters: filters, kernel: 3, stride: stride, padding: pad(1), bias: false, from: input, name: "\(name).conv1")
      net.batchNorm(.torch, name: "\(name).bn1")
      net.activation(.relu, name: "\(name).relu1")
      net.conv2d(filters: filters, kernel: 3, padding: pad(1), bias: false, name: "\(name).conv2")
      return net.batchNorm(.torch, name: "\(name).bn2")
    }
  }

  static let resnet18CIFAR = resnet18.preset(
    "resnet18_cifar", "resnet18 for CIFAR-10: 32x32 images, 3x3 stem, 10 classes"
  ) {
    $0.input = [32, 32, 3]
    $0.classes = 10
    $0.stem = .cifar
  }

  /// He et al. 2015, as in torchvision: the stride is the 3x3 convolution's.
  static let resnet50 = Entry(
    "resnet50", "residual network of 50 layers (He et al. 2015): 25,610,152 parameters", resnetInitialization,
    ZooOptions(input: [224, 224, 3], classes: 1000), [.stem, .width]
  ) { net, options in
    resnet(&net, options, blocks: [3, 4, 6, 3], expansion: 4) { net, filters, stride, input, name in
      net.conv2d(filters: filters, kernel: 1, bias: false, from: input, name: "\(name).conv1")
      net.batchNorm(.torch, name: "\(name).bn1")
      net.activation(.relu, name: "\(name).relu1")
      net.conv2d(filters: filters, kernel: 3, stride: stride, padding: pad(1), bias: false, name: "\(name).conv2")
      net.batchNorm(.torch, name: "\(name).bn2")
      net.activation(.relu, name: "\(name).relu2")
      net.conv2d(filters: filters * 4, kernel: 1, bias: false, name: "\(name).conv3")
      return net.batchNorm(.torch, name: "\(name).bn3")
    }
  }

  private static let resnetInitialization = Initialization(convolution: .heNormal, dense: .glorotUniform)

  /// - Parameter branch: adds what is summed with the shortcut and returns its name.
  private static func resnet(
    _ net: inout GraphBuilder, _ options: ZooOptions, blocks: [Int], expansion: Int,
    branch: (_ net: inout GraphBuilder, _ filters: Int, _ stride: Int, _ input: String, _ name: String) -> String
  ) {
    var channels = options.filters(64)
    switch options.stem {
    case .imagenet:
      net.conv2d(filters: channels, kernel: 7, stride: 2, padding: pad(3), bias: false, name: "conv1")
    case .cifar: net.conv2d(filters: channels, kernel: 3, padding: pad(1), bias: false, name: "conv1")
    }
    net.batchNorm(.torch, name: "bn1")
    net.activation(.relu, name: "relu")
    if options.stem == .imagenet { net.maxPool(3, stride: 2, padding: pad(1), name: "maxpool") }
    for (stage, count) in blocks.enumerated() {
      let filters = options.filters(64 << stage)
      for block in 0..<count {
        let name = "layer\(stage + 1).\(block)", stride = stage > 0 && block == 0 ? 2 : 1
        let input = net.last
        let sum = branch(&net, filters, stride, input, name)
        var shortcut = input
        if stride != 1 || channels != filters * expansion {
          net.conv2d(
            filters: filters * expansion, kernel: 1, stride: stride, bias: false, from: input,
            name: "\(name).downsample.0")
          shortcut = net.batchNorm(.torch, name: "\(name).downsample.1")
        }
        net.add(sum, shortcut, name: "\(name).add")
        net.activation(.relu, name: "\(name).relu")
        channels = filters * expansion
      }
    }
    net.globalAveragePool(name: "avgpool")
    net.dense(options.classes, name: "fc")
  }
}
