import Foundation
import Testing

/// Whatever is wrong with what it is given, `compress` says so in one message with the place and the numbers, ends with
/// the documented status, and writes nothing.
@Suite struct BadInputTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @discardableResult
  private func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    let path = "\(folder.path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  private func script(_ text: String) throws -> String { try file("script.lua", Array(text.utf8)) }

  private func expect(
    _ arguments: [String], status: Int32 = 2, says parts: String..., environment: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let out = folder.path + "/out"
    let outcome = try compress(
      arguments + (arguments[0] == "run" ? ["--out", out] : []), cache: folder, environment: environment)
    let text = outcome.errors
    #expect(outcome.status == status, "\(text)", sourceLocation: sourceLocation)
    #expect(
      text.lowercased().components(separatedBy: "error: ").count == 2, "one message: \(text)",
      sourceLocation: sourceLocation)
    #expect(text.utf8.count < 2000, "a readable one: \(text.prefix(3000))", sourceLocation: sourceLocation)
    for part in parts { #expect(text.contains(part), "\(part) in: \(text)", sourceLocation: sourceLocation) }
    let left = (try? FileManager.default.subpathsOfDirectory(atPath: out)) ?? []
    #expect(left.isEmpty, sourceLocation: sourceLocation)
  }

  // MARK: Data

  private static func idx(_ dims: [Int], _ elements: [UInt8]) -> [UInt8] {
    [0, 0, 8, UInt8(dims.count)] + dims.flatMap { dim in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: dim >> $0) } }
      + elements
  }

  /// A tiny MNIST, with one file changed or, where nil, missing.
  private func mnist(_ changed: String, _ bytes: [UInt8]?) throws -> String {
    var files = [String: [UInt8]]()
    for half in ["train", "t10k"] {
      files["\(half)-images-idx3-ubyte"] = Self.idx([2, 28, 28], [UInt8](repeating: 9, count: 1568))
      files["\(half)-labels-idx1-ubyte"] = Self.idx([2], [1, 2])
    }
    files[changed] = bytes
    for (name, bytes) in files { try file("data/mnist/\(name)", bytes) }
    return folder.path + "/data"
  }

  private static let images = "train-images-idx3-ubyte", labels = "train-labels-idx1-ubyte"

  @Test(
    arguments: [
      (images, nil, "lacks train-images-idx3-ubyte"),
      (labels, nil, "lacks train-labels-idx1-ubyte"),
      (images, [], "ends after 0 of the 4 bytes"),
      (images, [0, 0, 8], "ends after 3 of the 4 bytes"),
      (images, Array("<html>404</html>".utf8), "not an IDX file: it is an HTML page"),
      (images, idx([2, 28, 28], [1, 2, 3]), "claims 2 x 28 x 28 bytes; the file holds 3"),
      (images, idx([0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF], []), "claims 4294967295 x 4294967295 x 4294967295 bytes"),
      (images, idx([2, 28, 28], [UInt8](repeating: 9, count: 1569)), "more bytes follow the 1568"),
      (images, idx([3, 28, 28], [UInt8](repeating: 9, count: 2352)), "2 labels for the 3 images"),
      (images, [0x1F, 0x8B, 8, 0, 0, 0, 0, 0], "gzip"),
      (labels, idx([2], [1, 10]), "sample 2 has the label 10; the labels of 10 classes are 0 to 9"),
      (labels, idx([2, 1], [1, 2]), "labels have one axis"),
      (labels, idx([2], [1]), "claims 2 bytes; the file holds 1"),
    ] as [(String, [UInt8]?, String)])
  func dataThatIsBroken(_ name: String, _ bytes: [UInt8]?, _ message: String) throws {
    let data = try mnist(name, bytes)
    let path = try script("local d = dataset 'mnist'\ntrain(zoo.lab_cnn(), { data = d.train })")
    try expect(["run", path, "--data", data], says: message, name, "script.lua:")
  }

  @Test func dataThatIsNotThere() throws {
    let path = try script("dataset 'mnist'")
    try expect(["run", path, "--data", folder.path + "/none"], says: "there is no such folder", folder.path + "/none")
    try expect(["run", path, "--data", folder.path], says: "script.lua:1:", folder.path + "/mnist")
    try expect(["run", script("dataset 'mnits'")], says: "script.lua:1:", "\"mnist\"")
  }

  // MARK: Models

  /// A small model as `compress` writes it.
  private func model() throws -> [UInt8] {
    let path = try script("zoo.lab_cnn():save 'm.cmpr'"), out = folder.path + "/saved"
    let outcome = try compress(["run", path, "--out", out], cache: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return Array(try Data(contentsOf: URL(fileURLWithPath: out + "/m.cmpr")))
  }

  @Test func modelsThatAreBroken() throws {
    let whole = try model()
    let broken: [(bytes: [UInt8], message: String)] = [
      ([], "an empty file"), (Array("MZ\u{1}not a model at all, really not".utf8), "no model file"),
      (Array(whole.prefix(20)), "20 bytes"), (whole.dropLast(), "\(whole.count - 1) bytes, \(whole.count) expected"),
      (whole + [0], "\(whole.count + 1) bytes, \(whole.count) expected"),
      (whole.enumerated().map { $0.offset == 40_000 ? ~$0.element : $0.element }, "checksum"),
      (whole.enumerated().map { $0.offset == 8 ? 99 : $0.element }, "99"),
    ]
    for (index, (bytes, message)) in broken.enumerated() {
      let path = try file("broken-\(index).cmpr", bytes)
      try expect(["inspect", path], says: path, message)
      try expect(["bench", path], says: path, message)
      try expect(["run", script("\nload_model 'broken-\(index).cmpr'")], says: "script.lua:2:", path, message)
    }
    // Seeded damage anywhere: a checksum that no longer fits.
    var random = Seeded(state: 7)
    for _ in 0..<10 {
      var bytes = whole
      bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      try expect(["inspect", file("mutated.cmpr", bytes)], says: "mutated.cmpr: ")
    }
  }

  @Test func modelsThatAreNoFiles() throws {
    for command in ["inspect", "bench"] {
      try expect([command, folder.path + "/none.cmpr"], says: "none.cmpr: cannot read: No such file")
      try expect([command, folder.path], says: folder.path, "not a regular file")
      try expect([command, "/dev/zero"], says: "/dev/zero: not a regular file")
    }
  }

  @Test func benchOptionsOutOfRange() throws {
    let path = try file("m.cmpr", model())
    try expect(["bench", path, "--threads", "0"], says: "0")
    try expect(["bench", path, "--threads", "1000000000"], says: "1000000000")
    try expect(["bench", path, "--batch", "0"], says: "0")
    try expect(["bench", path, "--batch", "9223372036854775807"], says: "9223372036854775807")
    try expect(["bench", path, "--runs", "0"], says: "0")
    try expect(["bench", path, "--runs=-3"], says: "-3")
    try expect(["bench", path, "--precision", "int9"], status: 64, says: "int9")
    try expect(["bench", path, "--sparsity", "1.5"], says: "1.5")
    try expect(["bench", path, "--block", "1x4"], says: "--sparsity")
    try expect(
      ["bench", path, "--sparsity", "0.5", "--block", "4"], says: "--block 4 is not of the form 1x4")
    try expect(["bench", path, "--sparsity", "0.5", "--pattern", "2:4"], says: "leave out --sparsity")
    try expect(["bench", path, "--pattern", "4:4"], says: "keeps 4 of 4")
  }

  // MARK: Scripts

  @Test func scriptsThatAreNone() throws {
    try expect(["run", folder.path + "/none.lua"], says: "none.lua: cannot read: No such file")
    try expect(["run", folder.path], says: folder.path + ": not a regular file")
    try expect(["run", "/dev/zero"], says: "/dev/zero: not a regular file")
    try expect(["run", file("binary.lua", [0x1B, 0x4C, 0x75, 0x61, 0x54, 0, 0x19, 0x93])], says: "binary.lua")
    try expect(["run", file("bytes.lua", [0xFF, 0xFE, 0, 0xC0])], says: "bytes.lua: is no UTF-8 text")
    try expect(["run", file("zeros.lua", [UInt8](repeating: 0, count: 1000))], says: "zeros.lua:1:")
    try expect(
      ["run", file("huge.lua", [UInt8](repeating: 0x20, count: (1 << 20) + 1))], status: 4,
      says: "huge.lua: the file has 1048577 bytes; the limit is 1048576")
    try expect(["run", script(String(repeating: "(", count: 100_000))], says: "script.lua: ", "overflow")
    try expect(["run", script("x = " + String(repeating: "{", count: 100_000))], says: "script.lua: ", "overflow")
    try expect(["run", script("return '\\u{1b}[31m")], says: "script.lua:1:")
  }

  /// Nothing to do is no mistake, but nothing to be silent about.
  @Test(arguments: ["", "\n\n", "-- only words", "#!/usr/bin/env compress", "return", "return 1, nil, {}"])
  func emptyScripts(_ text: String) throws {
    let outcome = try compress(["run", script(text)], cache: folder)
    #expect(
      outcome.status == 0 && outcome.errors == "• the script compares, prints and saves nothing\n"
        && outcome.output.isEmpty, "\(outcome.errors)")
  }

  @Test(arguments: [
    ("error('x\u{1B}[31m')", "\\u{1B}"),
    ("error({})", "table"),
    ("error()", "nil"),
    ("error(setmetatable({}, { __tostring = function() return 'mine' end }))", "mine"),
    ("local t = nil; t.x = 1", "nil"),
    ("prnt('x')", "\"print\""),
    ("params { a = 1, a2 = {} }", "a2"),
    ("params { a = { 1, min = 2, max = 0 } }", "min 2 is above max 0"),
    ("params { a = { 1, min = 0/0 } }", "min is a number"),
    ("params { a = { 1, min = 'x' } }", "min is a number"),
    ("params { a = { 5, max = 4 } }", "5"),
    ("params { a = { 0/0 } }", "default"),
    ("params { [1] = 2 }", "named"),
    ("params(nil)", "table"),
    ("params { [('x'):rep(1e6)] = {} }", "has 1000000 bytes; at most 200 are taken"),
    ("dataset(('x'):rep(1e6))", "no data set"),
    ("use(('x'):rep(1e6))", "letters, digits"),
    ("zoo.lab_cnn { input = { 28, 28 } }", "28"),
    ("zoo.lab_cnn { input = { 1e9, 1e9, 1e9 } }", "1000000000"),
    ("zoo.lab_cnn { input = { 1e300, 0/0, -1 } }", "must be a number"),
    ("zoo.lab_cnn { classes = math.maxinteger }", "classes"),
    ("local d = dataset 'digits'; d.train:take(-1)", "-1"),
    ("local d = dataset 'digits'; d.train:take(math.maxinteger)", "9223372036854775807"),
    ("local d = dataset 'digits'; d.train:split(2)", "2"),
    ("local d = dataset 'digits'; train(zoo.lab_cnn(), { data = d.train:take(0) })", "no samples"),
    ("local d = dataset 'digits'; compare { on = d.test:take(0), { 'a', zoo.lab_cnn() } }", "no samples"),
    ("local d = dataset 'digits'; compare { on = d.test, cooldown = 0/0, { 'a', zoo.lab_cnn() } }", "cooldown"),
  ])
  func mistakesInScripts(_ text: String, _ message: String) throws {
    try expect(["run", script(text)], says: "script.lua:1:", message)
  }

  @Test(arguments: [
    ("while true do end", ["--lua-instructions", "1000000"], "1000000"),
    ("local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end", ["--lua-memory", "8"], "8388608"),
    ("local t = {} while true do t[#t + 1] = tensor.zeros { 1024, 1024 } end", ["--tensor-memory", "16"], "16777216"),
    ("while true do end", ["--lua-seconds", "0.2", "--lua-instructions", "100000000000"], "0.2"),
  ])
  func limitsOfTheCommandLine(_ text: String, _ options: [String], _ number: String) throws {
    try expect(["run", script(text)] + options, status: 4, says: "script.lua:1:", number)
    try expect(["run", script("pcall(function() \(text) end)")] + options, status: 4, says: "script.lua:1:", number)
  }

  @Test func aLossThatIsNoNumber() throws {
    try expect(
      [
        "run",
        script(
          "local d = dataset 'digits'\n\ntrain(zoo.lab_cnn(), { data = d.train:take(64), learning_rate = 1e30, epochs = 5 })"
        ),
      ],
      says: "script.lua:3:", "loss", "epoch")
  }

  @Test func pluginsThatAreBroken() throws {
    let scripts = [
      "score = function() end": "nil", "score = function() return 'x' end": "\"x\"",
      "score = function(l) return l.weight:sum(1) end": "[",
      "score = function(l) return l.weight * (0/0) end": "NaN",
      "score = function() error('mine') end": "mine",
      "score = function(l) return l.weight:abs() end, scope = 'planet'": "planet",
      "scorer = 1, score = function() end": "\"score\"",
      "score = function() while true do end end": "1000000000",
      "score = function(l) return l.wieght end": "\"weight\"",
      "score = function(l) return train(l) end": "must be a Model",
      "score = function(l) return l.weight:abs() end, options = { a = { type = 'number', min = 2, max = 1 } }":
        "min 2 is above max 1",
      "score = function(l) return l.weight:abs() end, options = { a = { type = 'number', default = 5, max = 1 } }":
        "at most 1",
    ]
    for (fields, message) in scripts {
      try file(
        "broken.lua", Array("return plugin { kind = 'pruning', summary = 's', unit = 'weight', \(fields) }".utf8))
      let path = try script("prune(zoo.lab_cnn(), use 'broken' {}, { sparsity = 0.5 })")
      let endless = fields.contains("while")
      try expect(["run", path], status: endless ? 4 : 2, says: "broken", message)
    }
    for text in [
      "return 1", "", "return plugin", "return plugin {}", "error 'x'", "\u{1B}Lua",
      "return plugin { kind = 'pruning' }",
    ] {
      try file("broken.lua", Array(text.utf8))
      try expect(["run", script("use 'broken'")], says: "broken")
    }
  }

  // MARK: The command line

  @Test func paramsFromTheCommandLine() throws {
    let path = try script("params { sparsity = { 0.5, min = 0, max = 1 }, n = { 3 }, fast = { true } }")
    try expect(["run", path, "--set", "sparsity=2"], says: "2", "1")
    try expect(["run", path, "--set", "sparsity=nan"], says: "nan")
    try expect(["run", path, "--set", "sparsity="], says: "sparsity=")
    try expect(["run", path, "--set", "sparsty=0.1"], says: "\"sparsity\"")
    try expect(["run", path, "--set", "n=1e400"], says: "1e400")
    try expect(["run", path, "--set", "fast=1"], says: "true or false")
    try expect(["run", path, "--set", "=1"], says: "name=value")
    try expect(["run", path, "--set", "\u{1B}[31m=1"], says: "no such param")
  }

  @Test func usage() throws {
    let path = try script("print(1)")
    try expect(["frobnicate"], status: 64)
    try expect(["run", path, "--frobnicate"], status: 64, says: "--frobnicate")
    try expect(["run", path, "second.lua"], status: 64, says: "second.lua")
    try expect(["run", path, "--seed=-1"], status: 64, says: "-1")
    try expect(["run", path, "--threads", "many"], status: 64, says: "many")
    try expect(["inspect"], status: 64, says: "model")
    try expect(["run", path, "--threads", "100000"], says: "100000")
    try expect(["run", path, "--plugins", "/none"], says: "/none")
    try expect(["run", path, "--lua-memory", "0"], says: "--lua-memory 0")
    try expect(["run", path, "--lua-memory", "9223372036854775807"], says: "9223372036854775807")
    try expect(["run", path, "--lua-instructions", "0"], says: "--lua-instructions 0")
    try expect(["run", path, "--lua-seconds", "nan"], says: "--lua-seconds nan")
    try expect(["run", path, "--tensor-memory", "0"], says: "--tensor-memory 0")
    try expect(["run", path], says: "mmx", environment: ["COMPRESS_ISA": "mmx"])
    let train = try file(
      "bf16.lua", Array("train(zoo.lab_cnn(), { data = dataset('digits').train, precision = 'bf16' })".utf8))
    try expect(
      ["run", train], says: "precision \"bf16\" needs a CPU with AVX512_BF16; this one",
      environment: ["COMPRESS_ISA": "scalar"])
    try expect(["measure", folder.path + "/none.json"], says: "none.json: ")
    try expect(["measure", file("job.json", Array("{}".utf8))], says: "job.json: ")
    try expect(["measure", file("job.json", Array("not json".utf8))], says: "job.json: ")
  }

  @Test func aCacheThatCannotBe() throws {
    let path = try script("print(1)")
    try expect(["run", path], status: 2, says: "script.lua/compress", environment: ["XDG_CACHE_HOME": path])
    try expect(["run", path], status: 3, says: "XDG_CACHE_HOME", environment: ["XDG_CACHE_HOME": "", "HOME": ""])
  }
}
