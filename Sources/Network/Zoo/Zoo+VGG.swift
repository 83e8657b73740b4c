import Tensors

extension Zoo {
  /// Simonyan and Zisserman 2014, configuration D; drawn as Glorot and Bengio, as the paper found sufficient.
  static let vgg16 = Entry(
    "vgg16", "13 convolutions, 3 dense layers (Simonyan and Zisserman 2014): 138,357,544 parameters",
    Initialization(.glorotUniform), ZooOptions(input: [224, 224, 3], classes: 1000, dropout: 0.5),
    [.classifier, .width, .dropout]
  ) { vgg(&$0, $1, hasNorms: false) }

  /// The same with batch norms, as in torchvision.
  static let vgg16BN = Entry(
    "vgg16_bn", "vgg16 with batch norms: 138,374,440 parameters",
    Initialization(convolution: .heNormalFanOut, dense: .smallNormal),
    ZooOptions(input: [224, 224, 3], classes: 1000, dropout: 0.5), [.classifier, .width, .dropout]
  ) { vgg(&$0, $1, hasNorms: true) }

  static let vgg16BNCIFAR = vgg16BN.preset(
    "vgg16_bn_cifar", "vgg16_bn for CIFAR-10: 32x32 images, one dense layer, 10 classes"
  ) {
    $0.input = [32, 32, 3]
    $0.classes = 10
    $0.classifier = .linear
  }

  private static func vgg(_ net: inout GraphBuilder, _ options: ZooOptions, hasNorms: Bool) {
    var position = 0
    func next() -> String {
      position += 1
      return "features.\(position - 1)"
    }
    for (filters, count) in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)] {
      for _ in 0..<count {
        net.conv2d(filters: options.filters(filters), kernel: 3, padding: pad(1), name: next())
        if hasNorms { net.batchNorm(.torch, name: next()) }
        net.activation(.relu, name: next())
      }
      net.maxPool(2, name: next())
    }
    net.flatten(name: "flatten")
    switch options.classifier {
    case .linear: net.dense(options.classes, name: "classifier")
    case .full:
      for layer in [0, 3] {
        net.dense(options.filters(4096), name: "classifier.\(layer)")
        net.activation(.relu, name: "classifier.\(layer + 1)")
        if options.dropout > 0 { net.dropout(Float(options.dropout), name: "classifier.\(layer + 2)") }
      }
      net.dense(options.classes, name: "classifier.6")
    }
  }
}
