import Diagnostics
import Kernels
import Network
import Tensors

/// Orders of channels in which those that stand together, four to a block for instance, are alike: weights that are
/// removed block by block then lose less, for a block holds what is small or what is large and seldom both. The idea is
/// that of channel permutations for 2:4 sparsity (Pool and Yu 2021); here a block is worth the square of its magnitude,
/// added up over every layer that reads the channels, so that a pair of channels counts by one number.
public struct ChannelOrder {
  public let groups: ChannelGroups
  private let model: Model
  /// Channels to a block.
  private let size: Int

  /// - Parameter size: channels to a block, at least 2.
  public init(_ model: Model, blocksOf size: Int) {
    precondition(size >= 2)
    self.model = model
    self.size = size
    groups = ChannelGroups(model.graph)
  }

  /// By the group's position in `groups`, the order of its channels. Groups that have no more than a block, or of which a
  /// value holds a part alone, keep theirs.
  ///
  /// - Parameter step: called before each group with how many have been looked at.
  public func orders(pool: ThreadPool, step: (Int) throws -> Void = { _ in }) throws -> [Int: [Int]] {
    var orders: [Int: [Int]] = [:]
    for (index, group) in groups.groups.enumerated() {
      try step(index)
      guard group.width > size, groups.movesFreely(index), let products = products(of: index, pool) else { continue }
      let order = Self.order(products, width: group.width, size: size)
      if order != Array(0..<group.width) { orders[index] = order }
    }
    return orders
  }

  /// The model with its channels in those orders: the same function.
  public func model(in orders: [Int: [Int]]) throws -> Model {
    try model.reorderingChannels(groups.reordered(orders))
  }

  /// For each two channels of a group, the sum of the products of the magnitudes that are read of them side by side, over
  /// all layers that read them, each layer's squares adding up to one; nil where none does.
  private func products(of group: Int, _ pool: ThreadPool) -> [Float]? {
    let width = groups.groups[group].width
    var products: [Float]?
    for node in model.graph.nodes where Self.blocksMatter(node) {
      let places = groups.places(of: group, in: node.inputs[0])
      guard let times = places.first?.count, times > 0, let weight = model[node.name, .weight]?.values else {
        continue
      }
      var sums = products ?? [Float](repeating: 0, count: width * width)
      weight.withElements(Float.self) { weights in
        let squares = weights.reduce(0.0) { $0 + Double($1) * Double($1) }
        guard squares > 0, squares.isFinite else { return }
        let scale = Float(1 / squares.squareRoot()), inputs = weight.shape.dims.last!
        Self.add(weights, inputs: inputs, places, times: times, scale: scale, to: &sums, pool)
      }
      products = sums
    }
    return products
  }

  /// Whether the layer's weights may be removed in blocks of neighbouring inputs.
  private static func blocksMatter(_ node: Node) -> Bool {
    switch node.op {
    case .conv2d(let conv): conv.groups == 1
    case .dense: true
    default: false
    }
  }

  /// Rows of magnitudes that are multiplied at a time.
  private static let rowsAtOnce = 4096

  private static func add(
    _ weights: UnsafeBufferPointer<Float>, inputs: Int, _ places: [[Int]], times: Int, scale: Float,
    to sums: inout [Float], _ pool: ThreadPool
  ) {
    let width = places.count, rows = weights.count / inputs * times
    var magnitudes = [Float](repeating: 0, count: min(rows, rowsAtOnce) * width)
    for first in stride(from: 0, to: rows, by: rowsAtOnce) {
      let count = min(rowsAtOnce, rows - first)
      for row in 0..<count {
        let (filter, time) = ((first + row) / times, (first + row) % times)
        for channel in 0..<width {
          magnitudes[row * width + channel] = weights[filter * inputs + places[channel][time]].magnitude * scale
        }
      }
      let product = MatrixProduct(m: width, n: width, k: count, transposeA: true)
      let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: product.scratchBytes, alignment: 64)
      defer { scratch.deallocate() }
      magnitudes.withUnsafeBufferPointer { rows in
        sums.withUnsafeMutableBufferPointer {
          product.run(
            a: rows.baseAddress!, b: rows.baseAddress!, c: $0.baseAddress!, accumulate: true, scratch: scratch,
            pool: pool)
        }
      }
    }
  }

  /// Blocks by turns: the channel that weighs most and those that are most alike it. Then channels change places as long
  /// as that adds to what the blocks are worth.
  static func order(_ products: [Float], width: Int, size: Int) -> [Int] {
    func product(_ a: Int, _ b: Int) -> Float { products[a * width + b] }
    var left = (0..<width).sorted { (product($1, $1), $0) < (product($0, $0), $1) }
    var blocks: [[Int]] = []
    while !left.isEmpty {
      var block = [left.removeFirst()]
      while block.count < size, !left.isEmpty {
        var best = 0, most = -Float.infinity
        for (place, channel) in left.enumerated() {
          let worth = block.reduce(0) { $0 + product($1, channel) }
          if worth > most { (best, most) = (place, worth) }
        }
        block.append(left.remove(at: best))
      }
      blocks.append(block)
    }
    exchange(&blocks, product)
    // A short block can only be the last.
    let (whole, short) = (blocks.filter { $0.count == size }, blocks.filter { $0.count < size })
    return (whole.map { $0.sorted() }.sorted { $0[0] < $1[0] } + short.map { $0.sorted() }).flatMap(\.self)
  }

  private static let mostExchangeRounds = 8

  private static func exchange(_ blocks: inout [[Int]], _ product: (Int, Int) -> Float) {
    func worth(_ channel: Int, _ block: [Int], without other: Int) -> Float {
      block.reduce(0) { $1 == other ? $0 : $0 + product(channel, $1) }
    }
    for _ in 0..<mostExchangeRounds {
      var isBetter = false
      for first in blocks.indices {
        for second in blocks.indices where second > first {
          for i in blocks[first].indices {
            for j in blocks[second].indices {
              let a = blocks[first][i], b = blocks[second][j]
              let now = worth(a, blocks[first], without: a) + worth(b, blocks[second], without: b)
              let then = worth(b, blocks[first], without: a) + worth(a, blocks[second], without: b)
              // Rounding must not send them to and fro.
              guard then > now * 1.00001 else { continue }
              blocks[first][i] = b
              blocks[second][j] = a
              isBetter = true
            }
          }
        }
      }
      if !isBetter { return }
    }
  }

  /// What the largest blocks hold of the magnitudes of each layer, on average over the layers.
  ///
  /// - Parameter share: of the blocks.
  public static func held(_ model: Model, blocksOf size: Int, by share: Double) -> Double {
    var sum = 0.0, layers = 0
    for node in model.graph.nodes where blocksMatter(node) {
      guard let weight = model[node.name, .weight]?.values else { continue }
      let inputs = weight.shape.dims.last!
      guard inputs > size else { continue }
      var blocks: [Float] = []
      weight.withElements(Float.self) { weights in
        for row in stride(from: 0, to: weights.count, by: inputs) {
          for first in stride(from: 0, to: inputs, by: size) {
            blocks.append(weights[row + first..<row + min(first + size, inputs)].reduce(0) { $0 + $1.magnitude })
          }
        }
      }
      blocks.sort(by: >)
      let total = blocks.reduce(0.0) { $0 + Double($1) }
      guard total > 0, total.isFinite else { continue }
      let kept = blocks.prefix(Int((Double(blocks.count) * share).rounded())).reduce(0.0) { $0 + Double($1) }
      sum += kept / total
      layers += 1
    }
    return layers == 0 ? 0 : sum / Double(layers)
  }
}

extension ChannelGroups {
  /// For each channel of a group, where it lies among those of a value; empty lists where the value has none of it.
  func places(of group: Int, in value: String) -> [[Int]] {
    var places: [Int: [Int]] = [:]
    for (channel, number) in classOfChannel[graph.index(ofValue: value)!].enumerated() {
      places[number, default: []].append(channel)
    }
    return groups[group].classes.map { places[$0] ?? [] }
  }

  /// Whether every value has all channels of a group equally often, or none: then they may change places.
  func movesFreely(_ group: Int) -> Bool {
    graph.values.allSatisfy { value in
      let counts = places(of: group, in: value).map(\.count)
      return counts.allSatisfy { $0 == counts[0] }
    }
  }

  /// By value, the channel that comes to each place when the channels of some groups, that move freely, stand in another
  /// order; values that keep theirs are left out.
  ///
  /// - Parameter orders: by the group's position in `groups`: the channel that comes to each place.
  func reordered(_ orders: [Int: [Int]]) -> [String: [Int]] {
    var replaced: [Int: Int] = [:]
    for (group, order) in orders {
      for (place, channel) in order.enumerated() {
        replaced[groups[group].classes[place]] = groups[group].classes[channel]
      }
    }
    var reordered: [String: [Int]] = [:]
    for (value, classes) in zip(graph.values, classOfChannel) {
      var places: [Int: [Int]] = [:]
      for (channel, number) in classes.enumerated() { places[number, default: []].append(channel) }
      var seen: [Int: Int] = [:]
      let channels = classes.map { number in
        let time = seen[number, default: 0]
        seen[number] = time + 1
        return places[replaced[number] ?? number]![time]
      }
      if channels != Array(classes.indices) { reordered[value] = channels }
    }
    return reordered
  }
}
