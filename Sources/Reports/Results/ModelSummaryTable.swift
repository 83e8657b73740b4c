import Network

/// A model layer by layer, in the manner of Keras' summary.
public struct ModelSummaryTable {
  private let model: Model

  public init(_ model: Model) { self.model = model }

  public func rendered(for terminal: Terminal) -> String {
    let cost = ModelCost(model)
    var table = TextTable([
      TextTable.Column("layer", .left, cutTo: 20), TextTable.Column("kind", .left, cutTo: 10),
      TextTable.Column("output", .left), TextTable.Column("parameters", .right),
      TextTable.Column("nonzero", .right, leftOut: 3), TextTable.Column("MACs", .right),
      TextTable.Column("stored as", .left, leftOut: 4, cutTo: 12), TextTable.Column("bytes", .right, leftOut: 2),
      TextTable.Column("from", .left, leftOut: 1),
    ])
    for layer in cost.layers {
      let hasWeights = layer.parameters > 0
      let activation = model.activations[layer.name].map { " → \($0.name)" } ?? ""
      let left = Double(layer.nonzeroWeights) / Double(max(layer.weights, 1))
      table.add([
        TextTable.Cell(layer.name, .bold), TextTable.Cell(layer.kind), TextTable.Cell("\(layer.outputShape)"),
        hasWeights ? TextTable.Cell(Formatting.count(layer.parameters)) : "",
        layer.weights > 0 ? TextTable.Cell(Formatting.percent(left, digits: 1)) : "",
        layer.macs > 0 ? TextTable.Cell(Formatting.scaled(layer.macs)) : "",
        TextTable.Cell((layer.encoding ?? "") + (layer.structure.map { ", \($0)" } ?? "") + activation),
        hasWeights ? TextTable.Cell(Formatting.count(layer.bytes)) : "",
        TextTable.Cell(layer.inputs.joined(separator: ", ")),
      ])
    }
    table.addRule()
    table.add([
      TextTable.Cell("total", .bold), "", "", TextTable.Cell(Formatting.count(cost.parameters)),
      TextTable.Cell(Formatting.count(cost.nonzeroWeights)), TextTable.Cell(Formatting.scaled(cost.macs)), "",
      TextTable.Cell(Formatting.count(cost.bytes)), "",
    ])
    return table.rendered(for: terminal) + terminal.styled("nonzero: of the weights, biases not counted\n", .dim)
  }
}
