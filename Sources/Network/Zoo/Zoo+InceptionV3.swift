import Tensors

extension Zoo {
  /// Szegedy et al. 2015, as in torchvision, without the auxiliary classifier.
  static let inceptionV3 = Entry(
    "inception_v3", "factorized convolutions in branches (Szegedy et al. 2015): 23,869,000 parameters",
    Initialization(.truncatedNormal), ZooOptions(input: [299, 299, 3], classes: 1000, dropout: 0.5), [.width, .dropout]
  ) { net, options in
    var writer = Inception(net: net, options: options)
    writer.write()
    net = writer.net
  }

  static let inceptionV375 = inceptionV3.preset(
    "inception_v3_75", "inception_v3 for MNIST: 75x75x1 images, 10 classes"
  ) {
    $0.input = [75, 75, 1]
    $0.classes = 10
  }
}

/// Writes InceptionV3 block by block; sizes are (height, width).
private struct Inception {
  var net: GraphBuilder
  let options: ZooOptions
  /// What the layers of the block are called after, and what its branches read.
  private var block = ""
  private var input = ""

  init(net: GraphBuilder, options: ZooOptions) {
    self.net = net
    self.options = options
  }

  mutating func write() {
    conv("Conv2d_1a_3x3", 32, (3, 3), stride: 2)
    conv("Conv2d_2a_3x3", 32, (3, 3))
    conv("Conv2d_2b_3x3", 64, (3, 3), padded: true)
    net.maxPool(3, stride: 2, name: "maxpool1")
    conv("Conv2d_3b_1x1", 80, (1, 1))
    conv("Conv2d_4a_3x3", 192, (3, 3))
    net.maxPool(3, stride: 2, name: "maxpool2")
    blockA("Mixed_5b", pooled: 32)
    blockA("Mixed_5c", pooled: 64)
    blockA("Mixed_5d", pooled: 64)
    blockB("Mixed_6a")
    blockC("Mixed_6b", 128)
    blockC("Mixed_6c", 160)
    blockC("Mixed_6d", 160)
    blockC("Mixed_6e", 192)
    blockD("Mixed_7a")
    blockE("Mixed_7b")
    blockE("Mixed_7c")
    net.globalAveragePool(name: "avgpool")
    if options.dropout > 0 { net.dropout(Float(options.dropout), name: "dropout") }
    net.dense(options.classes, name: "fc")
  }

  // MARK: Blocks

  private mutating func blockA(_ name: String, pooled: Int) {
    begin(name)
    let one = branch("branch1x1", 64, (1, 1))
    branch("branch5x5_1", 48, (1, 1))
    let five = next("branch5x5_2", 64, (5, 5))
    branch("branch3x3dbl_1", 64, (1, 1))
    next("branch3x3dbl_2", 96, (3, 3))
    let three = next("branch3x3dbl_3", 96, (3, 3))
    end([one, five, three, averaged(pooled)])
  }

  private mutating func blockB(_ name: String) {
    begin(name)
    let three = branch("branch3x3", 384, (3, 3), stride: 2)
    branch("branch3x3dbl_1", 64, (1, 1))
    next("branch3x3dbl_2", 96, (3, 3))
    let double = next("branch3x3dbl_3", 96, (3, 3), stride: 2)
    end([three, double, maximum()])
  }

  private mutating func blockC(_ name: String, _ inner: Int) {
    begin(name)
    let one = branch("branch1x1", 192, (1, 1))
    branch("branch7x7_1", inner, (1, 1))
    next("branch7x7_2", inner, (1, 7))
    let seven = next("branch7x7_3", 192, (7, 1))
    branch("branch7x7dbl_1", inner, (1, 1))
    next("branch7x7dbl_2", inner, (7, 1))
    next("branch7x7dbl_3", inner, (1, 7))
    next("branch7x7dbl_4", inner, (7, 1))
    let double = next("branch7x7dbl_5", 192, (1, 7))
    end([one, seven, double, averaged(192)])
  }

  private mutating func blockD(_ name: String) {
    begin(name)
    branch("branch3x3_1", 192, (1, 1))
    let three = next("branch3x3_2", 320, (3, 3), stride: 2)
    branch("branch7x7x3_1", 192, (1, 1))
    next("branch7x7x3_2", 192, (1, 7))
    next("branch7x7x3_3", 192, (7, 1))
    let seven = next("branch7x7x3_4", 192, (3, 3), stride: 2)
    end([three, seven, maximum()])
  }

  private mutating func blockE(_ name: String) {
    begin(name)
    let one = branch("branch1x1", 320, (1, 1))
    let three = branch("branch3x3_1", 384, (1, 1))
    let threeWide = next("branch3x3_2a", 384, (1, 3), from: three)
    let threeTall = next("branch3x3_2b", 384, (3, 1), from: three)
    branch("branch3x3dbl_1", 448, (1, 1))
    let double = next("branch3x3dbl_2", 384, (3, 3))
    let doubleWide = next("branch3x3dbl_3a", 384, (1, 3), from: double)
    let doubleTall = next("branch3x3dbl_3b", 384, (3, 1), from: double)
    end([one, threeWide, threeTall, doubleWide, doubleTall, averaged(192)])
  }

  // MARK: Parts

  private mutating func begin(_ name: String) {
    block = name
    input = net.last
  }

  private mutating func end(_ branches: [String]) { net.concat(branches, name: "\(block).concat") }

  /// The first convolution of a branch.
  @discardableResult
  private mutating func branch(_ name: String, _ filters: Int, _ size: (Int, Int), stride: Int = 1) -> String {
    conv("\(block).\(name)", filters, size, stride: stride, padded: stride == 1, from: input)
  }

  /// A further one. Those of stride 1 keep the image's size.
  @discardableResult
  private mutating func next(
    _ name: String, _ filters: Int, _ size: (Int, Int), stride: Int = 1, from: String? = nil
  ) -> String {
    conv("\(block).\(name)", filters, size, stride: stride, padded: stride == 1, from: from)
  }

  private mutating func averaged(_ filters: Int) -> String {
    net.averagePool(3, stride: 1, padding: Zoo.pad(1), countsPadding: true, from: input, name: "\(block).avgpool")
    return next("branch_pool", filters, (1, 1))
  }

  private mutating func maximum() -> String { net.maxPool(3, stride: 2, from: input, name: "\(block).maxpool") }

  @discardableResult
  private mutating func conv(
    _ name: String, _ filters: Int, _ size: (Int, Int), stride: Int = 1, padded: Bool = false, from: String? = nil
  ) -> String {
    let window = Window(
      Size2D(size.0, size.1), stride: Size2D(stride), padding: padded ? Zoo.pad(size.0 / 2, size.1 / 2) : .valid)
    net.add(
      .conv2d(Conv2D(filters: options.filters(filters), window: window, hasBias: false)), [from ?? net.last],
      name: "\(name).conv")
    net.batchNorm(BatchNorm(epsilon: 1e-3, momentum: 0.9), name: "\(name).bn")
    return net.activation(.relu, name: "\(name).relu")
  }
}
