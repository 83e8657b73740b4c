import Datasets
import Diagnostics
import Network
import Runtime
import Tensors
import Testing

@testable import Pipeline
@testable import Scripting

/// Recipes as scripts use them, on a network that learns digits in a moment.
@Suite struct QuantizationScriptTests {
  static let head =
    preamble + """
      local m = train(net, { data = data, batch = 25, epochs = 4 })
      local held = digits.test:take(200)

      """

  /// Every shipped recipe with its defaults, and those with choices.
  static let recipes = [
    "dynamic_range {}", "float16 {}", "bfloat16 {}", "clusters { clusters = 32 }",
    "int8 { calibration = data }", "int8 { calibration = data, observer = 'minmax' }",
    "int8 { calibration = data, observer = 'moving_average' }", "int8 { calibration = data, observer = 'entropy' }",
    "int8 { calibration = data, observer = 'mse', correct_bias = true }",
    "int8 { calibration = data, symmetric = true, power_of_two = true, per = 'tensor' }",
    "int8 { calibration = data, bits = 6, activation_bits = 6, fit = 'mse' }",
    "int8 { calibration = data, activation_bits = 12 }",
    "int4 {}", "int4 { calibration = data }",
    "fixed_point { calibration = data, norm_bits = 4 }", "fixed_point { calibration = data, method = 'minmax' }",
    "fixed_point { calibration = data, method = 'log' }", "fixed_point { calibration = data, method = 'tanh' }",
  ]

  @Test(arguments: recipes) func quantizesAndRunsAsWritten(_ recipe: String) throws {
    let result = try run(
      Self.head + """
        local q = quantize(m, use "\(recipe.replacing(" ", with: "\" ", maxReplacements: 1)))
        local found = differences(m, q, { data = held, layers = 8 })
        print(found.accuracy[2] > found.accuracy[1] - 0.1, found.count, #found.worst)
        """)
    #expect(result.printed == ["true\t200\t10"])
    let stage = try #require(result.outcome.stages.last { $0.work.kind == "quantize" })
    let model = try result.executor.model(of: stage)
    let images = try SyntheticDigits(count: 3, part: "test").batch(0..<3).images
    let scores: [Float] = try Session(compile(model, CompileOptions(maxBatch: 3))).run(images).array()
    let reference = ReferenceInterpreter(model)
    let expected = try (0..<3).flatMap { index -> [Float] in
      try reference.run(images.sliced(axis: 0, index..<index + 1).reshaped(model.graph.inputShape.dims)).array()
    }
    #expect(scores == expected)
  }

  @Test func whatIsSimulatedIsSaid() throws {
    let result = try run(Self.head + "quantize(m, use 'fixed_point' { calibration = data, method = 'log', bits = 6 })")
    let stage = try #require(result.outcome.stages.last { $0.work.kind == "quantize" })
    let notes = try result.executor.record(of: stage).notes
    #expect(notes.contains { $0.contains("is simulated in float") }, "\(notes)")
  }

  @Test func prunedStaysPruned() throws {
    let recipes = [
      "int8 { calibration = data }", "clusters {}", "int4 { calibration = data }",
      "fixed_point { calibration = data, method = 'minmax' }",
    ]
    for recipe in recipes {
      let result = try run(
        Self.head + """
          local sparse = prune(m, use "global_magnitude" {}, { sparsity = 0.7 })
          local q = quantize(sparse, use "\(recipe.replacing(" ", with: "\" ", maxReplacements: 1)))
          print(q:cost().nonzero <= sparse:cost().nonzero)
          """)
      #expect(result.printed == ["true"], "\(recipe)")
    }
  }

  @Test func trainingWithFewBitsBringsAccuracyBack() throws {
    let result = try run(
      Self.head + """
        local few = use "int8" { calibration = data, bits = 2, activation_bits = 3 }
        local before = evaluate(quantize(m, few), data).accuracy
        local options = { data = data, batch = 25, epochs = 4, learning_rate = 2e-3 }
        local after = evaluate(quantize(m, few, { train = options }), data).accuracy
        local fixed = evaluate(quantize(m, few, { train = options, learn_scales = false }), data).accuracy
        print(after > before + 0.03, fixed > before + 0.03)
        local shared = use "clusters" { clusters = 2 }
        local tied = quantize(m, shared, { train = options })
        print(evaluate(tied, data).accuracy > evaluate(quantize(m, shared), data).accuracy)
        """)
    #expect(result.printed == ["true\ttrue", "true"])
    let stage = result.outcome.stages.last { $0.work.label.hasPrefix("quantize by clusters, train") }
    let tied = try result.executor.model(of: #require(stage))
    for layer in tied.weightLayers {
      guard case .codes(let coded)? = tied[layer, .weight]?.encoding else { Issue.record("no table"); continue }
      #expect(coded.table.count <= 2)
    }
  }

  /// The recipe for those who have no data: channels made alike, weights rounded, biases corrected by batch norms.
  @Test func withoutData() throws {
    let result = try run(
      FilterPruningTests.residual + """
        local m = train(net, { data = data, batch = 25, epochs = 3 })
        local q = quantize(equalize(m), use "dynamic_range" { correct_bias = true, per = "tensor" })
        local found = differences(m, q, { data = digits.test:take(100) })
        print(found.flips <= 10, q:cost().bytes < m:cost().bytes / 3)
        """)
    #expect(result.printed == ["true\ttrue"])
    let stage = try #require(result.outcome.stages.last { $0.work.kind == "quantize" })
    let notes = try result.executor.record(of: stage).notes
    #expect(notes.contains { $0.hasSuffix("biases corrected by what batch norms promise") }, "\(notes)")
  }

  /// The same function in other numbers is no error: layers that were scaled are told, and compared after the same was
  /// done to the original.
  @Test func equalizedLayersAreNoErrors() throws {
    let result = try run(
      Self.head + """
        local q = quantize(equalize(m), use "int8" { calibration = data, per = "tensor" })
        local found = differences(m, q, { data = held, layers = 8 })
        local least = math.huge
        for _, layer in ipairs(found.layers) do least = math.min(least, layer.cumulative.sqnr or math.huge) end
        local said = "scaled by equalization: " .. found.scaled[1]
        print(#found.scaled > 0, least > 15, found.text:find(said, 1, true) ~= nil)
        local plain = differences(m, quantize(m, use "int8" { calibration = data }), { data = held, layers = 8 })
        print(#plain.scaled, plain.text:find("equalization", 1, true))
        local same = differences(m, equalize(m), { data = held, layers = 8 })
        print(#same.scaled == #found.scaled, same.flips, same.layers[1].cumulative.sqnr)
        local saved = rescue(m, q, { data = held, within = 0 })
        print(evaluate(saved, held).accuracy >= evaluate(m, held).accuracy)
        """)
    #expect(result.printed == ["true\ttrue\ttrue", "0\tnil", "true\t0\tnil", "true"])
  }

  @Test func rescueAndMix() throws {
    let result = try run(
      Self.head + """
        local rough = quantize(m, use "int8" { calibration = data, bits = 2, activation_bits = 2 })
        local fine = quantize(m, use "int8" { calibration = data })
        local saved = rescue(m, rough, { data = held, within = 0 })
        print(evaluate(saved, held).accuracy >= evaluate(m, held).accuracy, saved:cost().bytes > rough:cost().bytes)
        local mixed = mix(m, { { "rough", rough }, { "fine", fine } }, { data = held, within = 0.02 })
        print(evaluate(mixed, held).accuracy >= evaluate(m, held).accuracy - 0.02)
        local limit = fine:cost().bytes
        print(mix(m, { { "rough", rough }, { "fine", fine } }, { data = held, bytes = limit }):cost().bytes <= limit)
        """)
    #expect(result.printed == ["true\ttrue", "true", "true"])
  }

  @Test func differencesBlameALayer() throws {
    let result = try run(
      Self.head + """
        local same = differences(m, m, { data = held })
        print(same.flips, same.gained, same.layers[1].cumulative.sqnr, same.layers[1].cumulative.cosine)
        local rough = quantize(m, use "int8" { calibration = data, bits = 2, skip = "dense" })
        local found = differences(m, rough, { data = held, worst = 2 })
        local blamed
        for _, layer in ipairs(found.layers) do if layer.alone then blamed = layer end end
        print(blamed.name, blamed.alone.sqnr < 30, #found.worst, found.flips_low <= found.flips / found.count)
        """)
    #expect(result.printed[0] == "0\t0\tnil\t1.0")
    #expect(result.printed[1].hasSuffix("true\t2\ttrue"), "\(result.printed)")
  }

  @Test(arguments: [
    ("quantize(m, use 'int8' { calibration = data, bits = 9 })", "from 2 to 8"),
    ("quantize(m, use 'dynamic_range' { correct_bias = true })", "no batch norm says"),
    ("quantize(m, use 'int8' { calibration = data, observer = 'max' })", "no choice"),
    ("quantize(m, use 'fixed_point' { calibration = data, method = 'log' }, { train = { data = data } })", "levels"),
    ("mix(m, { { 'a', m } }, { data = data, within = 0 })", "one candidate: two or more are needed"),
    ("mix(m, { { 'a', m }, { 'b', m } }, { data = data })", "one goal"),
    ("mix(m, { { 'a', m }, { 'a', m } }, { data = data, within = 0 })", "two candidates are called \"a\""),
    ("mix(m, { { 'a', m }, { 'b', zoo.lenet5 {} } }, { data = data, within = 0 })", "different networks"),
    ("evaluate(m, data:take(0))", "has no samples to evaluate on"),
    ("rescue(m, net, { data = data, within = 2 })", "within 0 and 1"),
  ])
  func mistakesAreNamed(_ script: String, _ expected: String) {
    let error = failure(Self.head + script)
    #expect(error?.message.contains(expected) == true, "\(String(describing: error))")
  }

  /// What was pruned stays zero where clusters are trained: the entry of the table that is zero does not move.
  @Test func prunedZerosStayZeroInTrainedClusters() throws {
    let printed = try run(
      """
      local d = dataset("digits").train:take(256)
      for _, learn in ipairs { true, false } do
        local m = prune(zoo.quick_cnn(), use "global_magnitude" {}, { sparsity = 0.5 })
        local c = quantize(m, use "clusters" { clusters = 4 }, {
          train = { data = d, epochs = 3, learning_rate = 0.01 }, learn_scales = learn,
        })
        local zeros, revived, values = 0, 0, 0
        for i, layer in ipairs(m:layers()) do
          local gone, now = layer.weight:eq(0), c:layers()[i].weight
          zeros = zeros + gone:sum()
          revived = revived + (gone * now:ne(0)):sum()
          local seen, count = {}, 0
          for _, v in ipairs(now:reshape(-1):table()) do
            if not seen[v] then seen[v], count = true, count + 1 end
          end
          values = math.max(values, count)
        end
        print(zeros > 4000, revived, values <= 4)
      end
      """
    ).printed
    #expect(printed == ["true\t0.0\ttrue", "true\t0.0\ttrue"])
  }
}
