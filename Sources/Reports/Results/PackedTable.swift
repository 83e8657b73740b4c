import Formats

/// What the tensors of a packed file take, beside their order-0 entropy.
public struct PackedTable {
  private let costs: [PackedCost]

  public init(_ costs: [PackedCost]) { self.costs = costs.filter { $0.elements > 0 } }

  public func rendered(for terminal: Terminal) -> String {
    var table = TextTable([
      TextTable.Column("layer", .left, cutTo: 20), TextTable.Column("numbers", .left),
      TextTable.Column("count", .right), TextTable.Column("packed", .right), TextTable.Column("bits each", .right),
      TextTable.Column("entropy", .right, leftOut: 1),
    ])
    func row(_ name: String, _ role: String, _ costs: [PackedCost]) -> [TextTable.Cell] {
      let count = costs.reduce(0) { $0 + $1.elements }, bits = costs.reduce(0) { $0 + $1.bits }
      let entropy = costs.reduce(0) { $0 + $1.entropy }
      return [
        TextTable.Cell(name, .bold), TextTable.Cell(role), TextTable.Cell(Formatting.count(count)),
        TextTable.Cell(Formatting.bytes((bits + 7) / 8)), TextTable.Cell(Self.each(Double(bits), count)),
        TextTable.Cell(Self.each(entropy, count)),
      ]
    }
    for cost in costs { table.add(row(cost.layer ?? "", cost.role, [cost])) }
    table.addRule()
    table.add(row("total", "", costs))
    return table.rendered(for: terminal)
      + terminal.styled("entropy: of order 0, bits each; of floats byte by byte, of scales and tables together\n", .dim)
  }

  private static func each(_ bits: Double, _ count: Int) -> String {
    let hundredths = Int((100 * bits / Double(max(count, 1))).rounded())
    return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
  }
}
