import Foundation
import Testing

/// What people ran into on a first day.
@Suite struct FirstDayTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func script(_ text: String, _ name: String = "p.lua") throws -> String {
    let path = "\(folder.path)/\(name)"
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    return path
  }

  func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Outcome {
    try compress(arguments, cache: folder, environment: environment)
  }

  static let two = """
    local d = dataset "digits"
    local m = train(zoo.lab_cnn(), { data = d.train:take(200) })
    compare { on = d.test:take(50), images = 5, { "baseline", m }, { "half", quantize(m, use "float16" {}) } }
    """

  @Test func modelsOfAnEarlierRunGo() throws {
    let out = folder.path + "/out"
    #expect(try run("run", script(Self.two), "--out", out).status == 0)
    try Data("mine".utf8).write(to: URL(fileURLWithPath: out + "/models/notes.txt"))
    let one = Self.two.replacing(", { \"half\", quantize(m, use \"float16\" {}) }", with: "").replacing(
      "baseline", with: "alone")
    let again = try run("run", script(one), "--out", out)
    #expect(again.status == 0, "\(again.errors)")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: out + "/models").sorted() == ["1-alone.cmpr", "notes.txt"])
    #expect(again.output.contains("timed in one turn: times have no interval"))
    // A run that compares nothing does not pass its folder's results off as its own.
    let nothing = try run("run", script("print(1)"), "--out", out)
    #expect(nothing.status == 0 && nothing.errors.contains("results.json is of an earlier run"), "\(nothing.errors)")
  }

  /// What a script saves is not written, and nothing is trained for it, where it is only to be shown.
  @Test func whatIsSavedIsNoObstacleToShowingIt() throws {
    let saving = try script(
      """
      local p = params { samples = 64 }
      local m = train(zoo.lab_cnn(), { data = dataset("digits").train:take(p.samples) })
      m:save "a.cmpr"
      export(m, "a.onnx", { opset = 21 })
      """, "saving.lua")
    for arguments in [["plan", saving], ["check", saving], ["sweep", saving, "--grid", "samples=64,32", "--dry-run"]] {
      let shown = try compress(arguments, cache: folder)
      #expect(shown.status == 0 && !shown.errors.contains("train"), "\(arguments): \(shown.errors)")
      #expect(shown.output.contains("to compute"))
    }
    let wrong = try run("plan", script("zoo.lab_cnn():save 'a.pth'", "wrong.lua"))
    #expect(wrong.status == 2 && wrong.errors.contains("wrong.lua:1"), "\(wrong.errors)")
  }

  @Test func aScriptThatAsksForNothingIsTold() throws {
    let silent = try run("run", script("local d = dataset 'digits'"))
    #expect(silent.status == 0 && silent.errors.contains("compares, prints and saves nothing"), "\(silent.errors)")
    #expect(try !run("run", script("print 'x'")).errors.contains("nothing"))
    let saved = try run("run", script("zoo.lab_cnn():save 'a.cmpr'"), "--out", folder.path + "/out")
    #expect(saved.status == 0 && !saved.errors.contains("nothing"), "\(saved.errors)")
  }

  @Test func aSlipOfThePenIsNoRun() throws {
    func runs() throws -> String { try run("runs", "list").output }
    #expect(try run("run", script("trian(zoo.lab_cnn(), {})")).status == 2)
    #expect(try run("run", script("train(zoo.lab_cnn(), { data = dataset('digits').train, epoch = 1 })")).status == 2)
    #expect(try runs().contains("0 runs"))
    // One whose work was begun is.
    let failed = try run(
      "run",
      script(
        "local d = dataset 'digits'\nprint(evaluate(train(zoo.lab_cnn(), { data = d.train:take(64) })).count)\nnonsense()"
      ))
    #expect(failed.status == 2)
    #expect(try runs().contains("1 run") && runs().contains("failed"))
  }

  /// A stage whose error the script caught does not end the run; one that is still asked for does.
  @Test func whatNobodyAsksForAnyMoreIsNotComputed() throws {
    let caught = """
      local d = dataset "digits"
      local m = train(zoo.lab_cnn(), { data = d.train:take(64) })
      local bad = train(m, { data = d.train:take(64), learning_rate = 1e30, epochs = 5 })
      print(pcall(evaluate, bad, d.test:take(10)))
      """
    let went = try run("run", script(caught + "\nprint(evaluate(m, d.test:take(10)).count)"))
    #expect(went.status == 0 && went.output.contains("false") && went.output.contains("10"), "\(went.errors)")
    #expect(
      went.errors.contains("not computed, since the script went on without it: train lab_cnn, 5 epochs (line 3)"),
      "\(went.errors)")
    for asked in ["quantize(bad, use 'float16' {})", "compare { on = d.test:take(10), images = 1, { 'bad', bad } }"] {
      let failed = try run("run", script(caught + "\n" + asked))
      #expect(failed.status == 2 && failed.errors.contains("p.lua:3:"), "\(asked): \(failed.errors)")
    }
    let plan = try run("plan", script(caught))
    #expect(plan.status == 0 && plan.output.contains("failed"), "\(plan.output)")
  }

  @Test func checkHoldsAPluginToTheLimitsGiven() throws {
    let greedy = try script(
      """
      return plugin { kind = "schedule", summary = "s", at = function(t)
        local list = {}
        for i = 1, 100000 do list[i] = i end
        return t
      end }
      """, "greedy.lua")
    #expect(try run("check", greedy).status == 0)
    let memory = try run("check", greedy, "--lua-memory", "1")
    #expect(memory.status == 2 && memory.errors.contains("memory"), "\(memory.errors)")
    let instructions = try run("check", greedy, "--lua-instructions", "10000")
    #expect(instructions.status == 2 && instructions.errors.contains("instruction"), "\(instructions.errors)")
    #expect(try run("check", greedy, "--lua-memory", "0").errors.contains("--lua-memory 0"))
    #expect(try run("check", greedy, "--set", "a=1").errors.contains("a plugin has no params"))
  }

  @Test func sweepFilesAreCheckedAndPlanned() throws {
    _ = try script("local p = params { sparsity = { 0.5, min = 0, max = 1 } }\n" + Self.two, "lab.lua")
    let sweep = try script(
      "return sweep { script = 'lab.lua', grid = { sparsity = { 0.5, '0.50', '.5', 0.7 } }, seeds = { 3, 3, 4 } }",
      "sweep.lua")
    for command in ["check", "plan"] {
      let outcome = try run(command, sweep)
      #expect(outcome.status == 0 && outcome.output.contains("train lab_cnn"), "\(outcome.errors)")
      #expect(
        outcome.output.contains("4 points of ") && outcome.output.contains("lab.lua over sparsity, with 2 seeds each"))
      #expect(outcome.output.contains("the first: sparsity=0.5, seed 3"))
      #expect(
        outcome.output.contains("sparsity: 0.50 is 0.5, .5 is 0.5; 2 of 4 values are different"), "\(outcome.output)")
      #expect(outcome.output.contains("2 of 3 seeds are different"))
    }
    let wrong = try script("return sweep { script = 'lab.lua', grid = { sparsity = { 0.5, 1.5 } } }", "wrong.lua")
    let refused = try run("check", wrong)
    #expect(refused.status == 2 && refused.errors.contains("1.5"), "\(refused.errors)")
  }

  @Test func optionsWithoutADefaultMayBeOptional() throws {
    _ = try script(
      """
      return plugin { kind = 'schedule', summary = 's', at = function(t) return t end,
        options = {
          a = { type = 'number' }, b = { type = 'number', optional = true }, c = { type = 'number', default = 2 } } }
      """,
      "mine.lua")
    let outcome = try run("check", folder.path + "/mine.lua")
    let rows = outcome.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(
      rows.contains(["a", "a", "number", "required"]) && rows.contains(["b", "a", "number", "none"]),
      "\(outcome.output)")
    #expect(rows.contains(["c", "a", "number", "2"]))
  }

  @Test func aModelThatAnswersNaNIsNotTimedInSilence() throws {
    let made = try run(
      "run",
      script(
        "net.model { input = { 2, 2, 1 }, net.flatten(), net.dense(3, { name = 'd' }) }:save 'n.safetensors'"
      ), "--out",
      folder.path)
    #expect(made.status == 0, "\(made.errors)")
    // The last value of the file is of a float32 tensor.
    let path = folder.path + "/n.safetensors"
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: [0, 0, 0xC0, 0x7F])
    try bytes.write(to: URL(fileURLWithPath: path))
    let loaded = try run(
      "run",
      script(
        """
        local n = net.model { input = { 2, 2, 1 }, net.flatten(), net.dense(3, { name = 'd' }) }
        load_model('n.safetensors', { into = n }):save 'n.cmpr'
        """
      ),
      "--out", folder.path)
    #expect(loaded.status == 0, "\(loaded.errors)")
    let bench = try run("bench", folder.path + "/n.cmpr", "--runs", "5", "--batch", "2")
    #expect(
      bench.status == 0 && bench.output.contains("NaN: the model answers NaN to 2 of 2 random images"),
      "\(bench.output)\(bench.errors)")
    let json = try run("bench", folder.path + "/n.cmpr", "--runs", "5", "--json")
    #expect(json.output.contains("\"undefined\":1"))
  }
}
