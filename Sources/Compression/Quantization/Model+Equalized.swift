import Diagnostics
import Network
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Model {
  /// The same function with channels of more alike ranges: where one layer's output goes to one other layer, past
  /// nothing but relu, pooling and reshaping, each channel is divided by a factor in the first and multiplied by it in
  /// the second, until both have weights of about the same size (Nagel et al. 2019). For one scale a tensor, and for
  /// activations, that leaves more of the integers to use.
  ///
  /// A batch norm between them is scaled in the first layer's place, and keeps saying what its outputs are like. The
  /// factors are powers of two, so that outputs stay what they were, to the bit.
  ///
  /// - Returns: and how many pairs of layers were made alike.
  public func equalized() throws -> (model: Model, pairs: Int) {
    var model = self
    let pairs = equalizablePairs
    for _ in 0..<20 {
      var isDone = true
      for pair in pairs where try model.equalize(pair) { isDone = false }
      if isDone { break }
    }
    return (model, pairs.count)
  }

  private var equalizablePairs: [ScalablePair] {
    graph.scalablePairs.filter { pair in
      [pair.first, pair.second].allSatisfy {
        if case .float(let weight)? = self[$0, .weight]?.encoding { weight.dtype == .float32 } else { false }
      }
    }
  }

  /// The layers whose input's channels can be scaled in the layer before.
  public var equalizableLayers: [String] { equalizablePairs.map(\.second) }

  /// The same function with channels of more alike ranges between layers, for weights that have a scale for each output
  /// channel and values that have one for all: a channel's values and the weights that take it are made alike in the way
  /// of SmoothQuant (Xiao et al. 2023, with α = 1/2), the weights of each filter relative to its greatest. Where a
  /// depthwise convolution takes them its scales follow for free, and values alone count.
  ///
  /// - Parameter magnitudes: by layer, of its input the greatest magnitude of each channel; layers that have none stay.
  /// - Returns: and how many pairs of layers were made alike.
  public func equalized(to magnitudes: [String: [Float]]) throws -> (model: Model, pairs: Int) {
    var model = self, count = 0
    for pair in equalizablePairs {
      guard let values = magnitudes[pair.second] else { continue }
      try Cancellation.checkCurrent()
      let weight = model[pair.second, .weight]!.values, channels = values.count
      guard model[pair.first, .weight]!.shape[0] == channels else { continue }
      let width = weight.shape.dims.last!, each = weight.count / weight.shape[0]
      var taken = [Float](repeating: 0, count: channels)
      if !pair.isDepthwise {
        weight.withElements(Float.self) { weight in
          for filter in 0..<weight.count / each {
            let row = weight[filter * each..<(filter + 1) * each]
            let greatest = row.reduce(0) { max($0, abs($1)) }
            guard greatest > 0 else { continue }
            // Of a flattened image, each of its pixels has all channels.
            for i in 0..<each {
              let channel = i % width % channels
              taken[channel] = max(taken[channel], abs(row[row.startIndex + i]) / greatest)
            }
          }
        }
      }
      let known = values.filter(\.isNormal)
      guard !known.isEmpty else { continue }
      let mean = exp2f(known.reduce(0) { $0 + log2f($1) } / Float(known.count))
      let factors = (0..<channels).map { channel -> Float in
        let value = values[channel] / mean
        guard value.isNormal else { return 1 }
        guard !pair.isDepthwise else { return exp2f(log2f(value).rounded(.toNearestOrEven)) }
        guard taken[channel].isNormal else { return 1 }
        return exp2f((log2f(value / taken[channel]) / 2).rounded(.toNearestOrEven))
      }
      guard factors.contains(where: { $0 != factors[0] }) else { continue }
      try model.scale(pair, by: factors)
      count += 1
    }
    return (model, count)
  }

  /// The same function as this model's, with channels between layers scaled as equalization scaled those of a model
  /// that was made of it: what each layer gives can then be held against that model's. Factors are found by the
  /// weights: powers of two by which the first layer of a pair has become smaller, and which the second makes up for.
  ///
  /// - Returns: both with batch norms folded, so that they have the same layers, and the layers whose outputs were
  ///   scaled; the two as they are, and none, where nothing was scaled or they are not of one network.
  public func equalized(like other: Model) throws -> (model: Model, other: Model, layers: [String]) {
    var model = try foldingBatchNorm(), layers: [String] = []
    let other = try other.foldingBatchNorm()
    guard model.graph == other.graph else { return (self, other, []) }
    // In the graph's order: what a layer takes is scaled before what it gives is looked at.
    for pair in model.equalizablePairs {
      guard let first = other[pair.first, .weight]?.values, let second = other[pair.second, .weight]?.values else {
        continue
      }
      try Cancellation.checkCurrent()
      let factors = try model.factors(of: pair, first)
      guard factors.contains(where: { $0 != 1 }) else { continue }
      var scaled = model
      try scaled.scale(pair, by: factors)
      // By chance, or by harm, a filter alone may be half as large: then the second layer has not made up for it.
      // (Where all are scaled alike, its filters are only shorter or longer.)
      let distances = try [scaled, model].map { try $0.distance(of: pair.second, to: second) }
      guard distances[0] <= distances[1] * (1 + 1e-6) + 1e-9 else { continue }
      model = scaled
      layers.append(pair.first)
    }
    return (model, other, layers)
  }

  /// By which powers of two the filters of a pair's first layer have become smaller.
  private func factors(of pair: ScalablePair, _ changed: Tensor) throws -> [Float] {
    let own = self[pair.first, .weight]!.values, filters = own.shape[0]
    return own.withElements(Float.self) { a in
      changed.withElements(Float.self) { b in
        let width = a.count / filters
        return (0..<filters).map { filter in
          var square = 0.0, product = 0.0
          for i in filter * width..<(filter + 1) * width {
            square += Double(a[i]) * Double(a[i])
            product += Double(a[i]) * Double(b[i])
          }
          guard square > 0, product > 0 else { return 1 }
          let exponent = -log2(product / square), whole = exponent.rounded()
          // Quantized weights are about as large as they were.
          return abs(exponent - whole) < 0.25 && abs(whole) <= 60 ? exp2f(Float(whole)) : 1
        }
      }
    }
  }

  /// How far a layer's weights are from others, each filter times what fits it best: what it gives may be scaled, too.
  private func distance(of layer: String, to others: Tensor) throws -> Double {
    let own = self[layer, .weight]!.values, filters = own.shape[0]
    return own.withElements(Float.self) { a in
      others.withElements(Float.self) { b in
        let width = a.count / filters
        return (0..<filters).reduce(0) { sum, filter in
          var squares = 0.0, product = 0.0, wanted = 0.0
          for i in filter * width..<(filter + 1) * width {
            squares += Double(a[i]) * Double(a[i])
            product += Double(a[i]) * Double(b[i])
            wanted += Double(b[i]) * Double(b[i])
          }
          guard wanted > 0 else { return sum }
          return sum + 1 - (squares > 0 ? product * product / (squares * wanted) : 0)
        }
      }
    }
  }

  /// Divides the first layer's output by the factors of its channels, and multiplies what the second makes of them.
  private mutating func scale(_ pair: ScalablePair, by factors: [Float]) throws {
    let a = self[pair.first, .weight]!.shape, b = self[pair.second, .weight]!.shape
    let width = a.count / a[0], last = b.dims.last!, perChannel = b.count / factors.count
    if let norm = pair.norm {
      for role in [ParameterRole.gamma, .beta] { try scale(norm, role) { 1 / factors[$0] } }
    } else {
      try scale(pair.first, .weight) { 1 / factors[$0 / width] }
      if self[pair.first, .bias] != nil { try scale(pair.first, .bias) { 1 / factors[$0] } }
    }
    try scale(pair.second, .weight) { factors[pair.isDepthwise ? $0 / perChannel : $0 % last % factors.count] }
  }

  /// - Returns: whether anything changed.
  private mutating func equalize(_ pair: ScalablePair) throws -> Bool {
    let a = self[pair.first, .weight]!.values, b = self[pair.second, .weight]!.values
    let channels = a.shape[0], width = a.count / channels
    /// The channel that each weight of the second layer belongs to.
    let last = b.shape.dims.last!, perChannel = b.count / channels
    func channel(_ index: Int) -> Int { pair.isDepthwise ? index / perChannel : index % last % channels }
    var ranges = [(Float, Float)](repeating: (0, 0), count: channels)
    try Cancellation.checkCurrent()
    a.withElements(Float.self) { a in
      for run in Cancellation.runs(a.count) {
        for i in run { ranges[i / width].0 = max(ranges[i / width].0, abs(a[i])) }
      }
    }
    // As they are once batch norms are folded.
    let perFilter = b.count / b.shape[0], after = pair.secondNorm.map { normFactors(of: $0) }
    b.withElements(Float.self) { b in
      for run in Cancellation.runs(b.count) {
        for i in run {
          ranges[channel(i)].1 = max(ranges[channel(i)].1, abs(b[i] * (after?[i / perFilter] ?? 1)))
        }
      }
    }
    if let norm = pair.norm {
      for (channel, factor) in normFactors(of: norm).enumerated() { ranges[channel].0 *= abs(factor) }
    }
    let factors = ranges.map { first, second -> Float in
      guard first.isNormal, second.isNormal else { return 1 }
      return exp2f((log2f(first / second) / 2).rounded(.toNearestOrEven))
    }
    guard factors.contains(where: { $0 != 1 }) else { return false }
    try scale(pair, by: factors)
    return true
  }

  private mutating func scale(_ layer: String, _ role: ParameterRole, by factor: (Int) -> Float) throws {
    let parameter = self[layer, role]!
    var values = parameter.values
    values.withMutable(Float.self) { values in
      for run in Cancellation.runs(values.count) { for i in run { values[i] *= factor(i) } }
    }
    try set(parameter.encoded(as: .float(values)), layer, role)
  }
}

/// Two layers with weights, the first of which feeds the second alone.
private struct ScalablePair {
  let first: String
  /// The batch norm right behind the first.
  let norm: String?
  let second: String
  let secondNorm: String?
  let isDepthwise: Bool
}

extension Graph {
  /// In the graph's order.
  fileprivate var scalablePairs: [ScalablePair] {
    let consumers = consumers
    return nodes.compactMap { node in
      guard node.op.hasWeight, !isShared(node.name) else { return nil }
      var name = node.name
      func norm(after name: String) -> String? {
        guard !isOutput(name), let next = consumers[name], next.count == 1, self[next[0]]?.op.isBatchNorm == true
        else { return nil }
        return next[0]
      }
      func pair(_ second: String, isDepthwise: Bool) -> ScalablePair {
        ScalablePair(
          first: node.name, norm: norm(after: node.name), second: second, secondNorm: norm(after: second),
          isDepthwise: isDepthwise)
      }
      while !isOutput(name), let next = consumers[name], next.count == 1, let reader = self[next[0]] {
        if let layer = reader.op.weighted {
          guard !isShared(reader.name) else { return nil }
          if layer.groups == 1 { return pair(reader.name, isDepthwise: false) }
          let channels = shape(of: node.output).dims.last!
          guard layer.groups == channels, shape(of: reader.output).dims.last == channels else { return nil }
          return pair(reader.name, isDepthwise: true)
        }
        if reader.op.isBatchNorm, name == node.name {
          name = reader.name
        } else if carriesChannelScale(reader) {
          name = reader.output
        } else {
          return nil
        }
      }
      return nil
    }
  }
}

extension Graph {
  /// Whether what each channel of a node's one input is multiplied by may as well be multiplied behind the node.
  private func carriesChannelScale(_ node: Node) -> Bool {
    guard node.inputs.count == 1, node.op.spec.preserves.contains(.scale) else { return false }
    // A reshape may make channels of pixels, and channels padded to the channels move the others.
    if case .reshape = node.op { return false }
    return true
  }
}
