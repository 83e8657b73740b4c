import Diagnostics
import Network
import Tensors

/// Dense layers and convolutions as two thinner layers each, by the singular values of their weights seen as matrices
/// of filters by inputs (Denton et al. 2014, "Exploiting Linear Structure Within Convolutional Networks"; Zhang et al.
/// 2015, "Accelerating Very Deep Convolutional Networks").
///
/// Of all products of that rank the one of the greatest singular values is nearest to the weight (Eckart and Young
/// 1936).
public struct LowRank {
  /// How far to go.
  public enum Target: Sendable, Hashable {
    /// The share of the sum of squares of each weight that stays.
    case energy(Double)
    /// The share of each layer's weights that stays.
    case ratio(Double)
    /// Of the whole network, all layers at the same energy.
    case cost(CostTarget)

    /// - Throws: `CompressError` when it is out of range.
    public func check() throws {
      switch self {
      case .energy(let share), .ratio(let share):
        guard share > 0, share <= 1 else {
          let name = if case .energy = self { "energy" } else { "ratio" }
          throw CompressError("\(name) = \(share) is not above 0 and up to 1")
        }
      case .cost(.channels): throw CompressError("factorizing removes no filters; its targets are macs and params")
      case .cost(let target): try target.check()
      }
    }
  }

  /// A rank for each layer that gets smaller by it, and what the network then costs.
  public struct Choice: Sendable {
    public var ranks: [String: Int]
    public var parameters: Int
    public var macs: Int
    /// Why the target was missed by more than a hundredth of the network, if it was.
    public var note: String?
  }

  private struct Layer {
    let name: String
    let shape: Shape
    let outputs: Int
    let inputs: Int
    /// Places the weights are used at.
    let positions: Int
    let u: Tensor
    let values: [Double]
    let v: Tensor
    /// Share of the sum of squares within the first values.
    let energies: [Double]

    /// Weights of the two layers, if these are fewer than those of the one.
    func weights(_ rank: Int) -> Int? {
      let weights = rank * (outputs + inputs)
      return weights < outputs * inputs ? weights : nil
    }

    func rank(energy: Double) -> Int { (energies.firstIndex { $0 >= energy } ?? energies.count - 1) + 1 }

    func rank(ratio: Double) -> Int {
      max(1, Int(ratio * Double(outputs * inputs) / Double(outputs + inputs)))
    }
  }

  private let model: Model
  private let layers: [Layer]
  private let whole: (parameters: Int, macs: Int)

  /// - Parameters:
  ///   - skips: layers to leave whole; so are depthwise and grouped convolutions.
  ///   - onProgress: called before every layer with its name; may throw to stop.
  /// - Throws: `CompressError` naming the layer when its weight is quantized, pruned or not finite, or when there is
  ///   no layer to factorize.
  public init(_ model: Model, skips: (String) -> Bool, onProgress: (String) throws -> Void = { _ in }) throws {
    self.model = model
    let cost = ChannelGroups(model.graph).cost(removing: [:])
    whole = (cost.parameters, cost.macs)
    layers = try model.graph.nodes.compactMap { node -> Layer? in
      guard !skips(node.name), let parameter = model[node.name, .weight] else { return nil }
      guard node.op.weighted?.groups == 1, !model.graph.isShared(node.name) else { return nil }
      return try atLayer(node.name) {
        guard case .float = parameter.encoding else {
          throw CompressError("its weight is quantized; factorize first, then quantize")
        }
        guard parameter.mask == nil else {
          throw CompressError("its weight is pruned, and its factors would not be; factorize first, then prune")
        }
        try onProgress(node.name)
        let weight = parameter.values, outputs = weight.shape[0]
        let (u, values, v) = try weight.reshaped([outputs, -1]).singularValueDecomposition()
        let total = values.reduce(0) { $0 + $1 * $1 }
        var sum = 0.0
        let energies = values.map { value in
          sum += value * value
          return total > 0 ? sum / total : 1
        }
        let output = model.graph.shape(of: node.name)
        return Layer(
          name: node.name, shape: weight.shape, outputs: outputs, inputs: weight.count / outputs,
          positions: output.count / outputs, u: u, values: values, v: v, energies: energies)
      }
    }
    guard !layers.isEmpty else {
      let count = model.weightLayers.count
      throw CompressError(
        count == 0
          ? "there is no dense layer and no convolution to factorize"
          : "there is no layer to factorize: all \(count) layers with weights are protected, or depthwise or grouped "
            + "convolutions")
    }
  }

  /// - Throws: `CompressError` when the target is out of range, or smaller than rank 1 everywhere can make it.
  public func choose(_ target: Target) throws -> Choice {
    try target.check()
    switch target {
    case .energy(let share): return choice { $0.rank(energy: share) }
    case .ratio(let share): return choice { $0.rank(ratio: share) }
    case .cost(let target): return try choose(target)
    }
  }

  /// Layers that would not get smaller are left whole.
  private func choice(_ rank: (Layer) -> Int) -> Choice {
    var choice = Choice(ranks: [:], parameters: whole.parameters, macs: whole.macs)
    for layer in layers {
      let rank = rank(layer)
      guard let weights = layer.weights(rank) else { continue }
      choice.ranks[layer.name] = rank
      choice.parameters += weights - layer.outputs * layer.inputs
      choice.macs += (weights - layer.outputs * layer.inputs) * layer.positions
    }
    return choice
  }

  private func choose(_ target: CostTarget) throws -> Choice {
    func share(_ choice: Choice) -> Double {
      if case .macs = target {
        Double(choice.macs) / Double(whole.macs)
      } else {
        Double(choice.parameters) / Double(whole.parameters)
      }
    }
    let value =
      switch target {
      case .macs(let value): value > 1 ? value / Double(whole.macs) : value
      case .parameters(let value): value > 1 ? value / Double(whole.parameters) : value
      case .channels(let value): value
      }
    // What stays grows with the energy: every energy at which a rank changes, and the last of them that is no more.
    let energies = [0] + Set(layers.flatMap(\.energies)).sorted()
    func at(_ index: Int) -> Choice { choice { $0.rank(energy: energies[index]) } }
    var low = 0, high = energies.count - 1
    guard share(at(0)) - value < 0.01 else {
      throw CompressError(
        "\(target.unit): a share of \(value.rounded4) cannot be reached; at rank 1 \(share(at(0)).rounded4) stay")
    }
    while low < high {
      let middle = (low + high + 1) / 2
      if share(at(middle)) <= value { low = middle } else { high = middle - 1 }
    }
    let under = at(low), over = at(min(low + 1, energies.count - 1))
    var nearest = abs(share(over) - value) < abs(share(under) - value) ? over : under
    if abs(share(nearest) - value) > 0.01 {
      nearest.note =
        "\(target.unit): a share of \(share(nearest).rounded4) stays where \(value.rounded4) was asked for; "
        + "the ranks next to it leave \(share(under).rounded4) and \(share(over).rounded4)"
    }
    return nearest
  }

  /// The model with these layers as two. Both factors get the root of the singular values, so that neither is large
  /// where the other is small.
  public func model(_ ranks: [String: Int]) throws -> Model {
    var factors: [String: WeightFactors] = [:]
    for layer in layers {
      guard let rank = ranks[layer.name] else { continue }
      let roots = Tensor(layer.values.prefix(rank).map { Float($0.squareRoot()) })
      let second = try layer.u.sliced(axis: 1, 0..<rank).applying(.mul, roots)
      let first = try layer.v.sliced(axis: 0, 0..<rank).applying(.mul, roots.reshaped([rank, 1]))
      factors[layer.name] = WeightFactors(
        first: try first.reshaped([rank] + layer.shape.dims.dropFirst()), second: second)
    }
    return try model.factorizing(factors)
  }
}
