import Tensors

extension Zoo {
  /// Ma et al. 2018, as in torchvision: half of the channels go through a unit, and a shuffle mixes the halves.
  /// Widths of 0.5, 1.5 and 2 are those published.
  static let shufflenetV2 = Entry(
    "shufflenet_v2", "split and shuffled channels (Ma et al. 2018): 2,294,784 parameters",
    Initialization(convolution: .heNormal, dense: .glorotUniform),
    ZooOptions(input: [224, 224, 3], classes: 1000), [.stem, .width]
  ) { net, options in
    let published: [Double: [Int]] = [
      0.5: [24, 48, 96, 192, 1024], 1: [24, 116, 232, 464, 1024], 1.5: [24, 176, 352, 704, 1024],
      2: [24, 244, 488, 976, 2048],
    ]
    let widths =
      published[options.width] ?? published[1]!.map { max(2, Int((Double($0) * options.width / 2).rounded()) * 2) }
    var channels = widths[0]

    /// Depthwise where it has no filters of its own.
    func convolution(_ filters: Int?, stride: Int = 1, from: String? = nil, _ branch: String, _ place: Int) {
      let input = filters == nil ? channels : 1
      net.convNorm(
        filters: filters ?? channels, kernel: filters == nil ? 3 : 1, stride: stride, groups: input,
        filters == nil ? nil : .relu, from: from, names: ("\(branch).\(place)", "\(branch).\(place + 1)"))
      channels = filters ?? channels
    }

    net.convNorm(filters: channels, kernel: 3, stride: options.firstStride, .relu, names: ("conv1.0", "conv1.1"))
    if options.stem == .imagenet { net.maxPool(3, stride: 2, padding: pad(1), name: "maxpool") }
    for (stage, count) in [4, 8, 4].enumerated() {
      let width = widths[stage + 1], half = width / 2
      for unit in 0..<count {
        let name = "stage\(stage + 2).\(unit)", stride = unit == 0 ? 2 : 1
        let input = net.last
        let first: String, second: String
        if unit == 0 {
          let before = channels
          convolution(nil, stride: 2, from: input, "\(name).branch1", 0)
          convolution(half, "\(name).branch1", 2)
          (first, second, channels) = (net.last, input, before)
        } else {
          first = net.channels(0..<half, axis: 2, from: input, name: "\(name).first")
          second = net.channels(half..<width, axis: 2, from: input, name: "\(name).second")
        }
        convolution(half, from: second, "\(name).branch2", 0)
        convolution(nil, stride: stride, "\(name).branch2", 3)
        convolution(half, "\(name).branch2", 5)
        net.concat([first, net.last], name: "\(name).concat")
        net.add(.gather(Gather(shuffling: width, groups: 2, axis: 2)), [net.last], name: "\(name).shuffle")
        channels = width
      }
    }
    net.convNorm(filters: widths[4], kernel: 1, .relu, names: ("conv5.0", "conv5.1"))
    net.globalAveragePool(name: "pool")
    net.dense(options.classes, name: "fc")
  }
}
