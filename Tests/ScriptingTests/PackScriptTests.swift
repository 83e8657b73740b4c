import Diagnostics
import Testing

/// `pack`: weights rounded for the packed file.
@Suite struct PackScriptTests {
  private static let head = """
    local digits = dataset "digits"
    local m = fit_last_layer(zoo.quick_cnn(), digits.train:take(300))
    local seen = digits.train:take(200)

    """

  @Test func packsWithinALimit() throws {
    let result = try run(
      Self.head + """
        local packed = pack(m, { within = 0.01, data = seen, samples = 100 })
        print(evaluate(packed, seen).accuracy >= evaluate(m, seen).accuracy - 0.01)
        local coarse = pack(m, { lambda = 0.1, data = seen, samples = 100 })
        print(coarse:cost().nonzero_weights < packed:cost().nonzero_weights)
        """)
    #expect(result.printed == ["true", "true"])
    let stage = try #require(result.outcome.stages.first { $0.work.kind == "pack" })
    #expect(try result.executor.record(of: stage).facts["packed_bytes"].map { $0 > 100 && $0 < 20_000 } == true)
  }

  @Test(arguments: [
    ("{ lambda = -1, data = seen }", "lambda"),
    ("{ data = seen }", "pack takes one goal: within = 0.001"),
    ("{ within = 0.001, bytes = 1000, data = seen }", "pack takes one goal"),
    ("{ within = 0.001 }", "data"),
    ("{ within = 2, data = seen }", "within"),
    ("{ bytes = 0, data = seen }", "bytes"),
    ("{ lamda = 0.1, data = seen }", "lambda"),
    ("{ lambda = 0.1, data = seen, samples = 0 }", "samples"),
  ]) func mistakesAreNamed(_ options: String, _ expected: String) throws {
    let error = try #require(failure(Self.head + "pack(m, \(options))"))
    #expect("\(error)".contains(expected) && "\(error)".contains("script.lua:4"), "\(error)")
  }
}
