import Analysis
import Diagnostics
import Foundation
import Pipeline
import Reports
import Runtime

/// A comparison nobody measured.
enum Synthetic {
  static func outcome(
    names: [String] = ["baseline", "int8", "pruned"], samples: Int = 120, script: String = "pipelines/some.lua"
  ) throws -> ComparisonOutcome {
    ComparisonOutcome(
      data: "digits.test", evaluated: 1000, images: samples, order: .first, warmUp: 10, cooldown: 1, threads: 2,
      variants: try names.enumerated().map { try variant($1, $0, samples: samples) })
  }

  /// The same on data without labels: the second variant's outputs are close to the first's, the third's are not.
  static func agreeing() throws -> ComparisonOutcome {
    var outcome = try outcome()
    for (index, cosine) in [1, 0.9987, 0.61].enumerated() {
      let json = #"{"cosine":\#(cosine),"maximum":0.25,"decibels":12.5}"#
      let error = try JSONDecoder().decode(Differences.Error.self, from: Data(json.utf8))
      outcome.variants[index].agreement = Agreement(
        count: 1000, outputs: [Agreement.Output(name: "scores", error: error, same: 1000 - 100 * index)])
      outcome.variants[index].accuracy = 1 - 0.1 * Double(index)
    }
    return outcome
  }

  /// A pruning in three steps, the last without its second layer, and a scan of both.
  static func pruned(_ outcome: ComparisonOutcome, layer: String = "conv") throws -> ComparisonOutcome {
    var outcome = outcome
    func round(_ name: String, _ index: Int) -> PruningCourse.Round {
      let filters = [16, 12, 4][index]
      let layers = [layer, "dense"].prefix(index == 2 ? 1 : 2).map {
        PruningCourse.Layer(
          name: $0, filters: $0 == "dense" ? 10 : filters, parameters: 100 * filters, nonzero: 90 * filters,
          macs: 5000 * filters, bytes: 400 * filters)
      }
      return PruningCourse.Round(
        name: name, key: "key\(index)", accuracy: 0.95 - 0.02 * Double(index), parameters: 200 * filters,
        nonzero: 180 * filters, macs: 10_000 * filters, bytes: 800 * filters, layers: layers)
    }
    let last = outcome.variants.last!.name
    outcome.courses = [
      PruningCourse(
        variant: last,
        rounds: ["start", "round 1", last].enumerated().map { round($1, $0) })
    ]
    let scan: [String: Any] = [
      "measure": "accuracy", "baseline": 0.8, "shares": [0.25, 0.5],
      "parts": [
        ["layers": [layer], "scores": [0.8, 0.4]], ["layers": ["a", "b", "c"], "scores": [0.7, 0]],
      ],
    ]
    outcome.scans = [
      SensitivityScan(
        label: "sensitivity to \(layer)", key: "scan",
        result: try JSONDecoder().decode(Sensitivity.self, from: JSONSerialization.data(withJSONObject: scan)))
    ]
    return outcome
  }

  static func results(
    _ outcome: ComparisonOutcome, script: String = "pipelines/some.lua",
    params: [String: ParamValue] = ["sparsity": .number(0.8), "quick": .bool(true), "kind": .string("digits")]
  ) -> ResultsFile {
    ResultsFile(
      outcome,
      run: ResultsFile.Run(
        script: script, scriptDigest: String(repeating: "ab", count: 32), params: params, seed: 7, threads: 2,
        version: "0.1.0", command: ["compress", "run", script, "--seed", "7", "--out", "out dir"]),
      machine: ResultsFile.Machine(cpu: "Some CPU", cores: 2, isa: "avx2"), created: Date(timeIntervalSince1970: 0))
  }

  /// The first is dense float32; the second int8, half as slow; the third has a fifth of its weights left.
  static func variant(_ name: String, _ index: Int, samples: Int) throws -> VariantResult {
    let base = index == 1 ? 0.5 : 1.0
    let times = (0..<samples).map { base + 0.01 * Double(($0 * 7) % 11) }
    let turns = samples < 14 ? 1 : samples < 21 ? 2 : 3
    let timing = Timing(
      turns: (0..<turns).map { turn in
        Timing.Turn(
          samples: Array(times[samples * turn / turns..<samples * (turn + 1) / turns]), peakMemoryBytes: 20_000_000,
          load: MachineLoad(seconds: 1, own: 1, preemptions: 2, processors: 2, others: 0.02, stolen: 0, waiting: 0.01))
      })
    let isInteger = index == 1, kept = index == 2 ? 200 : 1000
    return VariantResult(
      name: name, accuracy: 0.95 - 0.01 * Double(index), flips: index * 20, gained: index * 2, lost: index * 12,
      parameters: 1010, nonzero: kept + 10, macs: 5000, nativeBytes: isInteger ? 1200 : 4100,
      gzipBytes: isInteger ? 1100 : index == 2 ? 900 : 3900,
      timing: timing,
      history: [
        try step("train", "c0ffee", epochs: 3), try step("quantize", "key\(index)", epochs: 0),
      ],
      layers: [
        VariantResult.Layer(
          name: "input", kind: "input", parameters: 0, nonzero: 0, macs: 0, encoding: nil, bits: nil, bytes: 0,
          arithmetic: nil),
        VariantResult.Layer(
          name: "conv", kind: "conv2d", parameters: 1010, nonzero: kept + 10, weights: 1000, nonzeroWeights: kept,
          macs: 5000,
          encoding: isInteger ? "int8" : "float32", bits: isInteger ? 8 : 32, bytes: isInteger ? 1050 : 4040,
          arithmetic: isInteger ? "int8" : "float32"),
      ])
  }

  static func step(_ stage: String, _ key: String, epochs: Int) throws -> VariantResult.Step {
    let curve = (0..<epochs).map {
      #"{"loss":\#(1.0 / Double($0 + 1)),"accuracy":0.9,"learningRate":0.001,"images":64}"#
    }
    let json =
      #"{"curve":[\#(curve.joined(separator: ","))],"facts":{"sparsity":0.8},"notes":["\#(stage) says"],"seconds":1.5}"#
    let record = try JSONDecoder().decode(StageRecord.self, from: Data(json.utf8))
    return VariantResult.Step(stage: stage, label: "\(stage) net", key: key, record: record)
  }
}

extension Timing {
  /// The same turns, with other times.
  func mapTimes(_ change: (_ turn: Int, _ run: Int, _ time: Double) -> Double) -> Timing {
    Timing(
      turns: turns.enumerated().map { index, turn in
        Turn(
          samples: turn.samples.enumerated().map { change(index, $0, $1) }, peakMemoryBytes: turn.peakMemoryBytes,
          load: turn.load)
      })
  }

  /// As one process would have measured it.
  var inOneTurn: Timing { Timing(turns: [Turn(samples: samples, peakMemoryBytes: peakMemoryBytes, load: nil)]) }
}

/// Text in place of a charting library, with its introduction.
let someLibrary = ChartLibrary(
  source: "/*!\n * Chart.js v3.9.1\n */\nfunction Chart() { if (1 < 2 && 3 > 2) return; }")!

let plain = Terminal(.output, isInteractive: false, hasColor: false)
let colored = Terminal(.output, isInteractive: true, hasColor: true)

/// A folder that goes away with the test.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("compress-test-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
