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
  ]

  @Test func everyNetworkHasThePublishedSize() throws {
    #expect(Set(Self.published.map(\.0)) == Set(Zoo.entries.map(\.name)))
    for (name, parameters, mmacs) in Self.published {
      let entry = try Zoo.entry(name)
      let graph = try entry.graph(entry.defaults)
      #expect(graph.parameterCount() == parameters, "\(name): \(graph.parameterCount())")
      #expect(mmacs.contains(Double(graph.macs) / 1e6), "\(name): \(graph.macs)")
      #expect(graph.outputShape == [entry.defaults.classes])
    }
    // MLPerf Tiny and Keras count running statistics.
    #expect(try Zoo.entry("resnet8").graph([32, 32, 3], 10).parameterCount(withStatistics: true) == 78_666)
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
    #expect(try counts("resnet20") { $0.width = 0.5 } < 269_722 / 3)
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
