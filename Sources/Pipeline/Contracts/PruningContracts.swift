import Compression
import Network

extension PruneStage {
  /// The zeros of every layer with a mask, and the unit they come in.
  public func contracts(for model: Model, inputs: [Model]) -> [Contract] {
    model.weightLayers.flatMap { layer -> [Contract] in
      // A layer that this stage left as it was keeps what was promised before.
      guard let weight = model[layer, .weight], let mask = weight.mask,
        Self.hasPruned(layer, of: model, from: inputs[0])
      else { return [] }
      let zeros = mask.withElements(UInt8.self) { $0.count { $0 == 0 } }
      // What an earlier stage removed may not come in this one's units.
      let shape = weight.structure == policy.unit.structure ? weight.structure.map { [Contract.Promise($0)] } ?? [] : []
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
