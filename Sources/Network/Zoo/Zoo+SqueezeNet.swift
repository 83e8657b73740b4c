import Tensors

extension Zoo {
  /// Iandola et al. 2016, version 1.1, as in torchvision.
  static let squeezenet11 = Entry(
    "squeezenet1_1", "fire modules: squeezed, then expanded in two sizes (Iandola et al. 2016): 1,235,496 parameters",
    Initialization(.heNormal), ZooOptions(input: [224, 224, 3], classes: 1000, dropout: 0.5),
    [.stem, .width, .dropout]
  ) { net, options in
    /// Height and width of the image so far.
    var size = [options.extent(0), options.extent(1)]
    func convolution(_ filters: Int, _ kernel: Int, stride: Int = 1, isPadded: Bool, from: String, _ name: String) {
      net.conv2d(
        filters: filters, kernel: kernel, stride: stride, padding: pad(isPadded ? kernel / 2 : 0), from: from,
        name: name)
      net.activation(.relu, name: "\(name).relu")
    }
    /// PyTorch's `ceil_mode`: a last window may reach over the edge, by one pixel.
    func pool(_ name: String) {
      let over = size.map { $0 % 2 == 0 ? 1 : 0 }
      net.maxPool(3, stride: 2, padding: .explicit(top: 0, left: 0, bottom: over[0], right: over[1]), name: name)
      size = zip(size, over).map { ($0 + $1 - 3) / 2 + 1 }
    }

    if options.stem == .imagenet {
      convolution(options.filters(64), 3, stride: 2, isPadded: false, from: net.last, "features.0")
      size = size.map { ($0 - 3) / 2 + 1 }
      pool("features.2")
    } else {
      convolution(options.filters(64), 3, isPadded: true, from: net.last, "features.0")
    }
    let modules = [(3, 16, 64), (4, 16, 64), (6, 32, 128), (7, 32, 128), (9, 48, 192), (10, 48, 192)]
    for (place, squeezed, expanded) in modules + [(11, 64, 256), (12, 64, 256)] {
      if place == 6 || place == 9 { pool("features.\(place - 1)") }
      let name = "features.\(place)"
      convolution(options.filters(squeezed), 1, isPadded: false, from: net.last, "\(name).squeeze")
      let input = net.last
      convolution(options.filters(expanded), 1, isPadded: false, from: input, "\(name).expand1x1")
      let small = net.last
      convolution(options.filters(expanded), 3, isPadded: true, from: input, "\(name).expand3x3")
      net.concat([small, net.last], name: "\(name).concat")
    }
    if options.dropout > 0 { net.dropout(Float(options.dropout), name: "classifier.0") }
    convolution(options.classes, 1, isPadded: false, from: net.last, "classifier.1")
    net.globalAveragePool(name: "classifier.3")
  }
}
