import Diagnostics
import Foundation
import Kernels
import Network
import Pipeline
import Scripting
import Testing

@Suite struct TrainingScriptTests {
  private let preamble = """
    local digits = dataset "digits"
    local data = digits.train:take(200)
    local net = zoo.lab_cnn()

    """

  private func weights(_ script: String, store: StageStore? = nil) throws -> [Float] {
    let result = try run(preamble + script, store: store)
    return try result.executor.model(of: result.outcome.leaves[0])["dense", .weight]!.values.array()
  }

  @Test func everyOptionIsHeard() throws {
    let options =
      [
        "", "optimizer = 'adamw'", "optimizer = 'sgd', learning_rate = 0.01", "optimizer = 'sgd', momentum = 0.9",
        "optimizer = 'sgd', momentum = 0.9, nesterov = true", "beta1 = 0.5", "beta2 = 0.5", "epsilon = 0.1",
        "weight_decay = 0.5", "weight_decay = 0.5, decay_all = true", "label_smoothing = 0.2",
        "clip_norm = 0.01, epsilon = 1",
        "ema = 0.5", "validation = 0.2", "shuffle = false", "seed = 9",
        "learning_rate = use 'one_cycle' { peak = 0.02 }",
        "distill = { teacher = zoo.lab_cnn { seed = 5 } }",
        "distill = { teacher = zoo.lab_cnn { seed = 5 }, alpha = 0.2 }",
        "distill = { teacher = zoo.lab_cnn { seed = 5 }, temperature = 1 }",
        "distill = { teacher = zoo.lab_cnn { seed = 5 }, labels = false }",
        "distill = { teacher = zoo.lab_cnn { seed = 5 }, labels = false, loss = 'absolute' }",
        "distill = { teacher = zoo.lab_cnn { seed = 5 }, labels = false, values = { 'conv' } }",
        "on_step = function(s) return { learning_rate = s.step * 1e-4 } end",
        "on_step = function(s) return { stop = s.step == 2 } end",
      ] + (InstructionSet.current.multipliesBFloat16 ? ["precision = 'bf16'"] : [])
    var seen: [[Float]: String] = [:]
    for option in options {
      let result = try weights("train(net, { data = data, batch = 50, \(option) })")
      #expect(seen[result] == nil, "\(option) is like \(seen[result] ?? "")")
      seen[result] = option
    }
    // How much memory it takes changes nothing.
    #expect(try seen[weights("train(net, { data = data, batch = 50, memory = 'recompute' })")] == "")
    #expect(try seen[weights("train(net, { data = data, batch = 50, validation = digits.test:take(50) })")] == "")
  }

  @Test func hooksSeeHowItGoes() throws {
    let printed = try run(
      preamble + """
        train(net, {
          data = data, batch = 50, epochs = 2, learning_rate = 0.002, validation = digits.test:take(50),
          on_step = function(s)
            print("step", s.step, s.steps, s.epoch, s.epochs, s.learning_rate, s.loss > 0, s.accuracy <= 1, s.validation_loss)
          end,
          on_epoch = function(e)
            print("epoch", e.epoch, e.step, e.validation_loss > 0, e.validation_accuracy <= 1)
            return { learning_rate = e.learning_rate / 2 }
          end,
        })
        """
    ).printed
    #expect(printed.count == 10)
    #expect(printed[0] == "step\t1\t8\t1\t2\t0.002\ttrue\ttrue\tnil")
    #expect(printed[4] == "epoch\t1\t4\ttrue\ttrue")
    #expect(printed[5] == "step\t5\t8\t2\t2\t0.001\ttrue\ttrue\tnil")
    #expect(printed[9] == "epoch\t2\t8\ttrue\ttrue")
  }

  @Test func hooksArePartOfTheKey() throws {
    func key(_ hook: String) throws -> (String, [String]) {
      let folder = try ScriptFolder()
      let result = try run(
        preamble + "local peak = 3\nlocal d = digits\ntrain(net, { data = data, batch = 100, \(hook) })",
        store: StageStore(root: folder.path + "/store"))
      return (result.outcome.leaves[0].key.digest, result.notes)
    }
    let one = try key("on_step = function(s) return { stop = s.step > peak } end")
    #expect(try key("on_step = function(s) return { stop = s.step > peak } end").0 == one.0 && one.1.isEmpty)
    #expect(try key("on_step = function(s) return { stop = s.step > peak + 1 } end").0 != one.0)
    #expect(try key("on_epoch = function(s) return { stop = s.step > peak } end").0 != one.0)
    let captures = try key("on_step = function(s) return { stop = s.step > d.train.count } end")
    #expect(captures.1.contains { $0.contains("not cached") })
  }

  @Test(arguments: [
    ("optimizer = 'sgd', beta1 = 0.9", "sgd has a momentum"), ("momentum = 0.9", "adam has its own"),
    ("nesterov = true", "adam has its own"), ("optimizer = 'adamW'", "adamw"),
    ("optimizer = 'sgd', nesterov = true", "nesterov needs a momentum"), ("patience = 3", "patience needs validation"),
    ("validation = 2", "not within 0 and 1"), ("validation = 0", "not between 0 and 1"), ("ema = 1", "not in 0..<1"),
    ("clip_norm = -1", "at least 0"), ("clip_norm = 0", "not above 0"), ("label_smoothing = 1", "not in 0..<1"),
    ("memory = 'less'", "no choice"), ("distill = {}", "teacher"), ("distill = { teacher = net, alpha = 2 }", "alpha"),
    ("distill = { teacher = zoo.lab_cnn { classes = 3 } }", "teacher's output"),
    ("distill = { teacher = net, loss = 'squared' }", "for learning without labels"),
    ("distill = { teacher = net, labels = false, values = { 'nowhere' } }", "no layer \"nowhere\" to match"),
    ("distill = { teacher = net, labels = false, values = { 'conv', 'conv' } }", "matched twice"),
    ("distill = { teacher = zoo.lab_cnn { classes = 3 }, labels = false }", "can be matched"), ("on_step = 3", "a function"),
    ("learning_rate = use 'linear' { from = 1, to = -9 }", "not a number from 0 up"),
    ("learning_rate = function(t) return t < 0.4 and 1 or nil end", "must return a number"),
  ])
  func mistakesAreToldWithTheirLine(_ option: String, _ part: String) throws {
    let error = try #require(failure(preamble + "train(net, { data = data, \(option) })"), "must fail: \(option)")
    #expect(error.description.contains(part), "\(error)")
    #expect(error.line == 4, "\(error)")
  }

  @Test(arguments: [
    ("return 3", "on_step: must return a table or nil, not 3"), ("return { lr = 3 }", "no option \"lr\""),
    ("return { learning_rate = -1 }", "at least 0"), ("return { stop = 1 }", "true or false"),
    ("return s.losss", "losss"), ("error('enough')", "enough"),
    ("train(net, { data = data })", "plugins cannot record stages"),
  ])
  func hooksThatGoWrongAreNamed(_ body: String, _ part: String) throws {
    let error = try #require(
      failure(preamble + "train(net, { data = data, batch = 100, on_step = function(s) \(body) end })"))
    #expect(error.description.contains(part), "\(error)")
    #expect(error.line == 4, "\(error)")
  }

  @Test func recalibrationIsAStage() throws {
    let result = try run(
      """
      local data = dataset("digits").train:take(200)
      recalibrate(zoo.quick_cnn(), { data = data, batches = 3, batch = 50 })
      """)
    #expect(result.outcome.leaves[0].work.label == "recalibrate on 3 batches")
    let error = failure(preamble + "recalibrate(net, { data = data })")
    #expect(error?.message == "the network has no batch norms to recalibrate" && error?.line == 4)
  }

  @Test func aHookCannotWaitForItsOwnModel() throws {
    let error = try #require(
      failure(
        preamble + "local m\nm = train(net, { data = data, batch = 100, on_step = function() evaluate(m, data) end })"))
    #expect(error.message.contains("is being computed"), "\(error)")
    // Others it may ask about.
    let printed = try run(
      preamble + """
        local other = zoo.lab_cnn { seed = 3 }
        train(net, { data = data, batch = 200, on_epoch = function() print(evaluate(other, data).count) end })
        """
    ).printed
    #expect(printed == ["200"])
  }

  @Test func schedulesSayWhatTheirHeadersSay() throws {
    let printed = try run(
      """
      local function values(s) print(string.format("%.6g %.6g %.6g %.6g %.6g", s(0), s(0.25), s(0.5), s(0.75), s(1))) end
      values(use "step" { from = 0.4 })
      values(use "step" { from = 1, at = { 0.25 }, factor = 0.5 })
      values(use "exponential" { from = 1, to = 1 / 16 })
      values(use "one_cycle" { peak = 1, rise = 0.5 })
      values(use "warmup" { share = 0.5, next = use "linear" { from = 1, to = 0 } })
      values(use "warmup" { share = 0.5, from = 0.1, next = function(t) return 1 + t end })
      print((use "linear" { from = 0, to = 1 }):at(0.5) == use "linear" { from = 0, to = 1 } (0.5))
      """
    ).printed
    #expect(
      printed == [
        "0.4 0.4 0.04 0.004 0.004", "1 0.5 0.5 0.5 0.5", "1 0.5 0.25 0.125 0.0625",
        "0.04 0.52 1 0.500002 4e-06", "0 0.5 1 0.5 0", "0.1 0.55 1 1.5 2", "true",
      ])
  }

  @Test func warmUpWorksForSparsityToo() throws {
    let result = try run(
      preamble + """
        prune(net, use "global_magnitude" {}, {
          schedule = use "warmup" { share = 0.2, next = use "constant" { value = 0.6 } },
          train = { data = data, batch = 20, epochs = 2, validation = 0.1, patience = 1, optimizer = "sgd" },
        })
        """)
    let record = try result.executor.result(of: result.outcome.leaves[0]).record
    #expect(abs(record.facts["sparsity"]! - 0.6) < 0.005)
  }
}
