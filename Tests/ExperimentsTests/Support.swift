@testable import Experiments
import Foundation
import Reports
import Runs

/// Whether the long versions of tests are asked for.
let isSoak = ProcessInfo.processInfo.environment["COMPRESS_SOAK"] != nil

final class TemporaryFolder {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("compress-runs-\(UUID().uuidString)").path

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

let machine = RunRecord.Environment(
  cpu: "a processor", cores: 2, isa: "scalar", system: "Linux 6.1", program: "0.1.0", lua: "5.4.6")

/// A run with two variants whose numbers follow from its own.
func sampleRun(_ number: Int, sparsity: Double = 0.8, accuracy: Double = 0.97) -> RunRecord {
  var run = RunRecord(
    uid: String(format: "%016x", number &* 2_654_435_761), script: "pipelines/lab.lua",
    params: [
      "sparsity": .number(sparsity), "strategy": .string(number % 2 == 0 ? "global" : "local"),
      "deep": .bool(number % 3 == 0),
    ],
    seed: UInt64(number % 5), threads: 2, started: Date(timeIntervalSince1970: 1_700_000_000 + Double(number)),
    folder: "/runs/\(number)", command: ["compress", "run", "pipelines/lab.lua"], environment: machine)
  run.scriptDigest = "5c21"
  run.status = .done
  run.seconds = 12.5
  run.plugins = ["global_magnitude": "ab12"]
  run.stages = [
    RunRecord.Stage(key: "base", kind: "train", label: "train lab_cnn", seconds: 2, isComputed: false),
    RunRecord.Stage(key: "pruned\(number % 100)", kind: "prune", label: "prune", seconds: 4, isComputed: true),
  ]
  run.variants = [
    RunRecord.Variant(name: "baseline", metrics: metrics(accuracy: 0.973, gzip: 76_000)),
    RunRecord.Variant(name: "pruned", metrics: metrics(accuracy: accuracy, gzip: 20_000 - 10_000 * sparsity)),
  ]
  run.artifacts = [RunRecord.Artifact(path: "results.json", bytes: 1234, sha256: "cd34")]
  return run
}

func metrics(accuracy: Double, gzip: Double) -> [Metric: Double] {
  [
    .accuracy: accuracy, .flips: 12, .parameters: 20_410, .nonzero: 4100, .macs: 93_000, .nativeBytes: 82_700,
    .gzipBytes: gzip, .mean: 0.01, .p50: 0.009, .p90: 0.011, .p99: 0.02, .memory: 24e6,
  ]
}
