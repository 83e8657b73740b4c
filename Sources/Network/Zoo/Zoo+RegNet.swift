import Tensors

extension Zoo {
  /// Radosavovic et al. 2020, as in torchvision: groups of 8 channels, and gates.
  static let regnetY400MF = Entry(
    "regnet_y_400mf", "grouped residual blocks with gates (Radosavovic et al. 2020): 4,371,296 parameters",
    Initialization(convolution: .heNormalFanOut, dense: .smallNormal),
    ZooOptions(input: [224, 224, 3], classes: 1000), [.stem, .width]
  ) { net, options in
    let group = 8
    var channels = options.filters(divisibleByEight: 32)
    net.convNorm(filters: channels, kernel: 3, stride: options.firstStride, .relu, names: ("stem.0", "stem.1"))
    for (stage, (width, count)) in [(48, 1), (104, 3), (208, 6), (440, 6)].enumerated() {
      let filters = max(group, Int((Double(width) * options.width / Double(group)).rounded()) * group)
      for block in 0..<count {
        let name = "trunk_output.block\(stage + 1).block\(stage + 1)-\(block)", stride = block == 0 ? 2 : 1
        let input = net.last
        var shortcut = input
        if stride != 1 || channels != filters {
          shortcut = net.convNorm(
            filters: filters, kernel: 1, stride: stride, from: input, names: ("\(name).proj.0", "\(name).proj.1"))
        }
        net.convNorm(filters: filters, kernel: 1, .relu, from: input, names: ("\(name).f.a.0", "\(name).f.a.1"))
        net.convNorm(
          filters: filters, kernel: 3, stride: stride, groups: filters / group, .relu,
          names: ("\(name).f.b.0", "\(name).f.b.1"))
        // As wide as a quarter of what the block reads.
        let squeezed = Int((0.25 * Double(channels)).rounded(.toNearestOrEven))
        net.squeezeExcitation(filters, squeezed: squeezed, .relu, gate: .sigmoid, name: "\(name).f.se")
        net.convNorm(filters: filters, kernel: 1, names: ("\(name).f.c.0", "\(name).f.c.1"))
        net.add(shortcut, net.last, name: "\(name).add")
        net.activation(.relu, name: "\(name).activation")
        channels = filters
      }
    }
    net.globalAveragePool(name: "avgpool")
    net.dense(options.classes, name: "fc")
  }
}
