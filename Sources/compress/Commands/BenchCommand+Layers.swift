import Pipeline
import Reports
import Runtime

extension BenchCommand {
  /// Where a model's time goes, and how near each layer comes to the machine's best: the share of its time that the
  /// multiplications it makes would take at the kernels' peak, and that reading its weights from memory would take, where
  /// all weights together are more than the caches hold. Where zeros are left out, the layer's time with every weight
  /// multiplied stands beside.
  static func table(_ layers: [BenchReport.Layer], _ peaks: MachinePeaks?, _ earlier: EarlierBench?) -> TextTable {
    let before = earlier.flatMap { $0.hasLayers ? $0.milliseconds(of: layers) : nil }
    // Of another machine nobody knows what it reaches at best.
    let readsMemory = peaks != nil && layers.reduce(0) { $0 + $1.weightBytes } > Self.cachedBytes
    var columns: [(title: String, alignment: TextTable.Alignment)] = [
      ("layer", .left), ("runs as", .left), ("output", .right), ("MACs", .right), ("time", .right),
    ]
    let savesTime = layers.contains { $0.denseMilliseconds != nil }
    if savesTime { columns += [("dense", .right), ("faster", .right)] }
    if before != nil { columns += [("before", .right), ("ratio", .right)] }
    columns += [("share", .right), ("GMAC/s", .right)]
    if peaks != nil { columns.append(("of peak", .right)) }
    if readsMemory { columns.append(("of memory", .right)) }
    columns.append(("kernel", .left))
    var table = TextTable(columns)
    let total = layers.reduce(0) { $0 + $1.milliseconds }
    func add(
      _ name: String, _ operation: String, _ output: String, _ kernel: String, _ part: [BenchReport.Layer],
      _ before: Double?
    ) {
      let milliseconds = part.reduce(0) { $0 + $1.milliseconds }, macs = part.reduce(0) { $0 + $1.macs }
      var cells = [
        TextTable.Cell(name), TextTable.Cell(operation), TextTable.Cell(output),
        TextTable.Cell(macs == 0 ? "" : Formatting.scaled(macs)),
        TextTable.Cell(Formatting.duration(milliseconds / 1e3)),
      ]
      if savesTime {
        let dense = part.reduce(0) { $0 + ($1.denseMilliseconds ?? $1.milliseconds) }
        let isTold = part.contains { $0.denseMilliseconds != nil }
        cells += [
          TextTable.Cell(isTold ? Formatting.duration(dense / 1e3) : ""),
          TextTable.Cell(isTold && milliseconds > 0 ? Formatting.factor(dense / milliseconds) : ""),
        ]
      }
      if earlier?.hasLayers == true {
        cells += [
          TextTable.Cell(before.map { Formatting.duration($0 / 1e3) } ?? ""),
          TextTable.Cell(before.map { $0 > 0 ? Formatting.factor(milliseconds / $0) : "" } ?? ""),
        ]
      }
      cells += [
        TextTable.Cell(Formatting.percent(milliseconds / total, digits: 1)),
        TextTable.Cell(macs == 0 ? "" : Formatting.significant(Double(macs) / milliseconds / 1e6)),
      ]
      if let peaks {
        let multiplying = part.reduce(0) {
          $0 + Double($1.multiplications) / ($1.arithmetic.sumsIntegers ? peaks.integerMACs : peaks.floatMACs) * 1e3
        }
        cells.append(TextTable.Cell(macs == 0 ? "" : Formatting.percent(multiplying / milliseconds, digits: 0)))
      }
      if readsMemory, let peaks {
        let reading = Double(part.reduce(0) { $0 + $1.weightBytes }) / peaks.bytesRead * 1e3
        cells.append(TextTable.Cell(reading == 0 ? "" : Formatting.percent(reading / milliseconds, digits: 0)))
      }
      table.add(cells + [TextTable.Cell(kernel)])
    }
    for (index, layer) in layers.enumerated() {
      let type = layer.arithmetic == .float32 ? "" : ", \(layer.arithmetic.rawValue)"
      add(
        layer.layer, layer.macs == 0 ? layer.operation : layer.operation + type,
        layer.output.map(String.init).joined(separator: "x"),
        layer.kernel + (layer.kernelReason.map { ": " + $0 } ?? ""), [layer], before?[index])
    }
    table.addRule()
    add("all", "", "", "", layers, before.map { $0.reduce(0) { $0 + ($1 ?? 0) } })
    return table
  }

  /// Weights of fewer bytes are taken to stay in the last cache level from run to run.
  private static let cachedBytes = 16 << 20
}
