import Compression
import Network

extension PruneStage {
  /// The zeros of every layer with a mask, and the unit they come in.
  public func contracts(for model: Model, inputs: [Model]) -> [Contract] {
    model.weightLayers.flatMap { layer -> [Contract] in
      guard let mask = model[layer, .weight]?.mask else { return [] }
      let old = inputs[0][layer, .weight]?.mask
      // A layer that this stage left as it was keeps what was promised before.
      if let old, old.array(UInt8.self) == mask.array(UInt8.self) { return [] }
      let zeros = mask.withElements(UInt8.self) { $0.count { $0 == 0 } }
      let shape: [Contract.Promise] =
        switch policy.unit {
        case .block(let rows, let columns): [.blocks(rows: rows, columns: columns)]
        case .pattern(let keep, let of): [.pattern(keep: keep, of: of)]
        case .weight, .filter: []
        }
      return ([.zeros(count: zeros)] + shape).map { Contract($0, layer: layer, stage: label) }
    }
  }
}

extension PruneChannelsStage {
  /// How many filters every layer has left that lost some.
  public func contracts(for model: Model, inputs: [Model]) -> [Contract] {
    model.weightLayers.compactMap { layer in
      guard let left = model[layer, .weight]?.shape.dims.first, let had = inputs[0][layer, .weight]?.shape.dims.first,
        left < had
      else { return nil }
      return Contract(.filters(most: left), layer: layer, stage: label)
    }
  }
}
