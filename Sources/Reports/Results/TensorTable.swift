import Formats

/// The tensors of a file that holds nothing else.
public struct TensorTable {
  private let file: any WeightsFile

  public init(_ file: any WeightsFile) { self.file = file }

  public func rendered(for terminal: Terminal) -> String {
    var table = TextTable([
      ("tensor", .left), ("type", .left), ("shape", .left), ("values", .right), ("bytes", .right),
    ])
    for entry in file.entries {
      table.add([
        TextTable.Cell(entry.name, .bold), TextTable.Cell(entry.type.rawValue), TextTable.Cell("\(entry.shape)"),
        TextTable.Cell(Formatting.count(entry.shape.count)), TextTable.Cell(Formatting.count(entry.byteCount)),
      ])
    }
    table.addRule()
    table.add([
      TextTable.Cell("\(file.entries.count) in all", .bold), "", "",
      TextTable.Cell(Formatting.count(file.entries.reduce(0) { $0 + $1.shape.count })),
      TextTable.Cell(Formatting.count(file.entries.reduce(0) { $0 + $1.byteCount })),
    ])
    return table.rendered(for: terminal)
  }
}
