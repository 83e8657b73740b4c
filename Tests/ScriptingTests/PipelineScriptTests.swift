import Diagnostics
import Foundation
import Network
import Pipeline
import Scripting
import Testing

@Suite struct PipelineScriptTests {
  @Test func aScriptRecordsAndComputesNothingByItself() throws {
    let start = ContinuousClock.now
    let result = try run(
      preamble + """
        local m = train(net, { data = digits.train, epochs = 1000, batch = 1 })
        compare { on = digits.test, images = 10, { "a", m }, { "b", quantize(m, use "float16" {}) } }
        """, compute: false)
    #expect(result.outcome.stages.map(\.work.kind) == ["initialize", "train", "quantize"])
    #expect(result.outcome.comparison?.variants.map(\.name) == ["a", "b"])
    #expect(result.outcome.stages[1].origin?.line == 4)
    #expect(ContinuousClock.now - start < .seconds(10))
  }

  @Test func readingAValueForcesWhatItNeeds() throws {
    let result = try run(
      preamble + """
        local m = train(net, { data = data, batch = 20, epochs = 2 })
        local wasted = train(net, { data = data, batch = 1, epochs = 1000000 })
        local before, after = evaluate(net, digits.test:take(300)), evaluate(m, { on = digits.test:take(300) })
        assert(after.accuracy > before.accuracy and after.count == 300)
        assert(evaluate(m).count == 5000)
        print(#m:layers(), m:layers()[1].name, m:layers()[2].weight:shape()[1])
        """, compute: false)
    #expect(result.printed == ["2\tconv\t10"])
  }

  @Test func adaptiveLoopsWork() throws {
    let result = try run(
      preamble + """
        local m = train(net, { data = data, batch = 20, epochs = 3 })
        local goal, sparsity = evaluate(m, data).accuracy - 0.05, 0.1
        while sparsity < 0.95 do
          local candidate = prune(m, use "global_magnitude" {}, { sparsity = sparsity })
          if evaluate(candidate, data).accuracy < goal then break end
          sparsity = sparsity + 0.2
        end
        print(sparsity > 0.1)
        """, compute: false)
    #expect(result.printed == ["true"])
  }

  @Test func paramsAreSetAndChecked() throws {
    let script =
      "local p = params { sparsity = { 0.8, min = 0, max = 1 }, epochs = { 3 }, name = { 'a', choices = { 'a', 'b' } }, fast = { false } }\nprint(p.sparsity, p.epochs, p.name, p.fast)"
    #expect(try run(script).printed == ["0.8\t3\ta\tfalse"])
    let settings = [("sparsity", "0.5"), ("epochs", "7"), ("name", "b"), ("fast", "true")]
    #expect(try run(script, settings: settings).printed == ["0.5\t7\tb\ttrue"])
    #expect(failure(script, settings: [("sparsty", "1")])?.message.contains("\"sparsity\"") == true)
    #expect(failure(script, settings: [("sparsity", "1.5")])?.message.contains("1.5") == true)
    #expect(failure(script, settings: [("epochs", "2.5")])?.message.contains("an integer") == true)
    #expect(failure(script, settings: [("name", "c")]) != nil)
    #expect(failure(script, settings: [("fast", "yes")]) != nil)
    #expect(failure("print(1)", settings: [("x", "1")])?.message.contains("no params") == true)
    #expect(failure(preamble + "params {}")?.line == 4)
    #expect(failure("params {}\nparams {}")?.line == 2)
    #expect(failure("local p = params { a = { 1 } }\np.a = 2")?.message.contains("read-only") == true)
  }

  @Test(arguments: [
    ("train(net, { data = data, epocs = 2 })", "\"epochs\""),
    ("train(net, { epochs = 2 })", "\"data\" is missing"),
    ("train(net, { data = data, epochs = 0 })", "from 1 to 1000000"),
    ("train(net, { data = data, epochs = 'two' })", "an integer"),
    ("train(net, { data = net })", "a Model"),
    ("train(net, { data = data, optimizer = 'adm' })", "\"adam\""),
    ("train(net, { data = data, momentum = 0.9 })", "momentum is sgd's"),
    ("train(net)", "argument 2"),
    ("train('lab_cnn', {})", "argument 1"),
    ("train(zoo.lab_cnn { input = { 9, 9, 3 } }, { data = data })", "[9, 9, 3]"),
    ("zoo.lab_cn()", "lab_cnn"),
    ("dataset 'mnst'", "\"mnist\""),
    ("prune(net, use 'global_magnitud' {}, {})", "\"global_magnitude\""),
    ("prune(net, use 'global_magnitude' { skp = 'conv' }, { sparsity = 0.5 })", "\"skip\""),
    ("prune(net, use 'global_magnitude' {}, {})", "needs a target"),
    ("prune(net, use 'global_magnitude' {}, { sparsity = 1.2 })", "1.2"),
    ("prune(net, use 'linear' { to = 1 }, { sparsity = 0.2 })", "schedule plugin, not a pruning plugin"),
    ("prune(net, use 'global_magnitude' {}, { schedule = use 'linear' { to = 1.2 } })", "1.2"),
    ("prune(net, use 'global_magnitude' {}, { schedule = use 'linear' {} })", "\"to\" is missing"),
    ("quantize(net, use 'int8' {})", "\"calibration\" is missing"),
    ("quantize(net, use 'int8' { calibration = data, observer = 'magic' })", "minmax"),
    ("compare { on = digits.test, { 'a' } }", "variant 1"),
    ("compare { on = digits.test }", "nothing to compare"),
    ("compare { on = digits.test, { 'a', net }, { 'a', net } }", "two variants"),
    ("digits.train:tak(5)", "\"take\""),
    ("plugin { kind = 'schedule' }", "own file"),
    ("use '../../etc/passwd'", "letters, digits"),
    ("load_model '../x.cmpr'", "no file name inside"),
    ("load_model '/etc/passwd'", "no file name inside"),
    ("load_model 'missing.cmpr'", "there is no file"),
    ("net:save 'x.cmpr'", "--out"),
    ("io.open('x')", "\"io\""),
  ])
  func mistakesAreToldWithTheirLine(_ line: String, _ part: String) throws {
    let error = try #require(failure(preamble + line), "must fail: \(line)")
    #expect(error.description.contains(part), "\(error)")
    #expect(error.line == 4, "\(error)")
    #expect(error.script?.hasSuffix("script.lua") == true)
  }

  @Test func functionsServeAsSchedules() throws {
    let folder = try ScriptFolder()
    let store = StageStore(root: folder.path + "/store")
    let constant =
      preamble
      + "local peak = 0.01\ntrain(net, { data = data, batch = 50, learning_rate = function(t) return peak * (1 - t) end })"
    #expect(try run(constant, store: store).notes.isEmpty)
    let odd =
      preamble
      + "local d = digits\ntrain(net, { data = data, batch = 50, learning_rate = function(t) return d.train.count * 1e-7 end })"
    #expect(try run(odd, store: store).notes.contains { $0.contains("not cached") })
    let wrong = preamble + "train(net, { data = data, batch = 50, learning_rate = function(t) return 'fast' end })"
    #expect(failure(wrong)?.message.contains("\"fast\"") == true)
  }

  @Test func seedsDecideEverything() throws {
    let script = preamble + "train(net, { data = data, batch = 50 })"
    func weights(_ seed: UInt64) throws -> [Float] {
      let result = try run(script, seed: seed)
      return try result.executor.model(of: result.outcome.leaves[0])["dense", .weight]!.values.array()
    }
    #expect(try weights(1) == weights(1))
    #expect(try weights(1) != weights(2))
  }

  @Test func modelsAreSavedInsideTheRunsFolderAndReadBack() throws {
    let folder = try ScriptFolder()
    try run(preamble + "quantize(net, use 'float16' {}):save 'deep/small.cmpr'", in: folder, out: folder.path + "/out")
    #expect(FileManager.default.fileExists(atPath: folder.path + "/out/deep/small.cmpr"))
    let result = try run(
      "local m = load_model 'out/deep/small.cmpr'\nprint(m:cost().parameters, #compile(m):run(tensor.zeros{2, 28, 28, 1}):shape())",
      in: folder)
    #expect(result.printed == ["20410\t2"])
    let outside = try ScriptFolder()
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/out/link", withDestinationPath: outside.path)
    let error = #expect(throws: CompressError.self) {
      try run(preamble + "net:save 'link/x.cmpr'", in: folder, out: folder.path + "/out")
    }
    #expect(error?.message.contains("leads out") == true)
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/secret.cmpr", withDestinationPath: "/etc/passwd")
    #expect(failure("load_model 'secret.cmpr'", in: folder)?.message.contains("leads out") == true)
  }

  @Test func escapesInNamesDoNotReachTheTerminal() throws {
    #expect(try run("print('\\27[31mred')").printed == ["\\u{1B}[31mred"])
  }

  @Test func tensorsComputeFromLua() throws {
    let result = try run(
      """
      local t = tensor.of { 1, -2, 3, -4, 5, -6 }
      print(t:sum(), t:abs():sum(), (t * 2 + 1):at(2), (10 - t):max(), (-t):min())
      local m = t:reshape(2, 3)
      print(m:shape()[1], m:transpose():shape()[1], m:sum(1):at(1), m:matmul(m:transpose()):at(1, 2))
      print(m:gt(0):sum(), m:slice(2, 2, 3):count_nonzero and 1 or 0)
      """.replacingOccurrences(of: ", m:slice(2, 2, 3):count_nonzero and 1 or 0", with: ", m:slice(2, 2, 3).count"))
    #expect(result.printed[0] == "-3.0\t21.0\t-3.0\t16.0\t-5.0")
    #expect(result.printed[1] == "2\t3\t-3.0\t-32.0")
    #expect(result.printed[2] == "3.0\t4")
    // Found by the fuzzer: one less than the least integer.
    #expect(failure("tensor.zeros { 3 }:at(math.mininteger)")?.message.contains("outside axis") == true)
    #expect(failure("tensor.zeros { 3 }:at(0)")?.message.contains("count from 1") == true)
    #expect(failure("tensor.zeros { 1000000, 1000000 }")?.message.contains("elements") == true)
    #expect(failure("local t = tensor.zeros { 3 }\nreturn t + tensor.zeros { 4 }")?.line == 2)
  }
}
