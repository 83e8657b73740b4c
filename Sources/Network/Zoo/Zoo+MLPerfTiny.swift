import Tensors

// Networks of MLPerf Tiny (Banbury et al. 2021), with the names that Keras gives the layers of the reference; the
// fourth, `resnet8`, is beside the other residual networks. Softmax is left to whoever wants probabilities.
extension Zoo {
  /// Howard et al. 2017; MLPerf Tiny's for "visual wake words": a quarter as wide, TensorFlow's SAME padding, biases.
  /// 221,794 parameters, running statistics included.
  static let mobilenetV1 = Entry(
    "mobilenet_v1", "MLPerf Tiny's depthwise separable convolutions (Howard et al. 2017): 221,794 parameters",
    Initialization(convolution: .heNormal, dense: .glorotUniform),
    ZooOptions(input: [96, 96, 3], classes: 2, width: 0.25), [.stem, .width]
  ) { net, options in
    var names = KerasNames()
    var channels = options.filters(32)
    func convolution(_ filters: Int, _ kernel: Int, stride: Int = 1, groups: Int = 1) {
      net.conv2d(
        filters: filters, kernel: kernel, stride: stride, padding: .same, groups: groups,
        name: names.next(groups > 1 ? "depthwise_conv2d" : "conv2d"))
      net.batchNorm(name: names.next("batch_normalization"))
      net.activation(.relu)
    }
    convolution(channels, 3, stride: options.firstStride)
    let layers = [(1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512)]
    for (stride, width) in layers + Array(repeating: (1, 512), count: 5) + [(2, 1024), (1, 1024)] {
      convolution(channels, 3, stride: stride, groups: channels)
      channels = options.filters(width)
      convolution(channels, 1)
    }
    net.globalAveragePool(name: "average_pooling2d")
    net.dense(options.classes, name: "dense")
  }

  /// Zhang et al. 2017, for keywords in a second of speech: 49 steps of 10 coefficients. 24,908 parameters, running
  /// statistics included.
  static let dsCNN = Entry(
    "ds_cnn", "MLPerf Tiny's depthwise separable network for keywords (Zhang et al. 2017): 24,908 parameters",
    Initialization(.glorotUniform), ZooOptions(input: [49, 10, 1], classes: 12, dropout: 0.4), [.width, .dropout]
  ) { net, options in
    var names = KerasNames()
    let filters = options.filters(64)
    func convolution(_ size: Size2D, stride: Int = 1, isDepthwise: Bool = false) {
      let window = Window(size, stride: Size2D(stride), padding: .same)
      net.add(
        .conv2d(Conv2D(filters: filters, window: window, groups: isDepthwise ? filters : 1, hasBias: true)),
        [net.last], name: names.next(isDepthwise ? "depthwise_conv2d" : "conv2d"))
      net.batchNorm(name: names.next("batch_normalization"))
      net.activation(.relu)
    }
    convolution(Size2D(10, 4), stride: 2)
    // The reference drops half as much here as before its last layer.
    if options.dropout > 0 { net.dropout(Float(options.dropout / 2), name: names.next("dropout")) }
    for _ in 0..<4 {
      convolution(Size2D(3), isDepthwise: true)
      convolution(Size2D(1))
    }
    if options.dropout > 0 { net.dropout(Float(options.dropout), name: names.next("dropout")) }
    // Half the input rounded down, where the image was rounded up: the reference leaves out the last of 25 rows.
    let half = Size2D(options.extent(0) / 2, options.extent(1) / 2)
    net.add(
      .pool2d(Pool2D(.average, window: Window(half, stride: half))), [net.last], name: "average_pooling2d")
    net.flatten(name: "flatten")
    net.dense(options.classes, name: "dense")
  }

  /// For noises of machines (ToyADMOS; Koizumi et al. 2019): five frames of 128 mel bands, as they are when nothing is
  /// wrong. 269,992 parameters, running statistics included.
  static let autoencoder = Entry(
    "autoencoder", "MLPerf Tiny's autoencoder for machines' noises, 640 values: 269,992 parameters",
    Initialization(.glorotUniform), ZooOptions(input: [640]), [.width], task: .reconstruction
  ) { net, options in
    var names = KerasNames()
    if options.input.rank > 1 { net.flatten(name: "flatten") }
    for units in [128, 128, 128, 128, 8, 128, 128, 128, 128] {
      net.dense(options.filters(units), name: names.next("dense"))
      net.batchNorm(name: names.next("batch_normalization"))
      net.activation(.relu)
    }
    net.dense(options.input.count, name: names.next("dense"))
  }
}

/// Layers as Keras calls them: `conv2d`, `conv2d_1`, `conv2d_2`, each kind counted by itself.
struct KerasNames {
  private var counts: [String: Int] = [:]

  mutating func next(_ kind: String) -> String {
    let count = counts[kind, default: 0]
    counts[kind] = count + 1
    return count == 0 ? kind : "\(kind)_\(count)"
  }
}
