import Diagnostics
import Foundation
import Pipeline
import Scripting
import ShippedPlugins
import Testing

@Suite struct PluginTests {
  static let shipped: [PluginCatalog.Description] = {
    let entries = (try? PluginCatalog(folders: [sourceRoot + "/plugins"]))?.all() ?? []
    return entries.compactMap { try? $0.get() }
  }()

  @Test func allShippedPluginsLoadAndExplainThemselves() throws {
    let catalog = try PluginCatalog(folders: [sourceRoot + "/plugins"])
    let files = FileManager.default.enumerator(atPath: sourceRoot + "/plugins")!.compactMap { $0 as? String }
      .filter { $0.hasSuffix(".lua") && !$0.hasPrefix("meta/") }
    #expect(files.count >= 9)
    for file in files {
      let name = String(file.split(separator: "/").last!.dropLast(4))
      let plugin = try catalog.describe(name)
      #expect(!plugin.summary.isEmpty)
      #expect(plugin.options.allSatisfy { !$0.help.isEmpty }, "\(name): every option has help")
      let text = try String(contentsOfFile: plugin.path, encoding: .utf8)
      #expect(text.hasPrefix("-- "), "\(name) opens with a header")
    }
  }

  /// The program carries every plugin that lies in the folders, byte for byte.
  @Test func theProgramCarriesThemAll() throws {
    let files = FileManager.default.enumerator(atPath: sourceRoot + "/plugins")!.compactMap { $0 as? String }
      .filter { ($0.hasSuffix(".lua") || $0.hasSuffix(".json")) && !$0.hasPrefix("meta/") }
    #expect(ShippedPlugins.paths == files.sorted(), "the table in plugins/ShippedPlugins.swift lists every plugin")
    for file in files {
      let text = try String(contentsOfFile: sourceRoot + "/plugins/" + file, encoding: .utf8)
      #expect(ShippedPlugins.text(file) == text, "\(file)")
    }
  }

  /// Every shipped plugin does its work on a small network.
  @Test(arguments: PluginTests.shipped.map { [$0.name, $0.kind] })
  func worksOnASmallNetwork(_ plugin: [String]) throws {
    let (name, kind) = (plugin[0], plugin[1])
    switch kind {
    case "device" where name.hasPrefix("cortex"):
      let result = try run(
        preamble + "prune(net, use \"filter_l1\" {}, { device = use \"\(name)\" { flash = 8000 } })")
      let facts = try result.executor.record(of: result.outcome.leaves[0]).facts
      #expect(try #require(facts["flash"]) <= 8000)
    case "device":
      // Its table has what a network of the zoo takes, in float32 and in int8.
      let result = try run(
        preamble + """
          local m = train(net, { data = data, batch = 25 })
          mix(m, { { "int8", quantize(m, use "int8" { calibration = data }) }, { "float", m } },
            { data = data, samples = 16, within = 1, device = use "\(name)" {} })
          """)
      let record = try result.executor.record(of: result.outcome.leaves[0])
      #expect(try #require(record.facts["latency_ms"]) > 0)
    case "pruning" where name.hasPrefix("filter_"):
      let result = try run(
        FilterPruningTests.residual + """
          local m = train(net, { data = data, batch = 25 })
          prune(m, use "\(name)" { skip = "conv2d_8" }, { filters = 0.3, train = { data = data, batch = 25 } })
          prune(m, use "\(name)" { skip = "conv2d_8" }, { filters = 0.3, samples = data:take(50) })
          """)
      let stage = result.outcome.stages.first { $0.work.kind == "prune" }!
      let left = try result.executor.result(of: stage).record.facts["filters"]!
      #expect(left > 0.65 && left < 0.9)
    case "pruning" where name == "depth":
      let result = try run(
        """
        prune(zoo.resnet20 { width = 0.25 }, use "depth" {}, { blocks = 0.5 })
        """)
      let facts = try result.executor.record(of: result.outcome.leaves[0]).facts
      #expect(facts["blocks"] == 4 / 7.0 && facts["macs"]! < 0.7)
    case "pruning" where name == "n_m":
      let result = try run(
        preamble + """
          prune(net, use "n_m" { skip = "conv" }, { train = { data = data, batch = 25 } })
          """)
      let model = try result.executor.model(of: result.outcome.leaves[0])
      #expect(model["conv", .weight]!.nonzeroCount == 108)
      #expect(model["dense", .weight]!.nonzeroCount == 20_280 / 2)
    case "pruning" where name == "balanced":
      let result = try run(
        preamble + """
          prune(net, use "balanced" { skip = "conv", zeros = 0.75 }, {
            schedule = use "linear" { to = 0.75 }, every = 2, train = { data = data, batch = 25 } })
          """)
      let model = try result.executor.model(of: result.outcome.leaves[0])
      #expect(model["conv", .weight]!.nonzeroCount == 108)
      // 2,028 inputs are 10 runs of 192, of each of which 48 stay, and one of 108.
      #expect(model["dense", .weight]!.nonzeroCount == 10 * (10 * 48 + 27))
    case "pruning" where name == "movement":
      let result = try run(
        preamble + """
          prune(net, use "movement" { skip = "conv" }, {
            schedule = use "linear" { to = 0.75 }, every = 2, train = { data = data, batch = 25 } })
          """)
      let model = try result.executor.model(of: result.outcome.leaves[0])
      #expect(model["conv", .weight]!.nonzeroCount == 108)
      #expect(model["dense", .weight]!.nonzeroCount == 20_280 / 4)
    case "pruning":
      let result = try run(
        preamble + """
          local m = train(net, { data = data, batch = 25 })
          prune(m, use "\(name)" { skip = "conv" }, { sparsity = 0.75, samples = data })
          prune(m, use "\(name)" {}, { schedule = use "linear" { to = 0.5 }, every = 2, train = { data = data, batch = 25 } })
          """)
      let stages = result.outcome.stages.filter { $0.work.kind == "prune" }
      #expect(try result.executor.model(of: stages[0])["conv", .weight]!.nonzeroCount == 108)
      // Blocks of four filters meet an edge of two.
      let kept = try result.executor.model(of: stages[0])["dense", .weight]!.nonzeroCount
      #expect(name == "block" ? abs(kept - 20_280 / 4) < 1500 : kept == 20_280 / 4)
      let share = try result.executor.result(of: stages[1]).record.facts["sparsity"]!
      #expect(abs(share - 0.5) < (name == "block" ? 0.1 : 0.001))
    case "schedule":
      let (options, ends) =
        switch name {
        case "constant": ("{ value = 0.4 }", "0.4\t0.4")
        case "one_cycle": ("{ peak = 0.6, start = 3, finish = 1 }", "0.2\t0.2")
        case "step": ("{ from = 0.6, at = { 0.5 }, factor = 0.5 }", "0.6\t0.3")
        case "warmup": ("{ from = 0.2, next = use 'linear' { from = 0.6, to = 0.4 } }", "0.2\t0.4")
        default: ("{ from = 0.2, to = 0.6 }", "0.2\t0.6")
        }
      let result = try run(
        "local s = use '\(name)' \(options)\nprint(string.format('%.4g\\t%.4g', s:at(0), s:at(1)))\nfor i = 0, 10 do local v = s:at(i / 10) assert(v >= 0.2 - 1e-9 and v <= 0.6 + 1e-9) end"
      )
      #expect(result.printed == [ends])
    default:
      let data = ["int8", "fixed_point"].contains(name) ? "{ calibration = data }" : "{}"
      let result = try run(
        preamble + """
          local m = train(net, { data = data, batch = 25, epochs = 3 })
          local q = quantize(m, use "\(name)" \(data))
          local before, after = evaluate(m, digits.test:take(500)).accuracy, evaluate(q, digits.test:take(500)).accuracy
          print(math.abs(before - after) < 0.02, q:cost().bytes < m:cost().bytes * 0.6)
          """)
      #expect(result.printed == ["true\ttrue"])
    }
  }

  static let mine = """
    return plugin {
      kind = "pruning", summary = "mine",
      options = { power = { type = "number", default = 1, min = 0, help = "of the magnitude" } },
      scope = "layer", unit = "weight",
      score = function(layer, ctx) return layer.weight:abs() ^ ctx.options.power end,
    }
    """

  @Test func aPluginBesideTheScriptWorksTheSameWay() throws {
    let folder = try ScriptFolder(["mine.lua": Self.mine])
    let result = try run(preamble + "prune(net, use 'mine' { power = 2 }, { sparsity = 0.5 })", in: folder)
    #expect(try result.executor.model(of: result.outcome.leaves[0])["dense", .weight]!.nonzeroCount == 10_140)
  }

  @Test func theSourceOfAPluginIsPartOfTheKey() throws {
    let folder = try ScriptFolder(["mine.lua": Self.mine])
    let script = preamble + "prune(net, use 'mine' {}, { sparsity = 0.5 })"
    func key() throws -> String { try run(script, in: folder, compute: false).outcome.leaves[0].key.digest }
    let before = try key()
    #expect(try key() == before)
    try folder.write("mine.lua", Self.mine + "\n-- changed")
    #expect(try key() != before)
  }

  static let sensitive = """
    return plugin {
      kind = "pruning", summary = "mine", needs = { "gradient" },
      score = function(layer)
        assert(layer.gradient:l1() > 0)
        return (layer.weight * layer.gradient):abs()
      end,
    }
    """

  @Test func samplesForGradients() throws {
    let folder = try ScriptFolder(["mine.lua": Self.sensitive])
    func key(_ options: String) throws -> String {
      try run(preamble + "prune(net, use 'mine' {}, { sparsity = 0.5, \(options) })", in: folder, compute: false)
        .outcome.leaves[0].key.digest
    }
    #expect(try key("samples = data") == key("samples = digits.train:take(200)"))
    #expect(try key("samples = data") != key("samples = data:take(199)"))
    let train = "train = { data = digits.train }"
    #expect(try key(train) == key(train + ", samples = digits.train:take(512)"))
    #expect(try key(train) != key(train + ", samples = digits.train:take(511)"))
    let error = try #require(failure(preamble + "prune(net, use 'mine' {}, { sparsity = 0.5 })", in: folder))
    #expect(error.message.contains("neither samples nor train.data") && error.line == 4, "\(error)")
    // Samples that nobody needs leave the key as it is.
    let plain = preamble + "prune(net, use 'random' {}, { sparsity = 0.5 })"
    let given = preamble + "prune(net, use 'random' {}, { sparsity = 0.5, samples = data })"
    #expect(
      try run(plain, compute: false).outcome.leaves[0].key == run(given, compute: false).outcome.leaves[0].key)
  }

  @Test func positionsInScripts() throws {
    let result = try run(
      """
      local t = tensor.of { 3, 1, 2, 1 }
      local order = t:argsort()
      print(order.dtype, table.concat(order:table(), " "), table.concat(t:argsort(true):table(), " "))
      print(t:put(order, t:take(order)) == t, t:take(order) == t:sort(), order:at(1))
      print(table.concat(t:cumsum():table(), " "), t:reshape(2, 2):cumsum(1):at(2, 1))
      print(t:reshape(2, 2):argmax(2).dtype, t:take(tensor.of { 1, 4 }):at(2))
      print(t:reshape(2, 2):matrix_rank():at(), tensor.zeros { 5, 3, 2 }:matrix_rank():sum())
      """)
    #expect(result.printed[0] == "int64\t2 4 3 1\t1 3 2 4")
    #expect(result.printed[1] == "true\ttrue\t2")
    #expect(result.printed[2] == "3.0 4.0 6.0 7.0\t5.0")
    #expect(result.printed[3] == "int64\t1.0")
    #expect(result.printed[4] == "2\t0.0")
    #expect(failure("tensor.of { 1 }:take(tensor.of { 0 })")?.message.contains("position 0 is outside") == true)
  }

  /// LAMP by its definition, one weight after the other.
  @Test func lampByItsDefinition() throws {
    let folder = try ScriptFolder([
      "check.lua": """
      return plugin {
        kind = "pruning", summary = "LAMP, slowly", scope = "global",
        score = function(layer)
          local w, scores = layer.weight:reshape(-1), {}
          local values = (w * w):table()
          if #values > 1000 then return false end
          for i, v in ipairs(values) do
            local sum = 0
            for j, u in ipairs(values) do if u > v or u == v and j <= i then sum = sum + u end end
            scores[i] = v / sum
          end
          return tensor.of(scores):reshape(layer.weight:shape())
        end,
      }
      """
    ])
    let script = preamble + "prune(net, use '%' { }, { sparsity = 0.5 })"
    func mask(_ name: String, _ options: String) throws -> [UInt8] {
      let text = script.replacing("%", with: name).replacing("{ }", with: options)
      let result = try run(text, in: folder)
      return try result.executor.model(of: result.outcome.leaves[0])["conv", .weight]!.mask!.array(UInt8.self)
    }
    let expected = try mask("check", "{}"), mask = try mask("lamp", "{ skip = 'dense' }")
    #expect(mask == expected && mask.contains(0) && mask.contains(1))
  }

  @Test func activationsAreBehindBatchNormAndActivation() throws {
    let folder = try ScriptFolder([
      "mine.lua": """
      return plugin {
        kind = "pruning", summary = "mine", unit = "filter", needs = { "activations", "gradient" },
        score = function(layer)
          local a, out = layer.activations, layer:output_shape()
          assert(a:shape()[1] == 64 and a:shape()[#out + 1] == out[#out] and a.rank == #out + 1)
          assert((a:min() >= 0) == (layer.name:match("%.conv1$") ~= nil or layer.name == "stem"), layer.name)
          return layer.gradient:abs():reshape(layer.filters, -1):sum(2)
        end,
      }
      """
    ])
    let result = try run(
      """
      local function block(name)
        return net.residual { name = name, net.conv(4, 3, { bias = false, name = "conv1" }), net.batch_norm(), net.relu(),
          net.conv(4, 3, { name = "conv2" }), net.batch_norm() }
      end
      local network = net.model { input = { 28, 28, 1 }, net.conv(4, 3, { stride = 2, name = "stem" }), net.relu(),
        block("a"), net.relu(), block("b"), net.global_average_pool(), net.dense(10) }
      prune(network, use "mine" {}, { filters = 0.2, samples = dataset("digits").train:take(100) })
      """, in: folder)
    #expect(result.outcome.leaves.count == 1)
  }

  @Test func filtersAreRankedInEachGroupAloneWhenAsked() throws {
    let result = try run(
      preamble + """
        local half = prune(zoo.lenet5(), use "filter_l1" { scope = "layer" }, { filters = 0.5 })
        for _, layer in ipairs(half:layers()) do print(layer.name, layer.filters) end
        """)
    #expect(result.printed.map { $0.split(separator: "\t").last } == ["10", "25", "250", "10"])
  }

  @Test func shadowingIsSaidAloud() throws {
    let folder = try ScriptFolder(["global_magnitude.lua": Self.mine])
    let notes = try run(preamble + "prune(net, use 'global_magnitude' {}, { sparsity = 0.5 })", in: folder).notes
    #expect(notes.contains { $0.contains("shadows") })
  }

  @Test(arguments: [
    ("score = function(layer) return layer.weight:sum() end", "must return a Tensor"),
    ("score = function(layer) return tensor.zeros { 3 } end", "[3]"),
    ("score = function(layer) return layer.weight:log() end", "NaN"),
    ("score = function(layer) end", "nil"),
    ("score = function(layer) return layer.wieght end", "\"weight\""),
    ("score = function(layer) error('on purpose') end", "on purpose"),
    ("score = function(layer) while true do end end", "budget"),
    ("score = function(layer) train(1) return layer.weight end", "train"),
    ("score = function(layer) counter = 1 return layer.weight end", "frozen"),
    ("scor = function(layer) end", "\"score\""),
    ("score = function(layer) return layer.weight end, unit = 'filter'", "filter"),
    ("score = function(layer) return layer.weight end, scope = 'network'", "network"),
    ("score = function(layer) return layer.weight end, scope = function(o) return 'planet' end", "planet"),
    ("score = function(layer) return layer.weight end, scope = function(o) return o end", "table"),
    ("score = function(layer) return layer.weight end, needs = { 'gradients' }", "\"gradient\""),
    ("score = function(layer) return layer.weight end, needs = 'gradient'", "a list"),
    ("score = function(layer) return layer.gradient end", "needs"),
    ("score = function(layer) return layer.weight end, options = { a = { type = 'nmber' } }", "\"number\""),
  ])
  func brokenPluginsAreNamed(_ body: String, _ part: String) throws {
    let folder = try ScriptFolder(["mine.lua": "return plugin {\n  kind = 'pruning', summary = 'mine',\n  \(body),\n}"])
    let error = try #require(
      failure(preamble + "prune(net, use 'mine' {}, { sparsity = 0.5 })", in: folder), "must fail: \(body)")
    #expect(error.description.contains(part), "\(error)")
    #expect(error.description.contains("mine"), "\(error)")
  }

  @Test(arguments: [
    "return 3", "plugin {}", "return plugin { kind = 'pruning' }", "return plugin {", "",
    "return plugin { kind = 'magic', summary = 'x' }",
  ])
  func filesThatAreNoPluginsAreNamed(_ text: String) throws {
    let folder = try ScriptFolder(["mine.lua": text])
    let error = try #require(failure("use 'mine'", in: folder))
    #expect(error.script?.hasSuffix("mine.lua") == true, "\(error)")
  }

  @Test func quantizationPluginsAreChecked() throws {
    func plugin(_ body: String) throws -> ScriptFolder {
      try ScriptFolder([
        "mine.lua":
          "return plugin { kind = 'quantization', summary = 'mine', assign = function(layer) return \(body) end }"
      ])
    }
    let script = preamble + "quantize(net, use 'mine' {})"
    #expect(try failure(script, in: plugin("{ weights = { bits = 9 } }"))?.message.contains("from 2 to 8") == true)
    #expect(try failure(script, in: plugin("{ weight = { bits = 8 } }"))?.message.contains("\"weights\"") == true)
    #expect(try failure(script, in: plugin("3"))?.layer == "conv")
    let result = try run(script, in: plugin("layer.name == 'dense' and { weights = { bits = 4 } } or nil"))
    let model = try result.executor.model(of: result.outcome.leaves[0])
    #expect(model["conv", .weight]!.encoding.name == "float32")
    #expect(model["dense", .weight]!.encoding.name == "int4")
  }
}
