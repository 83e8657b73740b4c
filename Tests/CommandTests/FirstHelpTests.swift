import Foundation
import Testing

/// `compress new`, `check` and `cache`: what people meet first.
@Suite struct FirstHelpTests {
  @Test(arguments: ["pruning", "schedule", "quantization"])
  func aNewPluginRunsAsItIs(_ kind: String) throws {
    let folder = try TemporaryFolder()
    let made = try compress(["new", "plugin", "mine", "--kind", kind], cache: folder, workingIn: folder.path)
    #expect(made.status == 0 && made.output.contains("compress check mine.lua"), "\(made.errors)")
    let check = try compress(["check", folder.path + "/mine.lua"], cache: folder)
    #expect(
      check.status == 0 && check.output.contains("\(kind) plugin") && !check.output.contains("warning"),
      "\(check.output)\(check.errors)")
    let again = try compress(["new", "plugin", "mine"], cache: folder, workingIn: folder.path)
    #expect(again.status == 2 && again.errors.contains("exists already"))
    #expect(try String(contentsOfFile: folder.path + "/mine.lua", encoding: .utf8).contains("kind    = \"\(kind)\""))
  }

  @Test func aNewPipelineRunsAsItIs() throws {
    let folder = try TemporaryFolder()
    #expect(try compress(["new", "pipeline", "mine"], cache: folder, workingIn: folder.path).status == 0)
    let check = try compress(["check", "mine.lua"], cache: folder, workingIn: folder.path)
    #expect(
      check.status == 0 && check.output.contains("to compute") && check.output.contains("pruned and int8"),
      "\(check.errors)")
    let run = try compress(["run", "mine.lua", "--set", "samples=200"], cache: folder, workingIn: folder.path)
    #expect(run.status == 0 && run.output.contains("pruned and int8"), "\(run.errors)")
  }

  /// An editor completes at once; settings that somebody made are nobody else's to change.
  @Test func newFilesComeWithSettingsForEditors() throws {
    let folder = try TemporaryFolder(), path = folder.path + "/.luarc.json"
    let made = try compress(["new", "pipeline", "mine"], cache: folder, workingIn: folder.path)
    #expect(made.status == 0 && made.output.contains("wrote .luarc.json"), "\(made.output)\(made.errors)")
    let text = try Data(contentsOf: URL(fileURLWithPath: path))
    let settings = try JSONSerialization.jsonObject(with: text) as? [String: Any]
    #expect(settings?["runtime.version"] as? String == "Lua 5.4")
    let library = try #require((settings?["workspace.library"] as? [String])?.first)
    #expect(library == folder.path + "/data/compress/meta")
    #expect(
      try String(contentsOfFile: library + "/compress.lua", encoding: .utf8)
        == String(contentsOfFile: sourceRoot + "/plugins/meta/compress.lua", encoding: .utf8))
    // What scripts do not have is not offered.
    let libraries = settings?["runtime.builtin"] as? [String: String]
    #expect(libraries?["io"] == "disable" && libraries?["string"] == nil)

    for (name, content) in [(".luarc.json", "{}\n"), (".luarc.jsonc", "{} // mine\n")] {
      try FileManager.default.removeItem(atPath: path)
      let own = "\(folder.path)/\(name)"
      try Data(content.utf8).write(to: URL(fileURLWithPath: own))
      let next = try compress(["new", "plugin", "p\(content.count)"], cache: folder, workingIn: folder.path)
      #expect(next.status == 0 && !next.output.contains("luarc") && next.errors.isEmpty, "\(next.output)")
      #expect(try String(contentsOfFile: own, encoding: .utf8) == content)
      #expect(FileManager.default.fileExists(atPath: path) == (own == path))
    }
    // A link that leads nowhere is somebody's as well.
    try FileManager.default.removeItem(atPath: folder.path + "/.luarc.jsonc")
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "elsewhere")
    #expect(try compress(["new", "plugin", "linked"], cache: folder, workingIn: folder.path).status == 0)
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/elsewhere"))

    // Without a folder for the stubs what was asked for is made all the same.
    try FileManager.default.removeItem(atPath: path)
    try Data().write(to: URL(fileURLWithPath: folder.path + "/occupied"))
    let without = try compress(
      ["new", "plugin", "last"], cache: folder, environment: ["XDG_DATA_HOME": folder.path + "/occupied"],
      workingIn: folder.path)
    #expect(without.status == 0 && without.errors.contains("no settings for editors"), "\(without.errors)")
    #expect(FileManager.default.fileExists(atPath: folder.path + "/last.lua"))
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func namesThatAreNoneAreRefused() throws {
    let folder = try TemporaryFolder()
    for name in ["../mine", "a b", "", "mine.lua", "größe"] {
      #expect(try compress(["new", "plugin", name], cache: folder, workingIn: folder.path).status == 2, "\(name)")
    }
    let kind = try compress(["new", "plugin", "mine", "--kind", "prunning"], cache: folder, workingIn: folder.path)
    #expect(kind.status == 2 && kind.errors.contains("did you mean \"pruning\"?"))
    #expect(
      try compress(["new", "pipeline", "mine", "--kind", "pruning"], cache: folder, workingIn: folder.path).status == 64
    )
  }

  @Test(arguments: [
    (
      "return plugin { kind = 'pruning', summary = 's', score = function(layer)\n return layer.weight:abs():log() * 0 / 0 end }",
      "NaN"
    ),
    ("return plugin { kind = 'pruning', summary = 's', score = function(layer)\n return layer.weigth end }", ":2:"),
    ("return plugin { kind = 'pruning', summary = 's', score = function() return tensor.zeros {3} end }", "shape"),
    ("return plugin { kind = 'schedule', summary = 's', at = function(t)\n return 't' end }", "must return a number"),
    ("return plugin { kind = 'schedule', summary = 's', at = function(t) return 0 / 0 end }", "nan"),
    (
      "return plugin { kind = 'quantization', summary = 's', assign = function() return { weights = { bits = 9 } } end }",
      "from 2 to 8"
    ),
    ("return plugin { kind = 'schedule', summary = 's', att = function(t) return t end }", "did you mean \"at\"?"),
    ("return plugin {\n kind = }", ":2:"),
  ])
  func whatAPluginDoesWrongIsSaid(_ text: String, _ message: String) throws {
    let folder = try TemporaryFolder()
    try text.write(toFile: folder.path + "/mine.lua", atomically: true, encoding: .utf8)
    let check = try compress(["check", folder.path + "/mine.lua"], cache: folder)
    #expect(
      check.status == 2 && check.errors.lowercased().contains(message.lowercased()), "\(check.output)\(check.errors)")
    #expect(check.errors.contains(#/mine\.lua:\d+: /#), "with its line: \(check.errors)")
    #expect(check.errors.components(separatedBy: "problem: ").count == 2, "one mistake, one message: \(check.errors)")
  }

  @Test func whatIsHardlyMeantIsWarnedOf() throws {
    let folder = try TemporaryFolder()
    func warning(_ text: String) throws -> String {
      try text.write(toFile: folder.path + "/mine.lua", atomically: true, encoding: .utf8)
      let check = try compress(["check", folder.path + "/mine.lua"], cache: folder)
      #expect(check.status == 0, "\(check.errors)")
      return check.output
    }
    #expect(
      try warning("return plugin { kind = 'schedule', summary = 's', at = function(t) return 2 * t end }").contains(
        "refused outside"))
    #expect(
      try warning("return plugin { kind = 'schedule', summary = 's', at = function(t) return 1 - t end }").contains(
        "it falls at t = 0.025"))
    #expect(
      try warning("return plugin { kind = 'pruning', summary = 's', score = function() return false end }").contains(
        "came out"))
    #expect(
      try warning(
        "return plugin { kind = 'pruning', summary = 's', score = function(l) return l.weight:abs() * math.random() end }"
      ).contains("asked again"))
    #expect(
      try warning("return plugin { kind = 'quantization', summary = 's', assign = function() end }").contains(
        "every layer stays"))
  }

  @Test func aPipelinesMistakeHasItsLine() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/p.lua"
    try "local d = dataset 'digits'\ntrain(zoo.lab_cnn(), { data = d.train, epoch = 1 })\n"
      .write(toFile: path, atomically: true, encoding: .utf8)
    let check = try compress(["check", path], cache: folder)
    #expect(
      check.status == 2 && check.errors.contains("p.lua:2:") && check.errors.contains("did you mean \"epochs\"?"),
      "\(check.errors)")
  }

  @Test func theCacheIsListedTidiedAndVerified() throws {
    let folder = try TemporaryFolder()
    let empty = try compress(["cache", "list"], cache: folder)
    #expect(empty.status == 0 && empty.output.contains("0 stages"), "\(empty.errors)")
    let script = folder.path + "/p.lua"
    try "train(zoo.lab_cnn(), { data = dataset('digits').train:take(64) })".write(
      toFile: script, atomically: true, encoding: .utf8)
    #expect(try compress(["run", script], cache: folder).status == 0)
    let list = try compress(["cache", "list"], cache: folder)
    #expect(list.output.contains("train lab_cnn") && list.output.contains("just now"), "\(list.output)")
    #expect(try compress(["cache", "verify"], cache: folder).output.contains("all whole"))
    #expect(
      try compress(["cache", "gc", "--older-than", "30d"], cache: folder).output.contains(
        "removed 0 stages, 0 unpacked data files and 0 blobs"))
    let all = try compress(["cache", "gc", "--all"], cache: folder)
    #expect(all.output.contains("stay until they are an hour old"), "\(all.output)")
    #expect(try compress(["cache", "list"], cache: folder).output.contains("0 stages"))
    #expect(try compress(["cache", "gc", "--older-than", "soon"], cache: folder).status == 64)
    #expect(try compress(["cache", "gc", "--older-than", "1d", "--all"], cache: folder).status == 64)
  }
}
