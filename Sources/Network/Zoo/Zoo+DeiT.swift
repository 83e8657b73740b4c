import Tensors

extension Zoo {
  /// Touvron et al. 2021, as in timm (deit_tiny_patch16_224): a vision transformer of twelve blocks and three heads.
  /// Queries, keys and values are parts of one dense layer.
  static let deitTiny = Entry(
    "deit_tiny", "vision transformer of 192 channels and 3 heads (Touvron et al. 2021): 5,717,416 parameters",
    Initialization(convolution: .glorotUniform, dense: .smallTruncatedNormal),
    ZooOptions(input: [224, 224, 3], classes: 1000), [.stem, .width]
  ) { net, options in
    let patch = options.stem == .imagenet ? 16 : 4, heads = 3
    let channels = heads * options.filters(64)
    let patches = (options.extent(0) / patch) * (options.extent(1) / patch)
    func norm(_ name: String) {
      net.add(.normalization(SampleNorm(epsilon: 1e-6)), [net.last], name: name)
    }

    net.conv2d(filters: channels, kernel: patch, stride: patch, name: "patch_embed.proj")
    let image = net.reshape([patches, channels], name: "patch_embed.tokens")
    // The class's token and the positions have the shapes of a batch of one, as timm has them.
    net.constant([1, 1, channels], isTrained: true, name: "cls_token")
    let token = net.reshape([1, channels], name: "cls_token.row")
    let tokens = net.concat([token, image], axis: 0, name: "tokens")
    net.constant([1, patches + 1, channels], isTrained: true, name: "pos_embed")
    let positions = net.reshape([patches + 1, channels], name: "pos_embed.rows")
    net.add(tokens, positions, name: "pos_embed.add")
    for block in 0..<12 {
      let name = "blocks.\(block)"
      var input = net.last
      norm("\(name).norm1")
      let joined = net.dense(3 * channels, name: "\(name).attn.qkv")
      let parts = ["q", "k", "v"].enumerated().map { index, part in
        net.channels(index * channels..<(index + 1) * channels, axis: 1, from: joined, name: "\(name).attn.\(part)")
      }
      net.add(.attention(Attention(heads: heads)), parts, name: "\(name).attn")
      net.dense(channels, name: "\(name).attn.proj")
      net.add(input, net.last, name: "\(name).add1")
      input = net.last
      norm("\(name).norm2")
      net.dense(4 * channels, name: "\(name).mlp.fc1")
      net.activation(.gelu, name: "\(name).mlp.act")
      net.dense(channels, name: "\(name).mlp.fc2")
      net.add(input, net.last, name: "\(name).add2")
    }
    // Only the class's token is read.
    net.add(.gather(Gather(axis: 0, [0])), [net.last], name: "token")
    net.flatten(name: "flatten")
    norm("norm")
    net.dense(options.classes, name: "head")
  }
}
