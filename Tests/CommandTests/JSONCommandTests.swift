import Foundation
import Testing

/// What commands write for other programs, beside the tables that people read.
@Suite struct JSONCommandTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// A network of digits that predicts, and its int8; two runs, the second with nothing to compute.
  private static let script = """
    local p = params { samples = 200 }
    local d = dataset "digits"
    local m = fit_last_layer(zoo.quick_cnn(), d.train:take(p.samples))
    m:save "a.cmpr"
    quantize(m, use "int8" { calibration = d.train:take(50) }):save "b.cmpr"
    """

  private func run(_ arguments: String...) throws -> Outcome {
    try compress(arguments, cache: folder, workingIn: folder.path)
  }

  private func object(_ arguments: String...) throws -> [String: Any] {
    let outcome = try compress(arguments, cache: folder, workingIn: folder.path)
    #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
    return try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
  }

  private func list(_ arguments: String...) throws -> [[String: Any]] {
    let outcome = try compress(arguments, cache: folder, workingIn: folder.path)
    #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
    return try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
  }

  @Test func whatPrintsATableWritesJSON() throws {
    try Data(Self.script.utf8).write(to: URL(fileURLWithPath: folder.path + "/p.lua"))
    for _ in 0..<2 {
      let made = try run("run", "p.lua", "--out", "out")
      #expect(made.status == 0, "\(made.errors)")
    }

    let compared = try object(
      "compare", "out/a.cmpr", "out/b.cmpr", "--on", "digits", "--images", "60", "--layers", "8", "--json")
    let table = try run("compare", "out/a.cmpr", "out/b.cmpr", "--on", "digits", "--images", "60", "--layers", "8")
    #expect(compared["samples"] as? Int == 60 && compared["original"] as? String == "out/a.cmpr")
    let accuracy = try #require(compared["accuracy"] as? [Double])
    #expect(accuracy.count == 2 && table.output.contains(String(format: "accuracy  %.2f %%", 100 * accuracy[0])))
    let layers = try #require(compared["layers"] as? [[String: Any]])
    #expect(layers.contains { ($0["alone"] as? [String: Any])?["sqnr"] != nil })
    #expect(layers.allSatisfy { table.output.contains($0["name"] as? String ?? "?") })
    let worst = try #require(compared["worst"] as? [[String: Any]])
    #expect(worst.count == 10 && worst.allSatisfy { (0..<60).contains($0["index"] as? Int ?? -1) })
    // People count from 1.
    #expect(table.output.contains("sample \((worst[0]["index"] as? Int ?? 0) + 1) "))

    let runs = try list("runs", "compare", "1", "2", "--json")
    #expect(runs.map { $0["id"] as? Int } == [1, 2])
    #expect(try runs[0]["stages"] as? NSArray != nil && run("runs", "compare", "1", "2").status == 0)

    let cache = try object("cache", "list", "--json")
    let stages = try #require(cache["stages"] as? [[String: Any]])
    #expect(Set(stages.compactMap { $0["kind"] as? String }).isSuperset(of: ["quantize"]))
    #expect(stages.allSatisfy { ($0["key"] as? String)?.count == 64 && $0["used"] is String })
    #expect((cache["bytes"] as? Int ?? 0) > 0 && cache["folder"] is String)

    let data = try list("data", "list", "--json", "--data", folder.path)
    let mnist = try #require(data.first { $0["name"] as? String == "mnist" })
    #expect(mnist["train"] == nil && (mnist["fetches"] as? Int ?? 0) > 1_000_000)
    let digits = try #require(data.first { $0["name"] as? String == "digits" })
    #expect((digits["train"] as? Int ?? 0) > 0 && digits["fetches"] == nil)

    let points = try object("sweep", "p.lua", "--grid", "samples=200,100", "--dry-run", "--json")
    let rows = try #require(points["points"] as? [[String: Any]])
    #expect(rows.map { ($0["params"] as? [String: String])?["samples"] } == ["200", "100"])
    #expect(rows.map { $0["to_compute"] as? Int == 0 } == [true, false])

    let steps = try object("inspect", "out/b.cmpr", "--plan", "--json")["steps"] as? [[String: Any]]
    #expect(steps?.contains { $0["arithmetic"] as? String == "int8" && $0["kernel_reason"] is String } == true)
    #expect(try object("inspect", "out/b.cmpr", "--json")["steps"] == nil)
  }
}
