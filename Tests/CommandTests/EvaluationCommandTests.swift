import Foundation
import Testing

/// `compress predict`, `evaluate` and `compare`, and what other programs read of the commands.
@Suite struct EvaluationCommandTests {
  let folder: TemporaryFolder
  let model: String

  init() throws {
    folder = try TemporaryFolder()
    model = folder.path + "/net.cmpr"
    let script = folder.path + "/make.lua"
    try Data(
      """
      local d = dataset "digits"
      local m = train(zoo.lab_cnn(), { data = d.train:take(2000), epochs = 2, optimizer = "adam" })
      m:save "net.cmpr"
      print(evaluate(m, d.test:take(500)).accuracy)
      """.utf8
    ).write(to: URL(fileURLWithPath: script))
    let made = try compress(["run", script, "--out", folder.path], cache: folder)
    try #require(made.status == 0, "\(made.errors)")
  }

  func run(_ arguments: String...) throws -> Outcome { try compress(arguments, cache: folder) }

  func json(_ outcome: Outcome) throws -> [String: Any] {
    try #require(
      JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any],
      "\(outcome.output) \(outcome.errors)")
  }

  /// A black picture with a white bar of one pixel in three, [28, 28].
  func picture(_ name: String) throws -> String {
    // A PNG of one bit of grey, stored, not compressed.
    var rows: [UInt8] = []
    for _ in 0..<28 { rows += [0, 0x0F, 0x00, 0x00, 0x00] }
    func crc(_ bytes: [UInt8]) -> UInt32 {
      var value: UInt32 = 0xFFFF_FFFF
      for byte in bytes {
        value ^= UInt32(byte)
        for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
      }
      return ~value
    }
    func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    func chunk(_ kind: String, _ body: [UInt8]) -> [UInt8] {
      let named = Array(kind.utf8) + body
      return word(UInt32(body.count)) + named + word(crc(named))
    }
    var a: UInt32 = 1, b: UInt32 = 0
    for byte in rows {
      a = (a + UInt32(byte)) % 65521
      b = (b + a) % 65521
    }
    let length = UInt16(rows.count)
    let stored = [1, UInt8(length & 255), UInt8(length >> 8), UInt8(~length & 255), UInt8(~length >> 8)] + rows
    let bytes =
      [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
      + chunk("IHDR", word(28) + word(28) + [1, 0, 0, 0, 0])
      + chunk("IDAT", [0x78, 0x01] + stored + word(b << 16 | a)) + chunk("IEND", [])
    let path = "\(folder.path)/\(name)"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test func evaluateTellsEachClass() throws {
    let found = try json(run("evaluate", model, "--on", "digits", "--images", "500", "--json"))
    let classes = try #require(found["classes"] as? [[String: Any]])
    #expect(classes.count == 10 && classes.map { $0["name"] as? String } == (0..<10).map { "\($0)" })
    let samples = classes.compactMap { $0["samples"] as? Int }, correct = classes.compactMap { $0["correct"] as? Int }
    #expect(samples.reduce(0, +) == 500 && found["samples"] as? Int == 500)
    #expect(found["correct"] as? Int == correct.reduce(0, +))
    let wrong = (found["confusions"] as? [[String: Any]] ?? []).compactMap { $0["count"] as? Int }.reduce(0, +)
    #expect(wrong == 500 - correct.reduce(0, +), "every wrong answer is in a pair of classes")
    // What the script said of the same samples.
    let script = try run("run", folder.path + "/make.lua", "--out", folder.path)
    let accuracy = try #require(Double(script.output.split(separator: "\n").first ?? ""))
    #expect(found["accuracy"] as? Double == accuracy)

    let page = folder.path + "/page.html"
    let text = try run("evaluate", model, "--on", "digits", "--images", "500", "--report", page)
    #expect(text.status == 0 && text.output.contains("most often taken for"), "\(text.errors)")
    let html = try String(contentsOfFile: page, encoding: .utf8)
    #expect(html.contains("What it takes for what"))
    if wrong > 0 { #expect(html.contains("data:image/png;base64,iVBORw0KGgo")) }
  }

  @Test func predictNamesClassesOfPictures() throws {
    let bar = try picture("bar.png")
    let answer = try run("predict", model, bar, "--top", "3", "--json")
    let list = try #require(JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [[String: Any]])
    let top = try #require(list.first?["top"] as? [[String: Any]])
    let shares = top.compactMap { $0["probability"] as? Double }
    #expect(shares.count == 3 && shares == shares.sorted(by: >) && (0...1.0001).contains(shares.reduce(0, +)))
    #expect(try run("predict", model, bar).output.contains("%"))

    // One that cannot be read is told of, the others are answered.
    let broken = folder.path + "/broken.png"
    try Data("no picture".utf8).write(to: URL(fileURLWithPath: broken))
    let mixed = try run("predict", model, broken, bar)
    #expect(mixed.status == 2 && mixed.output.contains("neither JPEG nor PNG") && mixed.output.contains("%"))

    let names = folder.path + "/names.txt"
    try Data("a\nb\n".utf8).write(to: URL(fileURLWithPath: names))
    let few = try run("predict", model, bar, "--classes", names)
    #expect(few.status == 2 && few.errors.contains("2 names for 10 class scores"), "\(few.errors)")
  }

  @Test func aFolderOfPicturesIsEvaluatedByItsClasses() throws {
    let pictures = folder.path + "/pictures"
    for name in ["1", "7"] {
      try FileManager.default.createDirectory(atPath: "\(pictures)/\(name)", withIntermediateDirectories: true)
      _ = try picture("pictures/\(name)/a.png")
    }
    let found = try run("evaluate", model, "--on", pictures, "--json")
    #expect(found.status == 0, "\(found.errors)")
    let classes = try #require(json(found)["classes"] as? [[String: Any]])
    #expect(
      classes.compactMap { $0["samples"] as? Int } == [0, 1, 0, 0, 0, 0, 0, 1, 0, 0], "by the names of the classes")
    // The whole picture, as `predict` has it.
    let predicted = try run("predict", model, pictures + "/1/a.png", "--top", "1", "--json")
    let top = try #require(
      (JSONSerialization.jsonObject(with: Data(predicted.output.utf8)) as? [[String: Any]])?.first?["top"]
        as? [[String: Any]])
    let place = try #require(top.first?["index"] as? Int)
    #expect(classes[place]["predicted"] as? Int == 2, "both are the same picture")
    try FileManager.default.createDirectory(atPath: pictures + "/eight", withIntermediateDirectories: true)
    let stray = try run("evaluate", model, "--on", pictures)
    #expect(stray.status == 2 && stray.errors.contains("the model has no class \"eight\""), "\(stray.errors)")
    let missing = try run("evaluate", model)
    #expect(missing.status == 2 && missing.errors.contains("--on"), "\(missing.errors)")
    let unknown = try run("evaluate", model, "--on", "digitz")
    #expect(unknown.status == 2 && unknown.errors.contains("\"digits\""), "\(unknown.errors)")
  }

  @Test func aReportReplacesNothingElse() throws {
    for (name, isMade) in [("net.cmpr", true), ("pipe.html", mkfifo(folder.path + "/pipe.html", 0o600) == 0)] {
      #expect(isMade)
      let bytes = name == "net.cmpr" ? try Data(contentsOf: URL(fileURLWithPath: model)) : nil
      let refused = try run("evaluate", model, "--on", "digits", "--images", "20", "--report", "\(folder.path)/\(name)")
      #expect(refused.status == 2 && refused.errors.contains("is left as it is"), "\(refused.errors)")
      if let bytes { #expect(try Data(contentsOf: URL(fileURLWithPath: model)) == bytes) }
    }
    var status = stat()
    #expect(lstat(folder.path + "/pipe.html", &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
  }

  @Test func namesOfClassesComeFromAnySystem() throws {
    let names = folder.path + "/names.txt", text = "\u{FEFF}" + (0..<10).map { "class \($0)" }.joined(separator: "\r\n")
    try Data(text.utf8).write(to: URL(fileURLWithPath: names))
    let answer = try run("predict", model, picture("bar.png"), "--classes", names, "--top", "10")
    #expect(answer.status == 0 && answer.output.contains("class 0 ") && answer.output.contains("class 9 "))
  }

  @Test func comparingTakesTheSameOptions() throws {
    let found = try run("compare", model, model, "--on", "digits", "--images", "50", "--layers", "4")
    #expect(found.status == 0 && found.output.contains("0 of 50 predictions"), "\(found.errors)")
  }

  @Test func commandsWriteJSON() throws {
    let inspected = try json(run("inspect", model, "--json"))
    #expect((inspected["layers"] as? [[String: Any]])?.contains { $0["name"] as? String == "conv" } == true)
    let inputs = try #require(inspected["inputs"] as? [[String: Any]])
    #expect(inputs.first?["shape"] as? [Int] == [28, 28, 1])
    let plugin = try json(run("plugins", "int8", "--json"))
    #expect(plugin["kind"] as? String == "quantization" && (plugin["options"] as? [Any])?.isEmpty == false)
    let script = folder.path + "/plan.lua"
    try Data("train(zoo.lab_cnn(), { data = dataset('digits').train:take(300) })".utf8)
      .write(to: URL(fileURLWithPath: script))
    let stages = try #require(json(run("plan", script, "--json"))["stages"] as? [[String: Any]])
    #expect(stages.compactMap { $0["state"] as? String } == ["at hand", "to compute"], "the network is known")
    #expect(stages.last?["from"] as? [Int] == [1] && stages.last?["kind"] as? String == "train")
    #expect((try json(run("doctor", "--json"))["facts"] as? [String: Any])?["program"] != nil)
    let runs = try run("runs", "list", "--json")
    #expect(try JSONSerialization.jsonObject(with: Data(runs.output.utf8)) is [Any])
  }

  @Test func runsHaveNamesTagsAndNotes() throws {
    let script = folder.path + "/make.lua"
    let named = try run(
      "run", script, "--out", folder.path, "--name", "first try", "--tag", "paper", "--tag", "old", "--note",
      "as it was",
      "--quiet")
    #expect(named.status == 0 && !named.errors.contains("✓"), "\(named.errors)")
    #expect(named.output.split(separator: "\n").count == 1, "only what the script prints: \(named.output)")
    let shown = try json(run("runs", "show", "first try", "--json"))
    let labels = try #require(shown["labels"] as? [String: Any])
    #expect(labels["name"] as? String == "first try" && labels["tags"] as? [String] == ["old", "paper"])
    #expect(try run("runs", "list", "--where", "tag=paper").output.contains("first try"))
    #expect(try run("runs", "list", "--where", "tag=none").output.contains("0 runs"))
    #expect(try run("runs", "list", "--where", "tag!=paper").output.contains("1 run"))
    #expect(try run("runs", "label", "first try", "--untag", "old", "--note", "").status == 0)
    let after = try #require(json(run("runs", "show", "first try", "--json"))["labels"] as? [String: Any])
    #expect(after["tags"] as? [String] == ["paper"] && after["note"] == nil)
    #expect(try run("runs", "label", "first try", "--untag", "old").status == 2)
    #expect(try run("run", script, "--name", "a;b").status == 2)
    let tried = try run("runs", "gc", "--older-than", "0s", "--dry-run")
    #expect(tried.output.contains("would forget 2 runs"), "\(tried.output) \(tried.errors)")
    #expect(try run("runs", "list").output.contains("2 runs"))
  }

  @Test func slipsOfTheCommandLineAreNamed() throws {
    let script = folder.path + "/make.lua"
    let command = try run("evalute", model)
    #expect(command.status == 64 && command.errors.contains("evaluate"), "\(command.errors)")
    let seed = try run("run", script, "--seed", "-5")
    #expect(seed.status == 64 && seed.errors.contains("-5"), "\(seed.errors)")
    let data = try run("run", script, "--data", folder.path + "/nowhere")
    #expect(data.status == 2 && data.errors.contains("no such folder"), "\(data.errors)")
    let threads = try run("bench", model, "--threads", "99", "--runs", "20")
    #expect(threads.status == 0 && threads.errors.contains("99 threads on"), "\(threads.errors)")
    let unknown = try run("runs", "list", "--where", "foo=1")
    #expect(unknown.errors.components(separatedBy: "macs").count == 2, "each name once: \(unknown.errors)")
  }

  @Test func aSweepIsRehearsed() throws {
    let script = folder.path + "/sweep.lua"
    try Data(
      """
      local p = params { share = 0.5 }
      local d = dataset "digits"
      local m = train(zoo.lab_cnn(), { data = d.train:take(100) })
      compare { on = d.test:take(20), images = 5, { "pruned", prune(m, use "local_magnitude" {}, { sparsity = p.share }) } }
      """.utf8
    ).write(to: URL(fileURLWithPath: script))
    let out = folder.path + "/sweep"
    let rehearsed = try run("sweep", script, "--grid", "share=0.5,0.6,0.7", "--out", out, "--dry-run")
    #expect(rehearsed.status == 0, "\(rehearsed.errors)")
    #expect(
      rehearsed.output.contains("share=0.7") && rehearsed.output.contains("5 stages, 1 at hand, 4 to compute"),
      "\(rehearsed.output)")
    #expect(!FileManager.default.fileExists(atPath: out + "/sweep.json"), "nothing is begun")
    let swept = try run("sweep", script, "--grid", "share=0.5,0.6,0.7", "--out", out, "--json")
    let rows = try #require(JSONSerialization.jsonObject(with: Data(swept.output.utf8)) as? [[String: Any]])
    #expect(rows.count == 3 && rows.compactMap { $0["point"] as? Int } == [1, 2, 3])
    #expect(
      try run("sweep", script, "--grid", "share=0.5,0.6", "--out", out, "--dry-run").output.contains("0 to compute"))
  }

  /// What a comparison knows of its mistakes is kept with the predictions: nothing runs again for it.
  @Test func mistakesAreKept() throws {
    let text = """
      local d = dataset "digits"
      local m = fit_last_layer(zoo.quick_cnn(), d.train:take(100))
      compare { on = d.test:take(200), images = 5, { "fitted", m }, { "half", quantize(m, use "float16" {}) } }
      """
    let script = folder.path + "/kept.lua"
    try Data(text.utf8).write(to: URL(fileURLWithPath: script))
    func mistakes(_ out: String) throws -> (errors: String, found: NSArray) {
      let outcome = try compress(["run", script, "--out", "\(folder.path)/\(out)"], cache: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let file = try #require(FileManager.default.contents(atPath: "\(folder.path)/\(out)/results.json"))
      let results = try JSONSerialization.jsonObject(with: file) as? [String: Any]
      let variants = try #require(results?["variants"] as? [[String: Any]])
      return (outcome.errors, variants.map { $0["mistakes"] ?? [] } as NSArray)
    }
    let first = try mistakes("first"), second = try mistakes("second")
    #expect(first.errors.contains("predict with fitted") && !second.errors.contains("predict with"), "\(second.errors)")
    #expect(first.found == second.found && (first.found.firstObject as? NSArray)?.count == 8)
  }
}

/// `compress watch` and `compress repl`.
@Suite struct WatchTests {
  @Test func whatIsSavedIsRunAgain() throws {
    let folder = try TemporaryFolder(), script = folder.path + "/w.lua"
    func save(_ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: script)) }
    try save("print 'first'")
    let watching = try Running(["watch", script, "--quiet"], cache: folder)
    defer { watching.send(SIGKILL) }
    func waits(for text: String) -> Bool {
      for _ in 0..<300 {
        if watching.soFar.contains(text) { return true }
        Thread.sleep(forTimeInterval: 0.1)
      }
      return false
    }
    #expect(waits(for: "first"))
    try save("print 'second'")
    #expect(waits(for: "second"))
    try save("print(")  // A mistake ends the run and not the watch.
    Thread.sleep(forTimeInterval: 1)
    try save("print 'third'")
    #expect(waits(for: "third"))
    watching.send(SIGINT)
    #expect(try watching.wait().status == 130)
  }

  @Test func aMisspeltOptionIsToldAtOnce() throws {
    let folder = try TemporaryFolder()
    #expect(try compress(["watch"], cache: folder).status == 64)
    let wrong = try compress(["watch", "a.lua", "--epochs"], cache: folder)
    #expect(wrong.status == 64 && wrong.errors.contains("--epochs"), "\(wrong.errors)")
    let help = try compress(["watch", "--help"], cache: folder)
    #expect(help.status == 0 && help.output.contains("Ctrl-C ends it"), "\(help.output) \(help.errors)")
  }
}
