import Foundation
import Testing

@Suite struct CommandTests {
  /// Small enough for every test run, whole enough that nothing is left out.
  static let smoke = ["--set", "samples=600", "--set", "images=20", "--set", "cooldown=0"]

  @Test func quickstartLeavesResultsAndModels() throws {
    let cache = try TemporaryFolder()
    let out = cache.path + "/out"
    let first = try compress(
      ["run", sourceRoot + "/pipelines/quickstart.lua", "--out", out, "--threads", "1"] + Self.smoke, cache: cache)
    #expect(first.status == 0, "\(first.errors)")
    #expect(first.output.contains("pruned and int8"))
    #expect(!first.output.contains("\u{1B}"), "plain when piped")

    let json = try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: out + "/results.json")))
        as? [String: Any])
    #expect(json["version"] as? Int == 4)
    let variants = try #require(json["variants"] as? [[String: Any]])
    #expect(variants.count == 5)
    for variant in variants {
      for key in ["name", "accuracy", "flips", "parameters", "nonzero", "macs", "peak_memory_bytes", "stages"] {
        #expect(variant[key] != nil, "\(key)")
      }
      let bytes = try #require(variant["bytes"] as? [String: Int])
      #expect(bytes["native"]! > bytes["gzip"]! && bytes["gzip"]! > 0)
      let latency = try #require(variant["latency_ms"] as? [String: Any])
      #expect((latency["samples"] as? [Double])?.count == 20)
      let turns = try #require(variant["turns"] as? [[String: Any]])
      #expect(turns.map { $0["runs"] as? Int } == [10, 10])
      let peaks = turns.compactMap { $0["peak_memory_bytes"] as? Int }
      #expect(peaks.count == 2 && variant["peak_memory_bytes"] as? Int == peaks.max())
      let load = try #require(turns[0]["load"] as? [String: Any])
      // What the wall lets the measuring process read, it reads.
      let isReadable = access("/proc/stat", R_OK) == 0
      #expect(load["wall_s"] is Double && (load["others_cpu_s"] is Double) == isReadable)
      let values = ["min", "p50", "p90", "p99", "max"].compactMap { latency[$0] as? Double }
      #expect(values.count == 5 && values == values.sorted() && latency["mean"] is Double)
      #expect((0...1).contains(variant["accuracy"] as! Double))
    }
    #expect(variants[0]["flips"] as? Int == 0)
    let models = try FileManager.default.contentsOfDirectory(atPath: out + "/models").sorted()
    #expect(
      models == ["1-baseline.cmpr", "2-int8.cmpr", "3-pruned.cmpr", "4-pruned-and-int8.cmpr", "5-pruned-too-far.cmpr"])

    // Again, on another number of threads and another instruction set: the same bytes; nothing is trained twice.
    let again = try compress(
      ["run", sourceRoot + "/pipelines/quickstart.lua", "--out", out + "2"] + Self.smoke, cache: cache)
    #expect(again.status == 0 && !again.errors.contains("train "), "\(again.errors)")
    let fresh = try compress(
      ["run", sourceRoot + "/pipelines/quickstart.lua", "--out", out + "3", "--no-cache", "--threads", "3"]
        + Self.smoke, cache: cache,
      environment: ["COMPRESS_ISA": "scalar"])
    #expect(fresh.status == 0 && fresh.errors.contains("train "), "\(fresh.errors)")
    for model in models {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(out)/models/\(model)"))
      #expect(try Data(contentsOf: URL(fileURLWithPath: "\(out)2/models/\(model)")) == bytes, "\(model)")
      #expect(try Data(contentsOf: URL(fileURLWithPath: "\(out)3/models/\(model)")) == bytes, "\(model)")
    }

    let plan = try compress(["plan", sourceRoot + "/pipelines/quickstart.lua"] + Self.smoke, cache: cache)
    #expect(plan.status == 0 && plan.output.contains("at hand") && !plan.output.contains("to compute"))
    try inspectAndBench(out + "/models/2-int8.cmpr", out + "/models/1-baseline.cmpr", cache)
  }

  private func inspectAndBench(_ int8: String, _ float: String, _ cache: TemporaryFolder) throws {
    let inspect = try compress(["inspect", int8, "--plan"], cache: cache)
    #expect(inspect.status == 0 && inspect.output.contains("20,410") && inspect.output.contains("int8"))
    #expect(inspect.output.contains("u8s8_patches: windows of 3x3") && inspect.output.contains("u8_pooling"))
    let onnx = cache.path + "/int8.onnx"
    for (more, status) in [([], Int32(0)), ([], 2), (["--overwrite", "--opset", "13"], 0)] as [([String], Int32)] {
      let converted = try compress(["convert", int8, onnx] + more, cache: cache)
      #expect(converted.status == status, "\(converted.output) \(converted.errors)")
      #expect((status == 0 ? converted.output : converted.errors).contains("int8.onnx"))
    }
    let back = try compress(["inspect", onnx], cache: cache)
    #expect(back.status == 0 && back.output.contains("20,410") && back.output.contains("int8"))
    #expect(try compress(["bench", onnx, "--input", "input=1x2x2x1"], cache: cache).status == 2)
    #expect(try compress(["bench", "zoo:lab_cnn", "--input", "input=1x1x28x28"], cache: cache).status == 64)
    let layers = try compress(["bench", float, "--layers", "--runs", "5", "--json"], cache: cache)
    let report = try #require(JSONSerialization.jsonObject(with: Data(layers.output.utf8)) as? [String: Any])
    let kernels = try #require(report["layers"] as? [[String: Any]])
    #expect(kernels.map { $0["kernel"] as? String } == ["f32_patches", "f32_pooling", "f32_patches"])
    #expect(kernels.map { $0["kernel_reason"] as? String } == ["windows of 3x3", nil, "one vector of inputs"])
    let table = try compress(["bench", float, "--layers", "--runs", "5"], cache: cache)
    #expect(table.status == 0 && table.output.contains("f32_patches: windows of 3x3"))
    try layers.output.write(toFile: cache.path + "/before.json", atomically: true, encoding: .utf8)
    let beside = try compress(
      ["bench", float, "--layers", "--runs", "5", "--compare", cache.path + "/before.json", "--threads", "1"], cache: cache)
    #expect(beside.status == 0 && beside.output.contains("before: p50") && beside.output.contains("ratio"))
    #expect(try compress(["bench", float, "--compare", float], cache: cache).errors.contains("not what compress bench"))
    for precision in ["stored", "fp32", "fp16", "dynamic", "int8"] {
      let bench = try compress(["bench", float, "--precision", precision, "--runs", "20", "--json"], cache: cache)
      #expect(bench.status == 0, "\(bench.errors)")
      let json = try #require(JSONSerialization.jsonObject(with: Data(bench.output.utf8)) as? [String: Any])
      #expect(
        Set(json.keys) == [
          "model", "precision", "threads", "batch", "p50_ms", "p90_ms", "p99_ms", "max_ms", "runs", "file_bytes",
          "peak_memory_bytes",
        ])
      #expect(json["precision"] as? String == precision && json["runs"] as? Int == 20)
    }
    let training = try compress(["bench", float, "--training", "--batch", "4", "--runs", "2", "--json"], cache: cache)
    let steps = try #require(JSONSerialization.jsonObject(with: Data(training.output.utf8)) as? [String: Any])
    #expect(steps["precision"] as? String == "float32" && steps["steps"] as? Int == 2 && steps["batch"] as? Int == 4)
    #expect(try #require(steps["p50_ms"] as? Double) > 0)
    let half = try compress(["bench", float, "--training", "--precision", "fp16"], cache: cache)
    #expect(half.status == 2 && half.errors.contains("training is in fp32 or bf16"))
    #expect(try compress(["bench", float, "--precision", "bf16"], cache: cache).errors.contains("--training"))
    #expect(try compress(["bench", int8, "--precision", "fp32", "--runs", "5"], cache: cache).status == 0)
    #expect(try compress(["bench", int8, "--precision", "fp16", "--runs", "5"], cache: cache).status == 2)
  }

  @Test func examplesRun() throws {
    let cache = try TemporaryFolder()
    let examples = try FileManager.default.contentsOfDirectory(atPath: sourceRoot + "/examples").sorted()
    #expect(!examples.isEmpty)
    // Those that end in programs of another language have tests of their own.
    for example in examples where !["c_source", "library", "swift_package"].contains(example) {
      let folder = "\(sourceRoot)/examples/\(example)"
      #expect(FileManager.default.fileExists(atPath: folder + "/README.md"))
      let result = try compress(["run", folder + "/pipeline.lua"] + Self.smoke, cache: cache)
      #expect(result.status == 0 && result.output.contains("baseline"), "\(example): \(result.errors)")
    }
  }

  @Test(arguments: [
    ("mnist_lab", [], "pruned and int8"), ("mnist_dense", [], "pruned and int8"),
    ("inception_mnist", ["width=0.0625", "epochs=1", "test=50"], "pruned and int8"),
    ("lenet_mnist", [], "LeNet-300-100"), ("lenet_pruning", ["epochs=1", "tuning=1"], "LeNet-300-100 pruned"),
    ("resnet8_cifar10", ["test=50"], "ResNet8 int8"),
    ("vgg16_cifar10", ["test=20", "rounds=2", "scan=10", "training=1", "width=0.0625"], "and int8"),
    ("cifar10_ptq", ["network=resnet8", "test=20", "samples=20"], "the same, 8 bits first and last"),
    ("cifar10_qat", ["network=resnet20", "test=20", "samples=20", "training=100"], "int8, trained for"),
    (
      "packed_cifar10", ["network=resnet8", "test=20", "samples=20", "training=40", "within=0.1", "int8=true"],
      "int8, packed"
    ),
    ("packed_mnist", ["epochs=1", "tuning=1", "within=0.1"], "pruned and packed"),
    ("zoo_int8", ["epochs=1", "tuning=1", "test=20"], "half, by labels, int8"),
    ("zoo_int8", ["network=mobilenet_v3_small", "epochs=1", "tuning=1", "test=20"], "half, by labels, int8"),
    ("zoo_int8", ["network=autoencoder", "epochs=1", "tuning=1", "test=20"], "half, by its input, int8"),
    ("imagenette_ptq", ["network=mobilenet_v2", "test=10", "samples=4", "fit=10", "images=2"], "int8, minmax"),
  ])
  func pipelinesOnRealDataRun(_ name: String, settings: [String], last: String) throws {
    guard let realData else { return }
    let cache = try TemporaryFolder()
    let result = try compress(
      ["run", "\(sourceRoot)/pipelines/\(name).lua", "--data", realData] + Self.smoke
        + settings.flatMap { ["--set", $0] }, cache: cache)
    #expect(result.status == 0 && result.output.contains(last), "\(result.errors)")
  }

  /// Those that begin with a trained network: on a narrow one whose weights were drawn, or, at length, on the real one.
  @Test(arguments: [
    ("resnet18_cifar10", "resnet18_cifar", ["rounds=2", "scan=10"], "and int8"),
    ("vgg16_bn_cifar10", "vgg16_bn_cifar", ["rounds=2", "scan=10"], "and int8"),
    ("resnet18_pruning", "resnet18_cifar", ["tuning=1"], "98 % zeros"),
    ("resnet18_pruning", "resnet18_cifar", ["recipe=plain"], "98 % zeros"),
    ("resnet32_pruning", "resnet32", ["tuning=1"], "weights"),
    ("vgg16_bn_pruning", "vgg16_bn_cifar", [], "pruned"),
    ("resnet18_quantization", "resnet18_cifar", ["training=100"], "80 % zeros and int8"),
  ])
  func pipelinesOnTrainedNetworksRun(_ name: String, network: String, settings: [String], last: String) throws {
    guard let realData else { return }
    let cache = try TemporaryFolder()
    var source = ["--data", realData]
    if !isSoak {
      let script = cache.path + "/narrow.lua"
      try Data("zoo.\(network) { width = 0.125 }:save 'narrow.safetensors'".utf8).write(
        to: URL(fileURLWithPath: script))
      let narrow = try compress(["run", script, "--out", cache.path], cache: cache)
      #expect(narrow.status == 0, "\(narrow.errors)")
      source = ["--data", cache.path, "--set", "weights=narrow.safetensors", "--set", "width=0.125"]
    }
    let result = try compress(
      ["run", "\(sourceRoot)/pipelines/\(name).lua"] + source + Self.smoke
        + (["test=20", "epochs=1", "samples=200"] + settings).flatMap { ["--set", $0] }, cache: cache,
      environment: ["COMPRESS_DATA": realData])
    #expect(result.status == 0 && result.output.contains(last), "\(result.errors)")
  }

  /// A model file, nothing else: smaller in the format it came in, held against the original's outputs. Pictures are
  /// noise, a folder's, or a data set's.
  @Test(arguments: [("", ""), ("net.onnx", ""), ("net.onnx", "pictures"), ("", "dataset")])
  func aModelOfOnesOwnBecomesSmaller(_ model: String, _ source: String) throws {
    let cache = try TemporaryFolder(), out = cache.path + "/out"
    if !model.isEmpty {
      let script = cache.path + "/own.lua"
      try Data("zoo.lab_cnn {}:save '\(model)'".utf8).write(to: URL(fileURLWithPath: script))
      let saved = try compress(["run", script, "--out", cache.path], cache: cache)
      #expect(saved.status == 0, "\(saved.errors)")
    }
    var settings = ["model=\(model)", "samples=24", "epochs=1", "images=3", "multiple=1"]
    switch source {
    case "pictures":
      let folder = cache.path + "/photos"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for number in 0..<24 {
        let pixels = (0..<32 * 32).map { UInt8(($0 * (number + 3) + $0 / 32 * number) % 251) }
        try Self.png(width: 32, pixels).write(to: URL(fileURLWithPath: "\(folder)/\(number).png"))
      }
      settings.append("pictures=photos")
    case "dataset": settings.append("dataset=digits")
    default: break
    }
    let result = try compress(
      ["run", sourceRoot + "/pipelines/bring_your_own.lua", "--data", cache.path, "--out", out]
        + settings.flatMap { ["--set", $0] }, cache: cache)
    #expect(result.status == 0 && result.output.contains("cosine"), "\(result.errors)")
    #expect(result.output.contains("layers stay float"), "\(result.output)")
    let ending = model.isEmpty ? "cmpr" : "onnx"
    for file in ["smaller.\(ending)", "smaller-int8.\(ending)", "models/3-smaller--int8.cmpr"] {
      #expect(FileManager.default.fileExists(atPath: "\(out)/\(file)"), "\(file)")
    }
    #expect(FileManager.default.fileExists(atPath: out + "/models/2-smaller.onnx") != model.isEmpty)
    guard !model.isEmpty else { return }
    let inspected = try compress(["inspect", out + "/smaller-int8.onnx"], cache: cache)
    #expect(inspected.status == 0 && inspected.output.contains("int8"), "\(inspected.errors)")
  }

  /// A goal that cannot be reached is told, and so is what stays float for one that can.
  @Test func goalsOfOnesOwnModelAreTold() throws {
    let cache = try TemporaryFolder()
    func output(_ settings: [String]) throws -> String {
      let result = try compress(
        ["run", sourceRoot + "/pipelines/bring_your_own.lua", "--out", cache.path + "/out"]
          + (["samples=32", "epochs=0", "images=2", "multiple=1"] + settings).flatMap { ["--set", $0] }, cache: cache)
      #expect(result.status == 0, "\(result.errors)")
      return result.output
    }
    let missed = try output(["macs=0.3", "keeps=1", "goal=0"])
    #expect(missed.contains("GOAL MISSED: 1.0000 was asked for"), "\(missed)")
    #expect(missed.contains("  0 of ") && missed.contains(" layers stay float, 0.0 % of the"), "\(missed)")
    let rescued = try output(["macs=1", "goal=1"])
    #expect(rescued.contains(#/[1-9][0-9]* of [0-9]+ layers stay float, [0-9.]+ % of the multiply/#), "\(rescued)")
  }

  /// A grey image in stored blocks.
  private static func png(width: Int, _ pixels: [UInt8]) -> Data {
    func big(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
      let bytes = Array(name.utf8) + body
      var crc: UInt32 = .max
      for byte in bytes {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
      }
      return big(UInt32(body.count)) + bytes + big(~crc)
    }
    let height = pixels.count / width
    let rows = (0..<height).flatMap { [0] + pixels[$0 * width..<($0 + 1) * width] }
    var a: UInt32 = 1, b: UInt32 = 0
    for byte in rows {
      a = (a + UInt32(byte)) % 65_521
      b = (b + a) % 65_521
    }
    let size = UInt16(rows.count)
    let stored = [0x78, 1, 1, UInt8(size & 255), UInt8(size >> 8), UInt8(~size & 255), UInt8(~size >> 8)] + rows
    return Data(
      [137, 80, 78, 71, 13, 10, 26, 10]
        + chunk("IHDR", big(UInt32(width)) + big(UInt32(height)) + [8, 0, 0, 0, 0])
        + chunk("IDAT", stored + big(b << 16 | a)) + chunk("IEND", []))
  }

  @Test func prunedLatencyIsTimed() throws {
    let cache = try TemporaryFolder()
    let settings = ["network=resnet32", "width=0.25", "multiple=1", "rounds=1", "images=5"].flatMap { ["--set", $0] }
    let result = try compress(["run", sourceRoot + "/pipelines/pruned_latency.lua"] + settings, cache: cache)
    #expect(result.status == 0 && result.output.split(separator: "\n").count == 6, "\(result.output)\(result.errors)")
  }

  /// A scan, two rounds and int8: in the terminal and in the files.
  @Test func pruningIsToldRoundByRound() throws {
    let cache = try TemporaryFolder()
    let script = cache.path + "/rounds.lua"
    try Data(
      """
      local digits = dataset "digits"
      local how = { data = digits.train:take(200), batch = 50 }
      local net = train(zoo.lab_cnn(), how)
      local scan = sensitivity(net, { strategy = use "filter_l1" {}, data = digits.test:take(50), shares = { 0.5 } })
      local pruned = prune(net, use "filter_l1" {}, { ratios = scan:spread { 0.25 }, rounds = 2, train = how })
      compare { on = digits.test:take(100), images = 5, { "baseline", net }, { "int8", quantize(pruned, use "dynamic_range" {}) } }
      """.utf8
    ).write(to: URL(fileURLWithPath: script))
    let out = cache.path + "/out"
    let result = try compress(["run", script, "--out", out], cache: cache)
    #expect(result.status == 0 && result.output.contains("filters of each layer"), "\(result.errors)")
    let json = try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: out + "/results.json")))
        as? [String: Any])
    let rounds = try #require(((json["pruning"] as? [[String: Any]])?.first)?["rounds"] as? [[String: Any]])
    #expect(rounds.compactMap { $0["name"] as? String } == ["baseline", "round 1", "round 2", "int8"])
    let filters = rounds.compactMap { (($0["layers"] as? [[String: Any]])?.first)?["filters"] as? Int }
    #expect(filters == [12, 9, 7, 7])
    #expect((json["sensitivity"] as? [[String: Any]])?.count == 1)
    let page = try String(contentsOfFile: out + "/report.html", encoding: .utf8)
    #expect(page.contains("round by round") && page.contains("Sensitivity of the layers"))
    #expect(page.contains("later stages keep: conv 9 filters"))
  }

  /// Filters removed after a pattern take it apart: the run stops at the stage that did it, and says so.
  @Test func brokenPromisesStopTheRun() throws {
    let cache = try TemporaryFolder()
    let script = cache.path + "/broken.lua"
    try Data(
      """
      local net = prune(zoo.lab_cnn(), use "n_m" {}, {})
      prune(net, use "filter_l1" {}, { filters = 0.25 })
      """.utf8
    ).write(to: URL(fileURLWithPath: script))
    let result = try compress(["run", script], cache: cache)
    #expect(result.status == 2 && result.errors.contains("broken.lua:2: layer \"dense\""), "\(result.errors)")
    #expect(result.errors.contains("by n_m\" promised 2") && result.errors.contains("remove filters first"))
  }

  @Test func mistakesHaveDocumentedStatuses() throws {
    let cache = try TemporaryFolder()
    func script(_ text: String) throws -> String {
      let path = "\(cache.path)/\(UUID().uuidString).lua"
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      return path
    }
    let missing = try compress(["run", "/nonexistent.lua"], cache: cache)
    #expect(missing.status == 2 && missing.errors.contains("/nonexistent.lua"))
    let syntax = try compress(["run", script("train(")], cache: cache)
    #expect(syntax.status == 2 && syntax.errors.contains(".lua:1:"), "\(syntax.errors)")
    let endless = try compress(["run", script("while true do end")], cache: cache)
    #expect(endless.status == 4, "\(endless.errors)")
    let nan = try compress(
      [
        "run",
        script(
          "local d = dataset 'digits'\ntrain(zoo.lab_cnn(), { data = d.train:take(64), learning_rate = 1e30, epochs = 5 })"
        ),
      ],
      cache: cache)
    #expect(nan.status == 2 && nan.errors.contains(".lua:2:"), "\(nan.errors)")
    #expect(try compress(["run"], cache: cache).status == 64)
    #expect(try compress(["inspect", sourceRoot + "/README.md"], cache: cache).status == 2)
    #expect(try compress(["run", script("print(1)"), "--threads", "0"], cache: cache).status == 2)
    #expect(try compress(["run", script("print(1)"), "--set", "x"], cache: cache).status == 2)
    #expect(try compress(["run", script("print(1)")], cache: cache, environment: ["COMPRESS_ISA": "mmx"]).status == 2)
  }

  @Test func pluginsAreListedAndExplained() throws {
    let cache = try TemporaryFolder()
    let list = try compress(["plugins"], cache: cache)
    for name in ["global_magnitude", "polynomial", "int8"] { #expect(list.output.contains(name)) }
    let one = try compress(["plugins", "int8"], cache: cache)
    #expect(one.output.contains("calibration") && one.output.contains("required"))
    let unknown = try compress(["plugins", "int88"], cache: cache)
    #expect(unknown.status == 2 && unknown.errors.contains("\"int8\""))
  }

  /// Copied somewhere else, with nothing beside it, it has its plugins still.
  @Test func theProgramAloneHasItsPlugins() throws {
    let cache = try TemporaryFolder(), alone = cache.path + "/alone/compress"
    try FileManager.default.createDirectory(atPath: cache.path + "/alone", withIntermediateDirectories: false)
    try FileManager.default.copyItem(atPath: program, toPath: alone)
    func run(_ arguments: [String]) throws -> Outcome {
      try Running(arguments, cache: cache, environment: ["COMPRESS_PLUGINS": ""], program: alone).wait()
    }
    let list = try run(["plugins"])
    for name in ["global_magnitude", "polynomial", "int8"] { #expect(list.output.contains(name)) }
    let one = try run(["plugins", "lamp"])
    #expect(one.status == 0 && one.output.contains("pruning/lamp.lua (in the program)"), "\(one.output)\(one.errors)")
    let script = cache.path + "/alone/script.lua"
    try Data(
      """
      print(prune(zoo.quick_cnn(), use "lamp" {}, { sparsity = 0.5 }):cost().nonzero)
      prune(zoo.quick_cnn(), use "lamb" {}, { sparsity = 0.5 })
      """.utf8
    ).write(to: URL(fileURLWithPath: script))
    let pruned = try run(["run", script, "--out", cache.path + "/out"])
    #expect(Int(pruned.output.split(separator: "\n").first ?? "") ?? 0 > 0, "\(pruned.output)\(pruned.errors)")
    #expect(pruned.status == 2 && pruned.errors.contains("\"lamp\"") && pruned.errors.contains("the program itself"))
  }
}
