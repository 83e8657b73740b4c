import Diagnostics
import Tensors

/// Some indices of one axis, in any order and any number of times: slices, the parts of a split, a shuffle of channels,
/// a table that is read at constant places.
public struct Gather: RearrangingSpec {
  public static let kind = "gather"
  public var asOperator: Operator { .gather(self) }

  public var axis: Int
  public var indices: [Int]

  public init(axis: Int, _ indices: [Int]) {
    self.axis = axis
    self.indices = indices
  }

  /// Channels of `groups` groups, as they are dealt out by ShuffleNet (Zhang et al. 2018): the first of each group, then
  /// the second of each.
  public init(shuffling channels: Int, groups: Int, axis: Int) {
    let size = channels / max(groups, 1)
    self.init(axis: axis, (0..<channels).map { $0 % groups * size + $0 / groups })
  }

  public var name: String {
    switch step {
    case 1: "slice"
    case nil: "gather"
    default: "strided slice"
    }
  }

  /// How far the indices lie apart, where that is the same everywhere; 1 of a single one.
  private var step: Int? {
    guard indices.count > 1 else { return indices.isEmpty ? nil : 1 }
    let step = indices[1] - indices[0]
    return zip(indices, indices.dropFirst()).allSatisfy { $1 - $0 == step } ? step : nil
  }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    guard (0..<inputs[0].rank).contains(axis) else {
      throw CompressError("axis \(axis &+ 1) of shape \(inputs[0])")
    }
    guard !indices.isEmpty else { throw CompressError("no indices of axis \(axis &+ 1) of shape \(inputs[0])") }
    let extent = inputs[0][axis]
    if let index = indices.first(where: { !(0..<extent).contains($0) }) {
      throw CompressError("index \(index &+ 1) of axis \(axis &+ 1) of shape \(inputs[0])")
    }
    var dims = inputs[0].dims
    dims[axis] = indices.count
    return [try Shape(checking: dims)]
  }

  public func rearrangement(_ inputs: [Shape]) -> Rearrangement? {
    Rearrangement(inputs[0], inputs[0].dims.indices.map { $0 == axis ? indices : Array(0..<inputs[0][$0]) })
  }

  public var preserves: Preserved { [.zero, .selection, .scale] }
  public var quantization: QuantizationRule { .ofInput }
  public func formatVersion(_ inputs: [Shape]) -> UInt32 { 3 }

  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling {
    guard axis == inputs[0].rank - 1 else { return .carried(outputs[0]) }
    return ChannelCoupling(ties: indices.enumerated().map { (.output($0), .input(0, $1)) })
  }

  public func keeping(_ kept: KeptChannels) -> Gather {
    guard axis == kept.shapes[0].rank - 1 else { return self }
    let inputs = kept.inputs[0] ?? Array(0..<kept.shapes[0][axis])
    let places = Dictionary(uniqueKeysWithValues: inputs.enumerated().map { ($1, $0) })
    let outputs = kept.outputs[0] ?? Array(indices.indices)
    return Gather(axis: axis, outputs.compactMap { places[indices[$0]] })
  }

  // Evenly spaced indices are written as such: {"start": 0, "count": 24, "step": 1}.
  private enum CodingKeys: String, CodingKey { case axis, indices, start, count, step }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let axis = try container.decode(Int.self, forKey: .axis)
    if let start = try container.decodeIfPresent(Int.self, forKey: .start) {
      let count = try container.decode(Int.self, forKey: .count), step = try container.decode(Int.self, forKey: .step)
      let last = (count - 1).multipliedReportingOverflow(by: step)
      guard (1...1 << 24).contains(count), (-1 << 24...1 << 24).contains(start), !last.overflow,
        (-1 << 40...1 << 40).contains(last.partialValue)
      else { throw CompressError("\(count) indices from \(start) on", kind: .input) }
      self.init(axis: axis, (0..<count).map { start + $0 * step })
    } else {
      self.init(axis: axis, try container.decode([Int].self, forKey: .indices))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(axis, forKey: .axis)
    if let step, let start = indices.first {
      try container.encode(start, forKey: .start)
      try container.encode(indices.count, forKey: .count)
      try container.encode(step, forKey: .step)
    } else {
      try container.encode(indices, forKey: .indices)
    }
  }
}
