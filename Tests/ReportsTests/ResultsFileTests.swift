import Diagnostics
import Foundation
import Pipeline
import Testing

@testable import Reports

@Suite struct ResultsFileTests {
  func write(_ json: Any, _ folder: TemporaryFolder) throws -> String {
    let path = folder.path + "/results.json"
    try JSONSerialization.data(withJSONObject: json, options: .fragmentsAllowed).write(to: URL(fileURLWithPath: path))
    return path
  }

  func object(_ results: ResultsFile) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: JSONEncoder().encode(results)) as? [String: Any])
  }

  @Test func readsWhatItWrites() throws {
    let folder = try TemporaryFolder(), path = folder.path + "/results.json"
    let results = Synthetic.results(try Synthetic.outcome())
    try results.write(to: path)
    let again = try ResultsFile.read(path)
    try again.write(to: path + "2")
    #expect(FileManager.default.contents(atPath: path) == FileManager.default.contents(atPath: path + "2"))
    #expect(again.run.params == ["sparsity": .number(0.8), "quick": .bool(true), "kind": .string("digits")])
    #expect(again.variants[1].layers == results.variants[1].layers)
    #expect(again.variants[1].timing == results.variants[1].timing && again.variants[1].timing.turns.count == 3)
    #expect(again.comparison.turns == 3)
    #expect(again.variants[1].intervals == results.variants[1].intervals)
    #expect(again.variants[1].versusFirst == results.variants[1].versusFirst)
    #expect(again.created == "1970-01-01T00:00:00Z")
  }

  /// What other programs read, to the byte: types of the engine may change, these words may not.
  @Test func theWrittenFormStays() throws {
    var outcome = try Synthetic.pruned(try Synthetic.outcome(names: ["a"], samples: 14))
    outcome.variants[0].layers = [
      VariantResult.Layer(
        name: "conv", kind: "conv2d", filters: 4, parameters: 40, nonzero: 22, weights: 36, nonzeroWeights: 18,
        macs: 576, encoding: "int8", bits: 8, structure: .pattern(keep: 2, of: 4), bytes: 68, arithmetic: "int8"),
      VariantResult.Layer(
        name: "pool", kind: "pool2d", parameters: 0, nonzero: 0, macs: 0, encoding: nil, bits: nil, bytes: 0,
        arithmetic: nil),
    ]
    outcome.courses[0].rounds = Array(outcome.courses[0].rounds.suffix(1))
    outcome.courses[0].rounds[0].accuracy = 0.5
    outcome.courses[0].rounds[0].layers[0].weights = 300
    outcome.courses[0].rounds[0].layers[0].nonzeroWeights = 250
    outcome.variants[0].history[0].record.sensitivity = outcome.scans[0].result
    let results = Synthetic.results(outcome)
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    func text(_ value: some Encodable) throws -> String { String(decoding: try encoder.encode(value), as: UTF8.self) }
    #expect(
      try text(results.variants[0].layers)
        == #"[{"arithmetic":"int8","bits":8,"bytes":68,"encoding":"int8","filters":4,"kind":"conv2d","macs":576,"#
        + #""name":"conv","nonzero":22,"nonzero_weights":18,"parameters":40,"#
        + #""structure":{"pattern":{"keep":2,"of":4}},"weights":36},"#
        + #"{"bytes":0,"kind":"pool2d","macs":0,"name":"pool","nonzero":0,"parameters":0}]"#)
    #expect(
      try text(results.pruning)
        == #"[{"rounds":[{"accuracy":0.5,"bytes":3200,"key":"key2","layers":[{"bytes":1600,"filters":4,"#
        + #""macs":20000,"name":"conv","nonzero":360,"nonzero_weights":250,"parameters":400,"weights":300}],"#
        + #""macs":40000,"name":"a","nonzero":720,"parameters":800}],"variant":"a"}]"#)
    let found =
      #"{"baseline":0.8,"measure":"accuracy","parts":[{"accuracies":[0.8,0.4],"layers":["conv"]},"#
      + #"{"accuracies":[0.7,0],"layers":["a","b","c"]}],"shares":[0.25,0.5]}"#
    #expect(try text(results.sensitivity) == #"[{"key":"scan","label":"sensitivity to conv","result":"# + found + "}]")
    #expect(try text(results.variants[0].stages[0].record.sensitivity) == found)
    #expect(try text(ResultsFile.Structure(.blocks(rows: 4, columns: 1))) == #"{"blocks":{"columns":1,"rows":4}}"#)
    #expect(try text(JSONDecoder().decode(ResultsFile.self, from: encoder.encode(results))) == text(results))
  }

  /// docs/results.md promises these.
  @Test func hasTheDocumentedKeys() throws {
    let json = try object(Synthetic.results(try Synthetic.outcome()))
    #expect(Set(json.keys) == ["format", "version", "created", "run", "machine", "comparison", "variants"])
    let run = try #require(json["run"] as? [String: Any])
    #expect(Set(run.keys) == ["script", "script_sha256", "params", "seed", "threads", "compress_version", "command"])
    let variants = try #require(json["variants"] as? [[String: Any]])
    let keys: Set = [
      "name", "accuracy", "flips", "parameters", "nonzero", "macs", "bytes", "latency_ms", "peak_memory_bytes",
      "stages", "undefined", "weights", "nonzero_weights", "turns",
      "layers", "intervals_95",
    ]
    #expect(Set(variants[0].keys) == keys)
    #expect(Set(variants[1].keys) == keys.union(["versus_first"]))
    let versus = try #require(variants[1]["versus_first"] as? [String: Any])
    #expect(
      Set(versus.keys) == [
        "gained", "lost", "accuracy", "accuracy_95", "faster_mean", "faster_p50", "faster_p50_95",
      ])
    let intervals = try #require(variants[1]["intervals_95"] as? [String: [Double]])
    #expect(Set(intervals.keys) == ["accuracy", "p50_ms"] && intervals.values.allSatisfy { $0.count == 2 })
    let layer = try #require((variants[1]["layers"] as? [[String: Any]])?.last)
    #expect(
      Set(layer.keys) == [
        "name", "kind", "parameters", "nonzero", "weights", "nonzero_weights", "macs", "encoding", "bits", "bytes",
        "arithmetic",
      ])
  }

  @Test func differencesAreAgainstTheFirst() throws {
    let results = Synthetic.results(try Synthetic.outcome())
    let int8 = try #require(results.variants[1].versusFirst)
    #expect(try abs(#require(int8.accuracy) + 0.01) < 1e-12)
    #expect(int8.accuracyInterval?.contains(-0.01) == true)
    #expect(int8.fasterMedian > 1.8 && int8.fasterMedianInterval?.contains(int8.fasterMedian) == true)
    let pruned = try #require(results.variants[2].versusFirst)
    #expect(pruned.fasterMedianInterval?.contains(1) == true)
  }

  @Test func whatAnswersNaNSaysForHowManySamples() throws {
    var outcome = try Synthetic.outcome()
    outcome.variants[1].undefined = 34
    let json = try object(Synthetic.results(outcome))
    #expect(try #require(json["variants"] as? [[String: Any]]).map { $0["undefined"] as? Int } == [0, 34, 0])
  }

  @Test func filesOfOlderVersionsAreRead() throws {
    let folder = try TemporaryFolder()
    var json = try object(Synthetic.results(try Synthetic.outcome()))
    json["variants"] = try #require(json["variants"] as? [[String: Any]]).map { variant in
      variant.filter {
        ![
          "layers", "intervals_95", "versus_first", "undefined", "weights", "nonzero_weights", "outputs", "turns",
        ].contains($0.key)
      }
    }
    let results = try ResultsFile.read(write(json, folder))
    #expect(results.variants.map(\.name) == ["baseline", "int8", "pruned"])
    #expect(results.variants[0].layers == nil)
    // One process measured all.
    #expect(results.variants[0].timing.turns.count == 1 && results.variants[0].timing.turns[0].samples.count == 120)
    #expect(results.variants[0].timing.peakMemoryBytes == 20_000_000)
  }

  /// What the engine records of a stage may change; what is published of it may not.
  @Test func stagesHaveTheDocumentedKeys() throws {
    let record = """
      {"curve":[{"loss":1,"accuracy":0.9,"learningRate":0.1,"images":64,"validationLoss":2,"validationAccuracy":0.8}],
       "epochSeconds":[1.5],"facts":{"sparsity":0.8},"notes":["said"],"warnings":["warned"],"seconds":1.5,
       "contracts":[
         {"layer":"a","stage":"prune","promise":{"zeros":{"count":292}}},
         {"layer":"b","stage":"prune","promise":{"pattern":{"keep":2,"of":4}}},
         {"layer":"c","stage":"prune","promise":{"blocks":{"rows":4,"columns":1}}},
         {"layer":"d","stage":"prune","promise":{"filters":{"most":12}}},
         {"layer":"e","stage":"prune","promise":{"clusters":{"most":16}}}]}
      """
    var outcome = try Synthetic.outcome(names: ["a"])
    outcome.variants[0].history[0].record = try JSONDecoder().decode(StageRecord.self, from: Data(record.utf8))
    let json = try object(Synthetic.results(outcome))
    let stages = try #require((json["variants"] as? [[String: Any]])?[0]["stages"] as? [[String: Any]])
    #expect(Set(stages[0].keys) == ["stage", "label", "key", "record"])
    let published = try #require(stages[0]["record"] as? NSDictionary)
    let given = try #require(JSONSerialization.jsonObject(with: Data(record.utf8)) as? NSDictionary)
    #expect(published == given)
  }

  /// Turns that do not add up to the runs there are: nothing is guessed, and nothing traps.
  @Test(arguments: [[60, 61], [60], [0, 120], [-1, 121], []])
  func turnsThatAreNotThoseOfTheRunsAreRefused(runs: [Int]) throws {
    let folder = try TemporaryFolder()
    var json = try object(Synthetic.results(try Synthetic.outcome(names: ["a"])))
    var variant = try #require((json["variants"] as? [[String: Any]])?.first)
    variant["turns"] = runs.map { ["runs": $0, "p50_ms": 1, "peak_memory_bytes": 1] }
    json["variants"] = [variant]
    let path = try write(json, folder)
    #expect { try ResultsFile.read(path) } throws: { "\($0)".contains("is no results file") }
    variant["turns"] = nil
    variant["latency_ms"] = ["samples": [Double]()]
    json["variants"] = [variant]
    let empty = try write(json, folder)
    #expect { try ResultsFile.read(empty) } throws: { "\($0)".contains("is no results file") }
  }

  @Test func whatIsNoResultsFileIsNamed() throws {
    let folder = try TemporaryFolder()
    #expect { try ResultsFile.read(folder.path + "/none.json") } throws: {
      "\($0)".contains("none.json") && "\($0)".contains("cannot be read")
    }
    let path = try write(["format": "compress results"], folder)
    #expect { try ResultsFile.read(path) } throws: { $0 is CompressError && "\($0)".contains("is no results file") }
    var json = try object(Synthetic.results(try Synthetic.outcome()))
    json["version"] = 99
    let newer = try write(json, folder)
    #expect { try ResultsFile.read(newer) } throws: { "\($0)".contains("version 99") }
  }
}
