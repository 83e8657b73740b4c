import Testing

@testable import Network
import Tensors

extension Graph {
  /// Parameters, running statistics apart or included, without making a weight.
  func parameterCount(withStatistics: Bool = false) -> Int {
    nodes.flatMap(parameterSpecs).filter { withStatistics || $0.role.isTrainable }.reduce(0) { $0 + $1.shape.count }
  }

  var macs: Int { nodes.reduce(0) { $0 + $1.op.spec.macs(inputShapes(of: $1), outputShapes(of: $1)) } }
}

@Suite struct ZooTests {
  /// Parameters as torchvision, the papers and their code state them (running statistics do not count); millions of
  /// multiply-accumulates as published, within their rounding.
  static let published: [(String, parameters: Int, mmacs: ClosedRange<Double>)] = [
    ("lab_cnn", 20_410, 0.093...0.094), ("lenet_300_100", 266_610, 0.266...0.267), ("quick_cnn", 9_122, 0.289...0.291),
    ("lenet5", 431_080, 2.29...2.3),
    ("resnet20", 269_722, 40.5...40.6), ("resnet32", 464_154, 68.8...68.9), ("resnet56", 853_018, 125.4...125.5),
    ("resnet18", 11_689_512, 1814...1814.1), ("resnet50", 25_557_032, 4089...4089.2),
    ("vgg16", 138_357_544, 15_470...15_470.3), ("vgg16_bn", 138_365_992, 15_470...15_470.3),
    ("mobilenet_v2", 3_504_872, 300.7...300.8), ("inception_v3", 23_834_568, 5713...5713.3),
    ("resnet18_cifar", 11_173_962, 555...555.5), ("vgg16_bn_cifar", 14_728_266, 313...313.5),
    ("inception_v3_75", 21_805_482, 200.5...201.5), ("resnet8", 78_186, 12.4...12.6),
    // MLPerf Tiny, running statistics taken off.
    ("mobilenet_v1", 216_322, 7.48...7.5), ("ds_cnn", 23_756, 2.65...2.7), ("autoencoder", 267_928, 0.264...0.265),
    // torchvision's weights say both, in thousandths of 1e9 (`num_params`, `_ops`).
    ("mobilenet_v3_small", 2_542_856, 56.5...57.5), ("mobilenet_v3_large", 5_483_032, 216.5...217.5),
    ("efficientnet_b0", 5_288_548, 385.5...386.5), ("squeezenet1_1", 1_235_496, 348.5...349.5),
    ("shufflenet_v2", 2_278_604, 144.5...145.5), ("densenet121", 7_978_856, 2833.5...2834.5),
    ("regnet_y_400mf", 4_344_144, 401.5...402.5), ("convnext_tiny", 28_589_128, 4455.5...4456.5),
    // timm: parameters; 0.4 and 1.3 GMACs in its table of results.
    ("efficientnet_lite0", 4_652_008, 350...450), ("deit_tiny", 5_717_416, 1250...1350),
    // milesial's Pytorch-UNet of one class with bilinear upsampling has 17,262,977 parameters; the detector is our own.
    ("unet", 17_262_977 + 65, 39_984...39_985), ("detector", 1_432_124, 580...581),
  ]

  @Test func everyNetworkHasThePublishedSize() throws {
    #expect(Set(Self.published.map(\.0)) == Set(Zoo.entries.map(\.name)))
    for (name, parameters, mmacs) in Self.published {
      let entry = try Zoo.entry(name)
      let graph = try entry.graph(entry.defaults)
      #expect(graph.parameterCount() == parameters, "\(name): \(graph.parameterCount())")
      #expect(mmacs.contains(Double(graph.macs) / 1e6), "\(name): \(graph.macs)")
      let shapes: [Shape] =
        switch entry.task {
        case .classification: [[entry.defaults.classes]]
        case .reconstruction: [entry.defaults.input]
        case .segmentation: [[256, 256, 2]]
        case .detection: [40, 20, 10].flatMap { [[$0, $0, 80], [$0, $0, 4]] as [Shape] }
        }
      #expect(graph.outputShapes == shapes, "\(name)")
    }
    // MLPerf Tiny and Keras count running statistics.
    for (name, parameters) in [
      ("resnet8", 78_666), ("mobilenet_v1", 221_794), ("ds_cnn", 24_908), ("autoencoder", 269_992),
    ] {
      let entry = try Zoo.entry(name)
      #expect(try entry.graph(entry.defaults).parameterCount(withStatistics: true) == parameters, "\(name)")
    }
    #expect(message { _ = try Zoo.entry("lab_cn") } == "no network \"lab_cn\" in the zoo (did you mean \"lab_cnn\"?)")
  }

  @Test func imagesOfOtherSizes() throws {
    func counts(_ name: String, _ change: (inout ZooOptions) -> Void) throws -> Int {
      let entry = try Zoo.entry(name)
      var options = entry.defaults
      change(&options)
      return try entry.graph(options).parameterCount()
    }
    // A stem of one channel instead of three has two thirds of its weights fewer; the rest does not see the image.
    #expect(try counts("resnet50") { $0.input = [64, 96, 1] } == 25_557_032 - 2 * 49 * 64)
    #expect(try counts("resnet18") { $0.classes = 10 } == 11_689_512 - 990 * 513)
    #expect(
      try counts("vgg16") {
        $0.input = [32, 32, 3]; $0.classifier = .linear; $0.classes = 10
      } == 14_719_818)
    #expect(try counts("mobilenet_v2") { $0.width = 0.5 } == 1_968_680)
    #expect(try counts("mobilenet_v2") { $0.width = 1.4 } == 6_108_776)
    // torchvision's shufflenet_v2_x0_5, x1_5 and x2_0.
    for (width, count) in [(0.5, 1_366_792), (1.5, 3_503_624), (2, 7_393_996)] {
      #expect(try counts("shufflenet_v2") { $0.width = width } == count)
    }
    // The paper's network at full width, its convolutions' biases beside: 4,231,976 and as many as there are filters.
    #expect(
      try counts("mobilenet_v1") { ($0.width, $0.classes, $0.input) = (1, 1000, [224, 224, 3]) } == 4_231_976 + 10_944)
    // Positions of 8x8 or 7x7 patches and the class's token, in place of 14x14.
    for (size, patches) in [(32, 64), (28, 49)] {
      #expect(
        try counts("deit_tiny") { ($0.stem, $0.input) = (.cifar, [size, size, 3]) }
          == 5_717_416 - (196 - patches) * 192 - (256 - 16) * 3 * 192)
    }
    #expect(try counts("autoencoder") { $0.input = [28, 28, 1] } == 267_928 + (784 - 640) * (2 * 128 + 1))
    #expect(try counts("unet") { ($0.input, $0.classes) = ([37, 45, 1], 3) } == 17_262_977 + 65 + 65 - 2 * 9 * 64)
    #expect(try counts("resnet20") { $0.width = 0.5 } < 269_722 / 3)
    #expect(message { _ = try counts("unet") { $0.depth = 9 } } == "depth 9 is not from 1 to 8")
    #expect(message { _ = try counts("unet") { $0.input = [15, 16, 3] } }.hasPrefix("layer \"down4."))
    // Whatever is no image is refused by the first layer.
    for entry in Zoo.entries where entry.defaults.input.rank == 3 && !entry.name.hasPrefix("lenet_300") {
      let error = message { _ = try entry.graph([7], 10) }
      #expect(error.hasPrefix("layer ") && error.contains("expects an image"), "\(entry.name): \(error)")
    }
    #expect(
      message { _ = try Zoo.entry("inception_v3").graph([74, 74, 3], 10) }.hasPrefix("layer \"Mixed_7a."))
    #expect(message { _ = try counts("vgg16") { $0.width = 0 } } == "width 0.0 is not from 0.01 to 16")
    #expect(message { _ = try counts("vgg16") { $0.dropout = 1 } } == "dropout 1.0 is not from 0 to below 1")
  }

  @Test func weightsAreDrawnAsPublished() throws {
    let entry = try Zoo.entry("inception_v3")
    var options = entry.defaults
    (options.input, options.width) = ([75, 75, 1], 0.25)
    let model = try Model(initializing: entry.graph(options), entry.initialization, seed: 1)
    let weight = model["Mixed_7c.branch3x3_1.conv", .weight]!.values
    // A normal distribution cut at two deviations has 0.774 of its variance.
    #expect(try weight.applying(.abs).value(.max) <= 0.2 && weight.applying(.abs).value(.max) > 0.19)
    #expect(try abs(weight.value(.variance) / 0.00774 - 1) < 0.05)

    let vgg = try Zoo.entry("vgg16_bn_cifar")
    options = vgg.defaults
    options.width = 0.25
    let small = try Model(initializing: vgg.graph(options), vgg.initialization, seed: 1)
    #expect(try abs(small["features.40", .weight]!.values.value(.variance) * 9 * 128 / 2 - 1) < 0.05)
    #expect(try abs(small["classifier", .weight]!.values.value(.variance) / 1e-4 - 1) < 0.15)
  }
}
