import Diagnostics
import Pipeline
import Testing

/// What is judged where there are no labels, or nothing that labels could judge.
@Suite struct AgreementScriptTests {
  /// Scores and an image of two channels, on noise.
  private static let head = """
    local image = net.input({ 12, 12, 3 }, { name = "image" })
    local features = net.relu()(net.conv(16, 3, { name = "a" })(image))
    local deep = net.relu()(net.conv(24, 3, { name = "b" })(features))
    local m = net.model { inputs = { image }, seed = 3, outputs = {
      net.dense(5, { name = "scores" })(net.global_average_pool()(deep)), net.conv(2, 1, { name = "mask" })(deep) } }
    local samples = data.noise(m, { count = 48 })
    local seen, held = samples:take(32), samples:drop(32)
    local rough = quantize(m, use "int8" { calibration = seen, bits = 2 })

    """

  @Test func sensitivityIsACosine() throws {
    let result = try run(
      Self.head + """
        local scan = sensitivity(m, { strategy = use "filter_l1" {}, data = held, shares = { 0.25, 0.75 } })
        local part, alone = scan.parts[1], prune(m, use "filter_l1" {}, { ratios = { 0.75, 0 } })
        print(scan.by, scan.baseline, part.name, part.accuracy)
        print(part.cosine[2] == agreement(m, alone, { data = held }).cosine, part.cosine[2] < part.cosine[1])
        print(math.abs(part.importance - (1 - (part.cosine[1] + part.cosine[2]) / 2)) < 1e-12)
        print(scan:summary():find("cosine", 1, true) ~= nil, scan:summary():find("accuracy", 1, true))
        local less = prune(m, use "filter_l1" {}, { ratios = scan:ratios { macs = 0.6 } })
        print(less:cost().macs / m:cost().macs < 0.65)
        local other = sensitivity(alone, { strategy = use "filter_l1" {}, data = held, shares = { 0.25 }, original = m })
        print(other.baseline == agreement(m, alone, { data = held }).cosine, other.baseline < 1)
        """)
    #expect(result.printed == [
      "agreement\t1.0\ta\tnil", "true\ttrue", "true", "true\tnil", "true", "true\ttrue",
    ])
    let keys = result.outcome.stages.filter { $0.work.kind == "sensitivity" }.map(\.key)
    #expect(keys.count == 2 && keys[0] != keys[1])
  }

  /// Labels are there; agreement is what is asked for.
  @Test func labelsMayBeLeftAside() throws {
    let result = try run(
      SensitivityTests.head + """
        local options = { strategy = use "filter_l1" {}, data = held, shares = { 0.5 }, by = "agreement" }
        local scan = sensitivity(m, options)
        options.by = nil
        print(scan.by, scan.parts[1].cosine[1] < 1, sensitivity(m, options).by)
        local q = quantize(m, use "int8" { calibration = data })
        local found = evaluate(q, { on = held, by = "agreement", original = m })
        print(found.cosine == agreement(m, q, { data = held }).cosine, found.accuracy, found.count)
        print(differences(m, q, { data = held, by = "agreement" }).cosine == found.cosine)
        """)
    #expect(result.printed == ["agreement\ttrue\taccuracy", "true\tnil\t200", "true"])
  }

  @Test func labelsMayBeTakenAway() throws {
    let result = try run(
      SensitivityTests.head + """
        local bare = held:unlabelled()
        local function scan(on) return sensitivity(m, { strategy = use "filter_l1" {}, data = on, shares = { 0.5 } }) end
        print(#bare, bare:batch(1, 2) == held:batch(1, 2), scan(bare:take(50)).by, scan(held).by)
        print(pcall(evaluate, m, bare))
        """)
    #expect(result.printed[0] == "200\ttrue\tagreement\taccuracy", "\(result.printed)")
    #expect(result.printed[1].contains("no labels"))
  }

  @Test func rescueAndMixReachACosine() throws {
    let result = try run(
      Self.head + """
        local function cosine(model) return agreement(m, model, { data = held }).cosine end
        local function floats(model)
          local count = 0
          for _, layer in ipairs(model:layers()) do if layer.stored == "float32" then count = count + 1 end end
          return count
        end
        -- Half of what is lost.
        local goal = (1 + cosine(rough)) / 2
        local saved = rescue(m, rough, { data = held, cosine = goal })
        print(cosine(saved) >= goal, floats(saved) > 0, floats(saved) < 4, floats(m))
        local fine = quantize(m, use "int8" { calibration = seen })
        print(floats(rescue(m, fine, { data = held, cosine = 0.9 })), cosine(rescue(m, rough, { data = held })) >= 0.99)
        local mixed = mix(m, { { "rough", rough }, { "fine", fine } }, { data = held, cosine = goal })
        print(cosine(mixed) >= goal, mixed:cost().bytes < fine:cost().bytes)
        """)
    #expect(result.printed == ["true\ttrue\ttrue\t4", "0\ttrue", "true\ttrue"])
    let stage = try #require(result.outcome.stages.first { $0.work.kind == "mix" })
    let record = try result.executor.record(of: stage)
    let layers = try #require(record.facts["layers_original"]), macs = try #require(record.facts["macs_original"])
    #expect(layers > 0 && layers < 4 && macs > 0 && macs < 1 && record.facts["cosine"].map { $0 > 0.5 } == true)
    #expect(record.notes.contains { $0.hasPrefix("original, ") && $0.contains("% of the multiply-accumulates: ") })
  }

  /// None of the layers that went back to float could have stayed integers by itself.
  @Test func noLayerIsRescuedInVain() throws {
    let goal = "(1 + agreement(m, rough, { data = held }).cosine) / 2"
    let result = try run(
      Self.head + """
        local saved = rescue(m, rough, { data = held, cosine = \(goal) })
        for _, layer in ipairs(saved:layers()) do
          if layer.stored == "float32" then print(layer.name) end
        end
        """)
    let floats = result.printed
    #expect(!floats.isEmpty && floats.count < 4, "\(floats)")
    for layer in floats {
      let others = floats.filter { $0 != layer }.map { "'\($0)'" }.joined(separator: ", ")
      let less = try run(
        Self.head + """
          local one = quantize(m, use "int8" { calibration = seen, bits = 2, skip = { \(others) } })
          print(agreement(m, one, { data = held }).cosine < \(goal))
          """)
      #expect(less.printed == ["true"], "\(layer) of \(floats)")
    }
  }

  @Test func differencesAreOfOutputs() throws {
    let result = try run(
      Self.head + """
        local found = differences(m, rough, { data = held, worst = 2 })
        print(found.accuracy, found.cosine == agreement(m, rough, { data = held }).cosine, #found.outputs)
        print(found.outputs[2].name, #found.worst, found.worst[1].label, found.count)
        print(found.text:find("cosine", 1, true) ~= nil, found.text:find("accuracy", 1, true))
        local judged = evaluate(rough, { on = held, original = m })
        print(judged.cosine == found.cosine, judged.accuracy, judged.outputs[1].name)
        """)
    #expect(result.printed == [
      "nil\ttrue\t2", "mask\t2\tnil\t16", "true\tnil", "true\tnil\tscores",
    ])
  }

  @Test(arguments: [
    ("rescue(m, rough, { data = held, within = 0.01 })", "no labels"),
    ("rescue(m, rough, { data = held, within = 0.01 })", "cosine = 0.99"),
    ("rescue(m, rough, { data = held, within = 0.01, cosine = 0.99 })", "one goal"),
    ("rescue(m, rough, { data = held, cosine = 1.5 })", "1.5"),
    ("evaluate(m, held)", "no labels"), ("evaluate(m, held)", "original = model"),
    ("evaluate(m, { on = held, by = 'agreement' })", "with what"),
    ("evaluate(m, { on = held, by = 'accuracy', original = m })", "by labels"),
    ("sensitivity(m, { strategy = use 'filter_l1' {}, data = held, by = 'accuracy' })", "no labels"),
    ("sensitivity(m, { strategy = use 'filter_l1' {}, data = held, original = zoo.lab_cnn {} })", "shape"),
    ("prune(m, use 'global_magnitude' {}, { sparsity = 0.5, reconstruct = seen })", "single weights"),
    ("prune(m, use 'filter_l1' {}, { filters = 0.3, reconstruct = data.noise(zoo.lab_cnn {}, {}) })", "shape"),
  ])
  func mistakesAreNamed(_ script: String, _ expected: String) {
    let error = failure(Self.head + script)
    let text = error.map { "\($0)" } ?? ""
    #expect(text.contains(expected), "\(text)")
  }

  /// A network with shortcuts, batch norms and depthwise convolutions.
  private static let deep = """
    local function block(filters)
      return net.residual { net.depthwise(3), net.batch_norm(), net.conv(filters, 1, { bias = false }), net.batch_norm() }
    end
    local m = recalibrate(net.model { input = { 16, 16, 3 }, seed = 5,
      net.conv(24, 3), net.relu(), block(24), net.relu(), block(24), net.relu(), net.conv(32, 3, { stride = 2 }),
      net.relu(), block(32), net.relu(), net.global_average_pool(), net.dense(16), net.relu(), net.dense(6) },
      { data = data.noise(zoo.lab_cnn { input = { 16, 16, 3 } }, { count = 64, seed = 9 }), batches = 4, batch = 16 })
    local samples = data.noise(m, { count = 160 })
    local seen, held = samples:take(128), samples:drop(128)

    """

  @Test(arguments: ["filter_l1", "filter_random"])
  func whatIsLeftIsFittedToWhatWas(_ strategy: String) throws {
    let result = try run(
      Self.deep + """
        local function cosine(options)
          options.macs = 0.6
          local small = prune(m, use "\(strategy)" {}, options)
          return agreement(m, small, { data = held }).outputs[1], small:cost().macs
        end
        local plain, macs = cosine {}
        local fitted, same = cosine { reconstruct = seen }
        print(macs == same, plain.sqnr, fitted.sqnr)
        """)
    let words = result.printed[0].split(separator: "\t")
    let plain = try #require(Double(words[1])), fitted = try #require(Double(words[2]))
    #expect(words[0] == "true" && fitted > plain + 3, "\(plain) dB, \(fitted) dB")
    let record = try result.executor.record(of: #require(result.outcome.stages.last { $0.work.kind == "prune" }))
    #expect(record.facts["layers_reconstructed"].map { $0 > 3 } == true, "\(record.facts)")
  }

  @Test func channelsAreMadeAlikeByTheirValues() throws {
    let result = try run(
      """
      local m = net.model { input = { 12, 12, 3 }, seed = 2,
        net.conv(8, 3), net.relu(), net.depthwise(3, { name = "depth" }), net.conv(8, 1, { name = "point" }), net.relu(),
        net.conv(4, 1) }
      local samples = data.noise(m, { count = 64 })
      local seen, held = samples:take(48), samples:drop(48)
      local even = equalize(m, { data = seen })
      print(agreement(m, even, { data = held }).cosine)
      local recipe = use "int8" { calibration = seen, observer = "minmax" }
      local plain = agreement(m, quantize(m, recipe), { data = held }).outputs[1].sqnr
      local better = agreement(m, quantize(even, recipe), { data = held }).outputs[1].sqnr
      print(better > plain - 1, plain, better)
      print(pcall(equalize, m, { data = data.noise(zoo.lab_cnn {}, {}) }))
      """)
    #expect(result.printed[0] == "1.0" && result.printed[1].hasPrefix("true"), "\(result.printed)")
    #expect(result.printed[2].contains("shape"), "\(result.printed)")
  }
}
