import Network
import Tensors

extension Model {
  /// The same network with the channels that are not kept silenced where they arise: filters, and batch norms.
  public func silenced(keeping kept: [String: [Int]]) throws -> Model {
    var model = self
    for (layer, role, parameter) in allParameters {
      guard let channels = kept[layer], role != .mean, role != .variance else { continue }
      let stays = Set(channels)
      var values = parameter.values
      let width = values.count / values.shape[0]
      values.withMutable(Float.self) { values in
        for i in values.indices where !stays.contains(i / width) { values[i] = 0 }
      }
      try model.set(Parameter(values), layer, role)
    }
    return model
  }
}
