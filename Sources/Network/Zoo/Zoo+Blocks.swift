import Tensors

// What several networks are made of.
extension GraphBuilder {
  /// A convolution without bias that keeps the size of the image where its stride is 1, its batch norm, and a function.
  @discardableResult
  mutating func convNorm(
    filters: Int, kernel: Int, stride: Int = 1, groups: Int = 1, _ function: Activation? = nil,
    _ norm: BatchNorm = .torch, from: String? = nil, names: (conv: String, norm: String)
  ) -> String {
    conv2d(
      filters: filters, kernel: kernel, stride: stride, padding: Zoo.pad(kernel / 2), groups: groups, bias: false,
      from: from, name: names.conv)
    batchNorm(norm, name: names.norm)
    if let function {
      activation(function, name: "\(names.norm).\(function == .relu6 ? "relu" : function.name)")
    }
    return last
  }

  /// Squeeze-and-excitation (Hu et al. 2018): each channel of the image is multiplied by a gate, which follows from the
  /// averages of all. Its two layers are convolutions of 1x1 pixels, as torchvision has them.
  @discardableResult
  mutating func squeezeExcitation(
    _ channels: Int, squeezed: Int, _ function: Activation, gate: Activation, name: String
  ) -> String {
    let image = last
    globalAveragePool(name: "\(name).avgpool")
    reshape([1, 1, channels], name: "\(name).pixel")
    conv2d(filters: squeezed, kernel: 1, name: "\(name).fc1")
    activation(function, name: "\(name).activation")
    conv2d(filters: channels, kernel: 1, name: "\(name).fc2")
    let gate = activation(gate, name: "\(name).scale_activation")
    return mul(image, gate, name: "\(name).mul")
  }

  /// Some channels of an image or of tokens, one after the other.
  @discardableResult
  mutating func channels(_ range: Range<Int>, axis: Int, from: String, name: String) -> String {
    add(.gather(Gather(axis: axis, Array(range))), [from], name: name)
  }
}
