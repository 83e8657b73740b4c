import Tensors

extension Zoo {
  /// A small detector without anchors, after FCOS (Tian et al. 2019): MobileNetV2's features at strides of 8, 16 and
  /// 32 pixels, a feature pyramid (Lin et al. 2017), and at each stride scores of classes, and the distances of a box's
  /// four sides from the pixel, in strides. There is no centerness.
  ///
  /// Outputs, from fine to coarse: `scores8`, `distances8`, `scores16`, `distances16`, `scores32`, `distances32`,
  /// images of as many channels as classes and of four. Layers of the backbone are called as torchvision's, behind
  /// `backbone.`.
  static let detector = Entry(
    "detector", "anchor-free, on MobileNetV2's features (after FCOS; Tian et al. 2019): 1,462,652 parameters",
    Initialization(convolution: .heNormalFanOut, dense: .smallNormal),
    ZooOptions(input: [320, 320, 3], classes: 80), [.width], task: .detection
  ) { net, options in
    let features = mobilenetV2Features(&net, options, mobilenetV2Stages.dropLast(), prefix: "backbone.").outputs
    let scales: [(stride: Int, stage: Int)] = [(8, 2), (16, 4), (32, 5)]
    let filters = options.filters(divisibleByEight: 64)
    let laterals = scales.map { scale in
      net.convNorm(
        filters: filters, kernel: 1, from: features[scale.stage],
        names: ("neck.lateral\(scale.stride).conv", "neck.lateral\(scale.stride).norm"))
    }
    // From coarse to fine: each scale is summed with the enlarged one below it.
    func extent(_ axis: Int, _ stride: Int) -> Int { (options.extent(axis) + stride - 1) / stride }
    var merged = laterals
    for index in [1, 0] {
      let stride = scales[index].stride
      let larger = net.add(
        .resize(Resize(.nearest, height: extent(0, stride), width: extent(1, stride), coordinates: .asymmetric)),
        [merged[index + 1]], name: "neck.up\(stride)")
      merged[index] = net.add(laterals[index], larger, name: "neck.sum\(stride)")
    }
    var outputs: [String] = []
    for (scale, input) in zip(scales, merged) {
      func tower(_ kind: String) -> String {
        var last = input
        for layer in 0..<2 {
          let name = "head\(scale.stride).\(kind).\(layer)"
          net.convNorm(
            filters: filters, kernel: 3, groups: filters, .relu6, from: last,
            names: ("\(name).depthwise", "\(name).norm1"))
          last = net.convNorm(filters: filters, kernel: 1, .relu6, names: ("\(name).pointwise", "\(name).norm2"))
        }
        return last
      }
      outputs.append(
        net.conv2d(filters: options.classes, kernel: 1, from: tower("class"), name: "scores\(scale.stride)"))
      net.conv2d(filters: 4, kernel: 1, from: tower("box"), name: "head\(scale.stride).box.sides")
      outputs.append(net.activation(.relu, name: "distances\(scale.stride)"))
    }
    net.outputs = outputs
  }
}
