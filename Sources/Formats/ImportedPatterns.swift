import Network
import Tensors

/// What exporters write out and one operator here computes: attention, blocks of pixels as channels, shuffles of
/// channels. They are told by which elements meet, whatever moved them there, so that all readers of foreign files have
/// them alike. What was written with them is left out where nothing else reads it.
struct ImportedPatterns {
  private let layers: ImportedLayers
  private let ends: Set<String>
  private let isRounded: (String) -> Bool
  /// The layers that read a value.
  private let readers: [String: [String]]
  /// Elements whose way is followed at most.
  private static let largest = 1 << 24

  /// - Parameters:
  ///   - ends: the network's outputs.
  ///   - isRounded: whether a value is rounded to integers: then it stays.
  init(_ layers: ImportedLayers, ends: [String], isRounded: @escaping (String) -> Bool) {
    self.layers = layers
    self.ends = Set(ends)
    self.isRounded = isRounded
    var readers: [String: [String]] = [:]
    for node in layers.needed(for: ends) { for input in node.inputs { readers[input, default: []].append(node.name) } }
    self.readers = readers
  }

  /// The layers with operators in the place of what they were written out as.
  static func recognized(
    _ layers: ImportedLayers, ends: [String], isRounded: @escaping (String) -> Bool
  ) throws -> ImportedLayers {
    var result = layers
    let patterns = ImportedPatterns(layers, ends: ends, isRounded: isRounded)
    for node in layers.needed(for: ends) {
      switch node.op {
      case .activation(.softmax):
        if let found = patterns.attention(node) { try result.replace(found.place, by: found.steps) }
      case .reshape: if let steps = patterns.shuffle(node) { try result.replace(node.name, by: steps) }
      case .concat: if let steps = patterns.blocks(node) { try result.replace(node.name, by: steps) }
      default: break
      }
    }
    return result
  }

  // MARK: Where elements come from

  /// A value that another one is picked from: for each of its elements the position in it, and what it is multiplied by.
  private struct Origin {
    var value: String
    var positions: [Int]
    var scale: Float = 1
  }

  private func shape(_ value: String) -> Shape { layers.shapes[value]! }

  /// The elements before what gives a value moved them; nil where that does something else.
  private func before(_ origin: Origin) -> Origin? {
    let node = layers[origin.value]
    guard !isRounded(origin.value), let input = node.inputs.first else { return nil }
    if let (value, factor) = scaled(node) {
      return Origin(value: value, positions: origin.positions, scale: origin.scale * factor)
    }
    guard node.inputs.count == 1 else { return nil }
    if node.op.isReshape { return Origin(value: input, positions: origin.positions, scale: origin.scale) }
    guard shape(input).count <= Self.largest, shape(node.name).count <= Self.largest, node.op.spec is any RearrangingSpec,
      let moved = node.op.spec.rearrangement([shape(input)])
    else { return nil }
    let sources = moved.sources
    return Origin(value: input, positions: origin.positions.map { sources[$0] }, scale: origin.scale)
  }

  /// The value that a node multiplies with a number or divides by one, and the number.
  private func scaled(_ node: Node) -> (value: String, factor: Float)? {
    guard node.inputs.count == 2 else { return nil }
    func number(_ index: Int) -> Float? {
      let name = node.inputs[index]
      guard case .constant = layers[name].op, shape(name).count == 1,
        case .float(let tensor)? = layers.parameters[name]?[.constant]?.encoding
      else { return nil }
      return tensor.converted(to: .float32).array(Float.self)[0]
    }
    func other(_ index: Int) -> String? {
      let name = node.inputs[index]
      return shape(name) == shape(node.name) ? name : nil
    }
    switch node.op {
    case .mul:
      if let factor = number(1), let value = other(0) { return (value, factor) }
      if let factor = number(0), let value = other(1) { return (value, factor) }
    case .binary(let binary) where binary.function == .div:
      if let divisor = number(1), divisor != 0, let value = other(0) { return (value, 1 / divisor) }
    default: break
    }
    return nil
  }

  // MARK: Attention

  /// Channels of tokens that heads take: `channels[head * size + place]`, of a value of so many channels a token.
  private struct Tokens {
    let value: String
    let count: Int
    let width: Int
    let channels: [Int]
    let scale: Float
  }

  /// What heads take of tokens, from the value furthest back of which each takes the same channels of every token.
  ///
  /// - Parameter places: of a value the positions of head, token and place within the head, in this order.
  private func tokens(_ value: String, heads: Int, count: Int, size: Int, _ places: [Int]) -> Tokens? {
    var origin: Origin? = Origin(value: value, positions: places), found: Tokens?
    while let here = origin {
      let elements = shape(here.value).count, width = elements / count
      if elements % count == 0 {
        let channels = (0..<heads * size).map { here.positions[$0 / size * count * size + $0 % size] }
        let isSame =
          channels.allSatisfy { $0 < width }
          && (0..<heads).allSatisfy { head in
            (0..<count).allSatisfy { token in
              (0..<size).allSatisfy {
                here.positions[(head * count + token) * size + $0] == token * width + channels[head * size + $0]
              }
            }
          }
        if isSame {
          found = Tokens(value: here.value, count: count, width: width, channels: channels, scale: here.scale)
        }
      }
      origin = before(here)
    }
    return found
  }

  /// `softmax(q k' * scale) v` of several heads, the operator in the place of the value that has tokens by channels again.
  private func attention(_ softmax: Node) -> (place: String, steps: [Node])? {
    // The scores, perhaps times a number, and what they weigh; nothing else reads either.
    var scores = softmax.inputs[0], scale: Float = 1
    guard isInner(softmax.name) else { return nil }
    while isInner(scores), let (value, factor) = scaled(layers[scores]) {
      scale *= factor
      scores = value
    }
    guard isInner(scores), case .matmul(let product) = layers[scores].op,
      let reader = readers[softmax.name]?.first, case .matmul(let weighing) = layers[reader].op,
      layers[reader].inputs[0] == softmax.name, layers[reader].inputs[1] != softmax.name
    else { return nil }
    let (q, k) = (layers[scores].inputs[0], layers[scores].inputs[1]), v = layers[reader].inputs[1]
    let rows = shape(q).dims, columns = shape(k).dims, values = shape(v).dims
    guard rows.count >= 2, columns.count == rows.count, values.count == rows.count,
      shape(scores).dims == shape(softmax.name).dims
    else { return nil }
    let heads = rows.dropLast(2).reduce(1, *), queries = rows[rows.count - 2], size = rows[rows.count - 1]
    let keys = columns[columns.count - (product.transposesSecond ? 2 : 1)]
    let width = values[values.count - (weighing.transposesSecond ? 2 : 1)]
    guard [q, k, v, reader].allSatisfy({ shape($0).count <= Self.largest }) else { return nil }
    /// Of a value of heads, in which tokens come before places within a head or behind them.
    func places(_ count: Int, _ size: Int, isTurned: Bool) -> [Int] {
      guard isTurned else { return Array(0..<heads * count * size) }
      return (0..<heads * count * size).map { index in
        let (head, token, place) = (index / (count * size), index / size % count, index % size)
        return (head * size + place) * count + token
      }
    }
    guard
      let q = tokens(q, heads: heads, count: queries, size: size, places(queries, size, isTurned: false)),
      let k = tokens(
        k, heads: heads, count: keys, size: size, places(keys, size, isTurned: !product.transposesSecond)),
      let v = tokens(
        v, heads: heads, count: keys, size: width, places(keys, width, isTurned: weighing.transposesSecond)),
      v.scale == 1, let place = joined(reader, heads: heads, tokens: queries, width: width)
    else { return nil }
    scale *= q.scale * k.scale
    let usual = 1 / Float(size).squareRoot(), isUsual = abs(scale - usual) <= 1e-6 * usual
    guard scale.isFinite else { return nil }
    var steps: [Node] = []
    func input(_ tokens: Tokens, _ role: String) -> String {
      var name = tokens.value
      if shape(name).dims != [tokens.count, tokens.width] {
        steps.append(
          Node("\(place) \(role) tokens", .reshape(Reshape([tokens.count, tokens.width])), [name]))
        name = steps[steps.count - 1].name
      }
      if tokens.channels != Array(0..<tokens.width) {
        steps.append(Node("\(place) \(role)", .gather(Gather(axis: 1, tokens.channels)), [name]))
        name = steps[steps.count - 1].name
      }
      return name
    }
    let inputs = [input(q, "queries"), input(k, "keys"), input(v, "values")]
    let op = Operator.attention(Attention(heads: heads, scale: isUsual ? nil : scale))
    let wanted = shape(place)
    if wanted.dims == [queries, heads * width] {
      steps.append(Node(place, op, inputs))
    } else {
      steps.append(Node("\(place) attention", op, inputs))
      steps.append(Node(place, .reshape(Reshape(wanted)), ["\(place) attention"]))
    }
    return (place, steps)
  }

  /// Whether one layer alone reads a value, which is rounded to nothing.
  private func isInner(_ value: String) -> Bool {
    readers[value]?.count == 1 && !ends.contains(value) && !isRounded(value)
  }

  /// The value behind what heads give in which their channels lie one after the other in each token.
  private func joined(_ heads: String, heads count: Int, tokens: Int, width: Int) -> String? {
    var value = heads, positions = Array(0..<count * tokens * width), found: String?
    while true {
      let isJoined = positions.indices.allSatisfy { index in
        let (token, head, place) = (index / (count * width), index / width % count, index % width)
        return positions[index] == (head * tokens + token) * width + place
      }
      if isJoined { found = value }
      guard isInner(value), let reader = readers[value]?.first else { return found }
      let node = layers[reader]
      guard node.inputs.count == 1 else { return found }
      if !node.op.isReshape {
        guard node.op.spec is any RearrangingSpec, let moved = node.op.spec.rearrangement([shape(value)]),
          moved.count == positions.count
        else { return found }
        positions = moved.sources.map { positions[$0] }
      }
      value = reader
    }
  }

  // MARK: Channels

  /// Channels of groups that are dealt out: a value under another shape, transposed and under its own shape again.
  private func shuffle(_ node: Node) -> [Node]? {
    let own = shape(node.name)
    guard case .transpose = layers[node.inputs[0]].op, own.rank >= 2, own.count <= Self.largest else { return nil }
    var origin: Origin? = Origin(value: node.inputs[0], positions: Array(0..<own.count)), found: Origin?
    while let here = origin {
      if shape(here.value) == own, here.value != node.inputs[0] { found = here }
      origin = before(here)
    }
    guard let found, found.scale == 1 else { return nil }
    let channels = own[own.rank - 1], order = Array(found.positions.prefix(channels))
    let isOfChannels = found.positions.indices.allSatisfy { index in
      found.positions[index] == index / channels * channels + order[index % channels]
    }
    guard isOfChannels, order.allSatisfy({ $0 < channels }), order != Array(0..<channels) else { return nil }
    return [Node(node.name, .gather(Gather(axis: own.rank - 1, order)), [found.value])]
  }

  /// Every second pixel in each direction, from each place on, joined as channels; or every third and so on.
  private func blocks(_ node: Node) -> [Node]? {
    let own = shape(node.name), count = node.inputs.count, block = Int(Double(count).squareRoot())
    guard block > 1, block * block == count, own.rank == 3, own.count <= Self.largest,
      node.inputs.allSatisfy({ shape($0) == shape(node.inputs[0]) }), own[0] == shape(node.inputs[0])[0],
      own[1] == shape(node.inputs[0])[1]
    else { return nil }
    var image: String?, places: [Int] = []
    for input in node.inputs {
      let part = shape(input), channels = part[2]
      var origin = Origin(value: input, positions: Array(0..<part.count))
      while let earlier = before(origin), earlier.scale == 1 { origin = earlier
        if shape(origin.value).dims == [own[0] * block, own[1] * block, channels] { break }
      }
      let width = own[1] * block
      guard shape(origin.value).dims == [own[0] * block, width, channels], image ?? origin.value == origin.value else {
        return nil
      }
      image = origin.value
      let first = origin.positions[0] / channels, (y, x) = (first / width, first % width)
      let isPart = origin.positions.indices.allSatisfy { index in
        let (row, column, channel) = (index / (own[1] * channels), index / channels % own[1], index % channels)
        return origin.positions[index] == ((row * block + y) * width + column * block + x) * channels + channel
      }
      guard y < block, x < block, isPart else { return nil }
      places.append(y * block + x)
    }
    guard let image, Set(places).count == count else { return nil }
    let channels = own[2] / count, order = places.flatMap { place in (0..<channels).map { place * channels + $0 } }
    let op = Operator.spaceToDepth(SpaceToDepth(block: block))
    if order == Array(0..<own[2]) { return [Node(node.name, op, [image])] }
    let name = "\(node.name) blocks"
    return [Node(name, op, [image]), Node(node.name, .gather(Gather(axis: 2, order)), [name])]
  }
}
