import Devices
import Diagnostics
import Foundation
import Kernels
import Network
import Runtime
import Testing

@testable import Pipeline
@testable import Scripting

/// Devices as scripts have them, on networks of a few channels, with tables that say what no machine was asked.
@Suite struct DeviceScriptTests {
  static let head =
    preamble + """
      local m = train(net, { data = data, batch = 25 })

      """

  private static func plugin(_ fields: String) -> String {
    """
    return plugin {
      kind = "device", summary = "a chip", options = {
        ram = { type = "integer", default = 4096, min = 1 }, flash = { type = "integer", default = 1073741824, min = 1 },
      },
      describe = function(o) return { sources = { "nobody" }, \(fields) } end,
    }
    """
  }

  /// A table with the layers of these models, each of which takes what `milliseconds` says.
  private func table(
    _ models: [Model], _ milliseconds: (Plan.Step) -> Double?
  ) throws -> String {
    let isa = InstructionSet.current
    var table = LatencyTable(LatencyTable.Machine(name: "made up", isa: isa.rawValue, threads: 1))
    for model in models {
      let steps = try compile(model, CompileOptions(machine: Machine(isa: isa))).steps
      table.add(
        steps.compactMap { step in
          LatencyTable.Key(step).flatMap { key in milliseconds(step).map { (key, $0) } }
        })
    }
    return try table.text()
  }

  @Test func limitsOfADeviceAreKept() throws {
    let folder = try ScriptFolder(["chip.lua": Self.plugin("bits = { 8 }, ram = o.ram, flash = o.flash")])
    func pruned(ram: Int, flash: Int) throws -> [StageRecord] {
      let result = try run(
        Self.head + "prune(m, use \"filter_l1\" {}, { device = use \"chip\" { ram = \(ram), flash = \(flash) } })",
        in: folder)
      let stages = result.outcome.stages.filter { $0.work.kind == "prune" }
      #expect(stages.map(\.work.label)[1] == "prune to the \(flash) bytes of flash of chip by filter_l1")
      return try stages.map { try result.executor.record(of: $0) }
    }
    let free = try pruned(ram: 1 << 30, flash: 1 << 30)
    #expect(free.map { $0.facts["macs"] } == [1, 1], "nothing goes where all fits")
    let ram = try #require(free[0].facts["ram"]), flash = try #require(free[1].facts["flash"])
    let (less, fewer) = (Int(ram * 0.8), Int(flash * 0.5))
    let tight = try pruned(ram: less, flash: fewer)
    let (left, stored) = (try #require(tight[0].facts["ram"]), try #require(tight[1].facts["flash"]))
    #expect(
      left <= Double(less) && left > Double(less) * 0.7 && stored <= Double(fewer) && stored > Double(fewer) * 0.7)
    #expect(try #require(tight[1].facts["macs"]) < 1)
    let small = failure(
      Self.head + "prune(m, use \"filter_l1\" {}, { device = use \"chip\" { ram = 40 } })", in: folder)
    #expect(small?.message.contains("ram: 40 bytes of ram cannot be reached") == true, "\(String(describing: small))")
  }

  @Test func whatADeviceDoesNotSayIsAnError() throws {
    let folder = try ScriptFolder([
      "chip.lua": Self.plugin("bits = { 8 }"), "floats.lua": Self.plugin("bits = { 32 }, ram = 4096"),
      "dense.lua": Self.plugin("bits = { 8, 32 }, ram = 4096, operators = { \"dense\", \"input\" }"),
    ])
    for (options, part) in [
      ("device = use \"chip\" {}", "says neither how much ram nor how much flash"),
      ("device = use \"chip\" {}, latency_ms = 1", "\"chip\" has no latency table"),
      ("device = use \"chip\" {}, macs = 0.5", "macs says how far to go, and so does device"),
      ("device = use \"floats\" {}", "does not run weights of 8 bits"),
      ("device = use \"dense\" {}", "\"dense\" does not run conv2d"),
      ("device = use \"int8\" { calibration = data }", "is a quantization plugin, not a device plugin"),
    ] {
      let error = failure(Self.head + "prune(m, use \"filter_l1\" {}, { \(options) })", in: folder)
      #expect(error?.description.contains(part) == true, "\(options): \(String(describing: error))")
    }
    let weights = failure(
      Self.head + "prune(m, use \"global_magnitude\" {}, { device = use \"chip\" {}, latency_ms = 1 })", in: folder)
    #expect(weights?.message.contains("no device's table knows") == true, "\(String(describing: weights))")
  }

  @Test func descriptionsAreChecked() throws {
    for (fields, part) in [
      ("", "bits"), ("bits = {}", "bits are whole numbers"), ("bits = { 8.5 }", "bits are whole numbers"),
      ("bits = { 8 }, ram = -1", "ram"), ("bits = { 8 }, flahs = 1", "flash"),
      ("bits = { 8 }, operators = { \"conv\" }", "there is no operator \"conv\""),
      ("bits = { 8 }, table = \"../x.json\"", "a table is called NAME.json"),
      ("bits = { 8 }, table = \"x.txt\"", "a table is called NAME.json"),
      ("bits = { 8 }, table = \"none.json\"", "none.json"),
      ("bits = { 8 }, table = \"bad.json\"", "is no latency table"),
      ("bits = { 8 }, sources = {}", "sources say where"),
    ] {
      let folder = try ScriptFolder(["chip.lua": Self.plugin(fields), "bad.json": "{\"format\": 3}"])
      let error = failure(Self.head + "prune(m, use \"filter_l1\" {}, { device = use \"chip\" {} })", in: folder)
      #expect(error?.description.contains(part) == true, "\(fields): \(String(describing: error))")
      #expect(error?.description.contains("chip.lua") == true)
    }
  }

  @Test func shippedDevicesDescribeThemselves() throws {
    for name in ["cortex_m4", "cortex_m7", "zen3"] {
      let check = try PluginCheck(ScriptSession.Options(script: sourceRoot + "/plugins/device/\(name).lua"))
      #expect(check.problems.isEmpty, "\(check.problems)")
      let results = Dictionary(check.results.map { ($0.what, $0.outcome) }, uniquingKeysWith: { first, _ in first })
      #expect(results["source"] != nil)
      let hasTable =
        results["latencies"]?.contains("zen3") == false && results["latencies"]?.contains("nobody") == false
      #expect(hasTable == (name == "zen3"), "\(results)")
    }
  }

  @Test func mixGoesByWhatLayersTake() throws {
    let folder = try ScriptFolder([:])
    let models =
      Self.head + """
        local q = quantize(m, use "int8" { calibration = data })

        """
    let made = try run(models, in: folder)
    let trained = try made.executor.model(of: #require(made.outcome.stages.last { $0.work.kind == "train" }))
    let int8 = try made.executor.model(of: #require(made.outcome.stages.last { $0.work.kind == "quantize" }))
    let folded = try trained.foldingBatchNorm()
    // Conversions and everything between models, so that nothing of any mixture is unknown.
    let layers = int8.weightLayers
    let mixtures = try (0..<1 << layers.count).map { bits in
      try Model.mixing([int8, folded]) { (bits >> layers.firstIndex(of: $0)!) & 1 }
    }
    let slow = layers[0]
    try folder.write(
      "chip.json",
      // In float the first layer takes a hundred times as long as any other: it is the last to go.
      try table(mixtures) { step in
        if step.choice == nil { return 0 }
        return step.layer == slow && step.arithmetic == .float32 ? 100 : 1
      })
    try folder.write("chip.lua", Self.plugin("bits = { 8, 32 }, table = \"chip.json\""))
    let result = try run(
      models + """
        local mixed = mix(m, { { "int8", q }, { "float", m } }, {
          data = digits.test:take(50), samples = 8, latency_ms = \(layers.count) + 50, device = use "chip" {} })
        for _, layer in ipairs(mixed:layers()) do print(layer.name, layer.stored) end
        """, in: folder)
    #expect(result.printed.contains("\(slow)\tint8"), "\(result.printed)")
    #expect(result.printed.filter { $0.hasSuffix("float32") }.count == layers.count - 1, "\(result.printed)")
    let stage = try #require(result.outcome.stages.last { $0.work.kind == "mix" })
    let record = try result.executor.record(of: stage)
    #expect(record.facts["latency_ms"] == Double(layers.count))
    #expect(record.notes.contains { $0.contains("by the latency table of \"chip\" (made up") }, "\(record.notes)")
    let tight = failure(
      models + """
        mix(m, { { "int8", q }, { "float", m } }, {
          data = digits.test:take(50), samples = 8, latency_ms = 0.5, device = use "chip" {} })
        """, in: folder)
    #expect(tight?.message.contains("0.5000 ms cannot be reached") == true, "\(String(describing: tight))")

    // What was not measured is said, never guessed.
    try folder.write("chip.json", try table([int8]) { _ in 1 })
    let missing = failure(
      models + """
        mix(m, { { "int8", q }, { "float", m } }, {
          data = digits.test:take(50), samples = 8, latency_ms = 100, device = use "chip" {} })
        """, in: folder)
    #expect(
      missing?.message.contains("the latency table of \"chip\" does not have \(layers.last!): ") == true,
      "\(String(describing: missing))")
    let bits = failure(
      models + """
        mix(m, { { "int4", quantize(m, use "int4" {}) }, { "int8", q } }, {
          data = digits.test:take(50), samples = 8, within = 1, device = use "chip" {} })
        """, in: folder)
    #expect(
      bits?.message.contains("candidate \"int4\": \"chip\" does not run weights of 4 bits") == true,
      "\(String(describing: bits))")
  }

  @Test func filtersGoByTheTableWhereItHasTheShapes() throws {
    let folder = try ScriptFolder([:])
    let made = try run(
      Self.head + "prune(m, use \"filter_l1\" { scope = \"layer\" }, { filters = 0.5 })", in: folder)
    let trained = try made.executor.model(of: #require(made.outcome.stages.last { $0.work.kind == "train" }))
    let half = try made.executor.model(of: #require(made.outcome.stages.last { $0.work.kind == "prune" }))
    try folder.write("chip.lua", Self.plugin("bits = { 8, 32 }, table = \"chip.json\""))
    let script =
      Self.head + "prune(m, use \"filter_l1\" { scope = \"layer\" }, { latency_ms = 3, device = use \"chip\" {} })"

    // A millisecond for a thousand multiply-accumulates, of the whole network alone: that is too slow, and no other is known.
    let each: (Plan.Step) -> Double = { Double($0.macs) / 1000 }
    try folder.write("chip.json", try table([trained], each))
    let alone = failure(script, in: folder)
    #expect(
      alone?.message.contains("the latency table of \"chip\" does not have") == true, "\(String(describing: alone))")

    let wanted = try compile(half, CompileOptions(machine: Machine(isa: .current))).steps.reduce(0) { $0 + each($1) }
    try folder.write("chip.json", try table([trained, half], each))
    let result = try run(script.replacing("latency_ms = 3", with: "latency_ms = \(wanted * 1.02)"), in: folder)
    let stage = try #require(result.outcome.stages.last { $0.work.kind == "prune" })
    let record = try result.executor.record(of: stage), pruned = try result.executor.model(of: stage)
    #expect(ModelCost(pruned).macs == ModelCost(half).macs)
    #expect(abs(try #require(record.facts["latency_ms"]) - wanted) < 1e-9)
    #expect(
      (record.warnings ?? []).contains { $0.contains("has all layers of 2") },
      "\(record.warnings ?? []) \(record.notes)")
  }
}
