import Tensors

extension Zoo {
  static let resnet20 = resnetCIFAR(depth: 20, "271,098")
  static let resnet32 = resnetCIFAR(depth: 32, "466,426")
  static let resnet56 = resnetCIFAR(depth: 56, "857,082")

  /// He et al. 2015, section 4.2: three stages of 16, 32 and 64 filters, shortcuts without parameters (option A):
  /// every second pixel, the missing channels zero.
  private static func resnetCIFAR(depth: Int, _ parameters: String) -> Entry {
    Entry(
      "resnet\(depth)", "residual network for CIFAR-10 (He et al. 2015): \(parameters) parameters",
      Initialization(.heNormal), ZooOptions(input: [32, 32, 3]), [.width]
    ) { net, options in
      var channels = options.filters(16)
      net.conv2d(filters: channels, kernel: 3, padding: pad(1), bias: false, name: "conv1")
      net.batchNorm(.torch, name: "bn1")
      net.activation(.relu, name: "relu")
      for (stage, width) in [16, 32, 64].enumerated() {
        for block in 0..<(depth - 2) / 6 {
          let name = "layer\(stage + 1).\(block)", filters = options.filters(width)
          let stride = stage > 0 && block == 0 ? 2 : 1
          var shortcut = net.last
          net.conv2d(
            filters: filters, kernel: 3, stride: stride, padding: pad(1), bias: false, name: "\(name).conv1")
          net.batchNorm(.torch, name: "\(name).bn1")
          net.activation(.relu, name: "\(name).relu1")
          net.conv2d(filters: filters, kernel: 3, padding: pad(1), bias: false, name: "\(name).conv2")
          let branch = net.batchNorm(.torch, name: "\(name).bn2")
          if stride == 2 {
            shortcut = net.maxPool(1, stride: 2, from: shortcut, name: "\(name).shortcut.subsample")
            let missing = filters - channels
            shortcut = net.pad(
              before: [0, 0, missing / 2], after: [0, 0, missing - missing / 2], name: "\(name).shortcut.pad")
          }
          net.add(branch, shortcut, name: "\(name).add")
          net.activation(.relu, name: "\(name).relu2")
          channels = filters
        }
      }
      net.globalAveragePool(name: "pool")
      net.dense(options.classes, name: "linear")
    }
  }

  /// MLPerf Tiny's network for CIFAR-10 (Banbury et al. 2021), with Keras' layer names: TensorFlow's SAME padding,
  /// biases, and 1x1 shortcuts without batch norm. 78,666 parameters, running statistics included.
  static let resnet8 = Entry(
    "resnet8", "MLPerf Tiny's residual network for CIFAR-10: 78,666 parameters", Initialization(.heNormal),
    ZooOptions(input: [32, 32, 3]), [.width]
  ) { net, options in
    var convolutions = 0, norms = 0
    func conv(_ filters: Int, _ kernel: Int = 3, stride: Int = 1, from: String? = nil) {
      let name = convolutions == 0 ? "conv2d" : "conv2d_\(convolutions)"
      convolutions += 1
      net.conv2d(
        filters: options.filters(filters), kernel: kernel, stride: stride, padding: .same, from: from, name: name)
    }
    func norm() {
      net.batchNorm(name: norms == 0 ? "batch_normalization" : "batch_normalization_\(norms)")
      norms += 1
    }
    conv(16)
    norm()
    net.activation(.relu)
    for (filters, stride) in [(16, 1), (32, 2), (64, 2)] {
      var shortcut = net.last
      conv(filters, stride: stride)
      norm()
      net.activation(.relu)
      conv(filters)
      norm()
      let branch = net.last
      if stride == 2 {
        conv(filters, 1, stride: 2, from: shortcut)
        shortcut = net.last
      }
      net.add(shortcut, branch)
      net.activation(.relu)
    }
    net.globalAveragePool(name: "pool")
    net.dense(options.classes, name: "dense")
  }
}

extension Zoo {
  /// The same number of zeros on every side, as PyTorch pads.
  static func pad(_ all: Int) -> Padding { pad(all, all) }
  static func pad(_ height: Int, _ width: Int) -> Padding {
    height == 0 && width == 0 ? .valid : .explicit(top: height, left: width, bottom: height, right: width)
  }
}

extension BatchNorm {
  /// PyTorch's defaults.
  static let torch = BatchNorm(epsilon: 1e-5, momentum: 0.9)
}
