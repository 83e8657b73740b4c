import Tensors

extension Zoo {
  /// Ronneberger et al. 2015 with batch norms and padding, for scores of classes at every pixel; layers and their names
  /// as in milesial's Pytorch-UNet with bilinear upsampling. Where a size is odd, the coarser image is made as large as
  /// the finer one, in place of a border of zeros.
  static let unet = Entry(
    "unet", "U-Net: an image halved four times and back (Ronneberger et al. 2015): 17,271,874 parameters",
    Initialization(.heNormal), ZooOptions(input: [256, 256, 3], classes: 2), [.width, .depth, .upsampling],
    task: .segmentation
  ) { net, options in
    func double(_ middle: Int, _ filters: Int, _ name: String) {
      for (place, filters) in [(0, middle), (3, filters)] {
        net.convNorm(
          filters: filters, kernel: 3, .relu,
          names: ("\(name).double_conv.\(place)", "\(name).double_conv.\(place + 1)"))
      }
    }

    let depth = options.depth
    let widths = (0...depth).map { options.filters(64 << $0) }
    /// What is taken up again on the way back, from fine to coarse, and its height and width.
    var levels: [(name: String, height: Int, width: Int)] = []
    var (height, width) = (options.extent(0), options.extent(1))
    double(widths[0], widths[0], "inc")
    for level in 1...depth {
      levels.append((net.last, height, width))
      (height, width) = (height / 2, width / 2)
      net.maxPool(2, name: "down\(level).maxpool_conv.0")
      // The narrowest image has half as many channels, as many as the one it is joined with.
      let filters = level == depth ? max(1, widths[level] / 2) : widths[level]
      double(filters, filters, "down\(level).maxpool_conv.1")
    }
    for (step, level) in levels.enumerated().reversed() {
      let name = "up\(depth - step)"
      let resize =
        switch options.upsampling {
        case .bilinear: Resize(.bilinear, height: level.height, width: level.width, coordinates: .alignCorners)
        case .nearest: Resize(.nearest, height: level.height, width: level.width, coordinates: .asymmetric)
        }
      let larger = net.add(.resize(resize), [net.last], name: "\(name).up")
      net.concat([level.name, larger], name: "\(name).concat")
      double(widths[step], step > 0 ? max(1, widths[step] / 2) : widths[0], "\(name).conv")
    }
    net.conv2d(filters: options.classes, kernel: 1, name: "outc.conv")
  }
}
