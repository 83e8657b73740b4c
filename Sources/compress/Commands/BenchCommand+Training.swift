import Diagnostics
import Kernels
import Pipeline
import Reports

extension BenchCommand {
  func runTraining() throws {
    let products: ProductPrecision
    let wanted = precision ?? .stored
    switch wanted {
    case .stored, .fp32: products = .float32
    case .bf16: products = .bfloat16
    case .fp16, .dynamic, .int8:
      throw CompressError("training is in fp32 or bf16, not \(wanted.rawValue)", kind: .usage)
    }
    let bench = try TrainingBench(
      model: model, reading: try reading.options(), precision: products, threads: threading.count, batch: batch ?? 1,
      steps: runs)
    let terminal = Terminal(.output)
    if json { return try terminal.writeJSON(bench) }
    var table = TextTable([
      ("training in", .left), ("threads", .right), ("batch", .right), ("a step, p50", .right), ("p90", .right),
      ("max", .right), ("images/s", .right), ("steps", .right), ("memory", .right),
    ])
    table.add([
      TextTable.Cell(bench.precision, .bold), TextTable.Cell("\(bench.threads)"), TextTable.Cell("\(bench.batch)"),
      TextTable.Cell(Formatting.duration(bench.p50 / 1e3)), TextTable.Cell(Formatting.duration(bench.p90 / 1e3)),
      TextTable.Cell(Formatting.duration(bench.max / 1e3)),
      TextTable.Cell(Formatting.count(bench.imagesPerSecond.rounded())), TextTable.Cell("\(bench.steps)"),
      TextTable.Cell(Formatting.bytes(bench.peakMemoryBytes)),
    ])
    terminal.write(table.rendered(for: terminal))
  }
}
