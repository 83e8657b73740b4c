import Pipeline
import Reports
import Runtime

extension BenchCommand {
  /// Where a model's time goes, and how near each layer comes to the machine's best.
  static func table(_ layers: [BenchReport.Layer], _ peaks: MachinePeaks) -> TextTable {
    var table = TextTable([
      ("layer", .left), ("runs as", .left), ("output", .right), ("MACs", .right), ("time", .right), ("share", .right),
      ("GMAC/s", .right), ("of peak", .right), ("kernel", .left),
    ])
    let total = layers.reduce(0) { $0 + $1.milliseconds }
    func add(
      _ name: String, _ operation: String, _ output: String, _ kernel: String, _ part: [BenchReport.Layer]
    ) {
      let milliseconds = part.reduce(0) { $0 + $1.milliseconds }, macs = part.reduce(0) { $0 + $1.macs }
      // What the multiplications alone would take.
      let least = part.reduce(0) {
        $0 + Double($1.macs) / ($1.arithmetic.sumsIntegers ? peaks.integerMACs : peaks.floatMACs) * 1e3
      }
      table.add([
        TextTable.Cell(name), TextTable.Cell(operation), TextTable.Cell(output),
        TextTable.Cell(macs == 0 ? "" : Formatting.scaled(macs)),
        TextTable.Cell(Formatting.duration(milliseconds / 1e3)),
        TextTable.Cell(Formatting.percent(milliseconds / total, digits: 1)),
        TextTable.Cell(macs == 0 ? "" : Formatting.significant(Double(macs) / milliseconds / 1e6)),
        TextTable.Cell(macs == 0 ? "" : Formatting.percent(least / milliseconds, digits: 0)),
        TextTable.Cell(kernel),
      ])
    }
    for layer in layers {
      let type = layer.arithmetic == .float32 ? "" : ", \(layer.arithmetic.rawValue)"
      add(
        layer.layer, layer.macs == 0 ? layer.operation : layer.operation + type,
        layer.output.map(String.init).joined(separator: "x"),
        layer.kernel + (layer.kernelReason.map { ": " + $0 } ?? ""), [layer])
    }
    table.addRule()
    add("all", "", "", "", layers)
    return table
  }
}
