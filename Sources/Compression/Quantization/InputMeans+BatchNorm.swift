import Network

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension InputMeans {
  /// The means that batch norms promise, without any data: each channel of a batch norm's output is taken for a normal
  /// distribution of mean `beta` and deviation `|gamma|`, which what follows clips, adds and joins (Nagel et al. 2019,
  /// section 4.2.1). Layers that something else stands before, the network's input or the greatest of several values,
  /// have no mean.
  ///
  /// - Parameter model: with its batch norms, not folded.
  public init(promisedBy model: Model, of layers: some Sequence<String>) {
    self.init()
    var promised: [String: [Moments]] = [:]
    let graph = model.graph
    for node in graph.nodes { promised[node.output] = model.moments(of: node, promised) }
    for layer in layers {
      guard let node = graph[layer], let moments = promised[node.inputs[0]] else { continue }
      set(moments.map(\.mean), of: layer)
    }
  }
}

/// Of one channel.
private struct Moments {
  var mean: Double
  var variance: Double

  /// Of a normal variable that is held between bounds.
  func clamped(_ low: Double, _ high: Double) -> Moments {
    guard variance > 0 else { return Moments(mean: min(max(mean, low), high), variance: 0) }
    let deviation = variance.squareRoot()
    func density(_ z: Double) -> Double { z.isInfinite ? 0 : exp(-z * z / 2) / (2 * Double.pi).squareRoot() }
    func share(_ z: Double) -> Double { erfc(-z / 2.0.squareRoot()) / 2 }
    let a = (low - mean) / deviation, b = (high - mean) / deviation
    let below = share(a), inside = share(b) - share(a), above = 1 - share(b)
    /// Bounds that are infinite are never reached.
    func part(_ bound: Double, _ share: Double) -> Double { bound.isInfinite ? 0 : bound * share }
    func edge(_ z: Double) -> Double { z.isInfinite ? 0 : z * density(z) }
    let first = part(low, below) + part(high, above) + mean * inside + deviation * (density(a) - density(b))
    let second =
      part(low * low, below) + part(high * high, above) + (mean * mean + variance) * inside
      + 2 * mean * deviation * (density(a) - density(b)) + variance * (edge(a) - edge(b))
    return Moments(mean: first, variance: max(0, second - first * first))
  }
}

extension Model {
  /// nil where nothing is promised.
  fileprivate func moments(of node: Node, _ promised: [String: [Moments]]) -> [Moments]? {
    let inputs = node.inputs.map { promised[$0] }, spec = node.op.spec
    if node.op.isBatchNorm {
      guard let gamma = self[node.name, .gamma], let beta = self[node.name, .beta] else { return nil }
      return zip(gamma.values.array(Float.self), beta.values.array(Float.self)).map { gamma, beta in
        Moments(mean: Double(beta), variance: Double(gamma) * Double(gamma))
      }
    }
    if let range = spec.clampRange {
      return inputs[0]?.map { $0.clamped(Double(range.lowerBound), Double(range.upperBound)) }
    }
    switch node.op {
    case .add:
      guard var sum = inputs[0], let other = inputs[1], sum.count == other.count else { return nil }
      for c in sum.indices {
        sum[c] = Moments(mean: sum[c].mean + other[c].mean, variance: sum[c].variance + other[c].variance)
      }
      return sum
    case .concat(let concat) where concat.joinsChannels(rank: graph.shape(of: node.output).rank):
      return inputs.contains { $0 == nil } ? nil : inputs.flatMap { $0! }
    case .pool2d(let pool) where pool.reduction == .average: return inputs[0]
    case .globalPool(let pool) where pool.reduction == .average: return inputs[0]
    case .pad, .dropout: return inputs[0]
    case .flatten:
      guard let channels = inputs[0], !channels.isEmpty else { return nil }
      return (0..<graph.shape(of: node.output).count).map { channels[$0 % channels.count] }
    default: return nil  // the declared fallback: nothing is promised of any other operator
    }
  }
}
