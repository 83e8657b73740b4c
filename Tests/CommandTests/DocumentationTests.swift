import ArgumentParser
import Foundation
import Testing

@testable import compress

/// What the documents show works when it is pasted: every block of Lua runs, and every command line is one.
@Suite struct DocumentationTests {
  struct Block: Sendable, CustomTestStringConvertible {
    let place: String
    let text: String
    var testDescription: String { place }
  }

  /// README, docs and examples, by their paths.
  private static var documents: [String] {
    let manager = FileManager.default
    func files(_ folder: String) -> [String] {
      (manager.enumerator(atPath: sourceRoot + "/" + folder)?.compactMap { $0 as? String } ?? [])
        .filter { $0.hasSuffix(".md") }.sorted().map { folder + "/" + $0 }
    }
    return ["README.md", "CONTRIBUTING.md", "SECURITY.md"] + files("docs") + files("examples")
  }

  /// The blocks of a language in them; of none, "".
  static func blocks(_ language: String) -> [Block] {
    documents.flatMap { name -> [Block] in
      guard let text = try? String(contentsOfFile: sourceRoot + "/" + name, encoding: .utf8) else { return [] }
      var blocks: [Block] = [], open: (line: Int, language: String, lines: [Substring])?
      for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        if let block = open {
          guard line == "```" else {
            open?.lines.append(line)
            continue
          }
          if block.language == language {
            blocks.append(Block(place: "\(name):\(block.line)", text: block.lines.joined(separator: "\n") + "\n"))
          }
          open = nil
        } else if line.hasPrefix("```") {
          open = (number + 1, String(line.dropFirst(3)), [])
        }
      }
      return blocks
    }
  }

  @Test func thereAreBlocks() {
    #expect(Self.blocks("lua").count >= 19 && Self.blocks("sh").count >= 14)
  }

  /// A block that is set in, or calls its language otherwise, would not be run; neither would one that says nothing.
  @Test func noBlockEscapes() throws {
    for name in Self.documents {
      let text = try String(contentsOfFile: sourceRoot + "/" + name, encoding: .utf8)
      var isOpen = false
      for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        let start = line.drop { $0 == " " || $0 == ">" }
        guard start.hasPrefix("```") || start.hasPrefix("~~~") else { continue }
        let place = "\(name):\(number + 1): \(line)"
        #expect(
          isOpen
            ? line == "```" : ["```", "```lua", "```sh", "```json", "```python", "```c", "```swift"].contains(line),
          "\(place)")
        isOpen.toggle()
      }
      #expect(!isOpen, "\(name)")
    }
    for block in Self.blocks("") {
      let isLua = block.text.split(separator: "\n").contains { line in
        ["local ", "return ", "use \"", "compress "].contains { line.hasPrefix($0) }
      }
      #expect(!isLua, "\(block.place) is Lua or a command, and says so nowhere")
    }
  }

  /// The headings of a document as links name them.
  private static func anchors(_ text: String) -> Set<String> {
    Set(
      text.split(separator: "\n").filter { $0.hasPrefix("#") }.map { line in
        let title = line.drop { $0 == "#" }.drop { $0 == " " }.lowercased()
        return title.filter { $0.isLetter || $0.isNumber || " -_".contains($0) }.replacing(" ", with: "-")
      })
  }

  @Test func linksLeadSomewhere() throws {
    var count = 0
    for name in Self.documents {
      let file = URL(fileURLWithPath: sourceRoot + "/" + name)
      let text = try String(contentsOf: file, encoding: .utf8)
      for match in text.matches(of: #/\]\(([^)\s]+)\)/#) where !match.1.hasPrefix("http") {
        let parts = match.1.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let target = parts[0].isEmpty ? file : file.deletingLastPathComponent().appendingPathComponent(parts[0])
        #expect(FileManager.default.fileExists(atPath: target.path), "\(name): \(match.1)")
        count += 1
        guard parts.count > 1 else { continue }
        let there = Self.anchors(try String(contentsOf: target, encoding: .utf8))
        #expect(there.contains(parts[1]), "\(name): \(match.1)")
      }
    }
    #expect(count >= 50)
  }

  @Test(arguments: blocks("lua")) func luaRunsAsItStands(_ block: Block) throws {
    let folder = try TemporaryFolder()
    func write(_ text: String, _ name: String) throws -> String {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder.path)/\(name)"))
      return "\(folder.path)/\(name)"
    }
    let arguments: [String]
    if block.text.contains("return plugin {") {
      arguments = ["check", try write(block.text, "mine.lua")]
    } else if block.text.contains("return sweep {") {
      _ = try write(
        try String(contentsOfFile: sourceRoot + "/pipelines/mnist_lab.lua", encoding: .utf8), "mnist_lab.lua")
      // The pipeline's data may not be there; what the file says is checked before it is asked for.
      let check = try compress(["check", try write(block.text, "sweep.lua")], cache: folder)
      #expect(check.output.contains("over sparsity, strategy, with 3 seeds each"), "\(check.errors)")
      return
    } else if block.text.hasPrefix("{") {
      // What a plugin's function returns.
      let plugin = """
        return plugin {
          kind = "quantization", summary = "as documented", options = { calibration = { type = "data" } },
          assign = function() return
          \(block.text)
          end,
        }
        """
      arguments = ["check", try write(plugin, "mine.lua")]
    } else {
      if block.text.contains("load_model(\"backbone.safetensors\"") {
        let file = """
          net.model {
            input = { 4 }, net.dense(4, { name = "backbone.body" }), net.dense(4, { name = "aux_head.1" }),
            net.dense(3, { name = "fc" })
          }:save "backbone.safetensors"
          """
        #expect(try compress(["run", write(file, "make.lua"), "--out", folder.path], cache: folder).status == 0)
      }
      // A trained model of the reader's.
      if let name = block.text.firstMatch(of: #/load_model "(net\.\w+)"/#)?.output.1 {
        let script = try write(
          "train(zoo.lab_cnn(), { data = dataset('digits').train:take(2000), epochs = 2 }):save '\(name)'", "make.lua")
        #expect(try compress(["run", script, "--out", folder.path], cache: folder).status == 0)
      }
      if block.text.contains("load_model(\"training.pth\"") {
        try FileManager.default.copyItem(
          atPath: sourceRoot + "/Tests/Fixtures/training.pth", toPath: folder.path + "/training.pth")
      }
      if block.text.contains("load_model(\"resnet18.safetensors\"") {
        let script = try write("zoo.resnet18 { stem = 'cifar', classes = 10 }:save 'resnet18.safetensors'", "make.lua")
        #expect(try compress(["run", script, "--out", folder.path], cache: folder).status == 0)
      }
      // The same with digits that need no files, and without the rests that measurements take.
      let text = block.text.replacing("dataset \"mnist\"", with: "dataset \"digits\"")
        .replacing("cooldown = 2", with: "cooldown = 0").replacing("images = 1000", with: "images = 20")
      arguments = ["run", try write(text, "pasted.lua"), "--out", folder.path + "/out", "--threads", "2"]
    }
    let outcome = try compress(arguments, cache: folder)
    #expect(outcome.status == 0 && !outcome.errors.contains("warning"), "\(outcome.output)\(outcome.errors)")
  }

  /// The command lines of a block: comments taken out, lines that go on joined.
  static func commands(_ text: String) -> [[String]] {
    text.replacing("\\\n", with: " ").split(separator: "\n").compactMap { line in
      var words: [String] = [], word = "", quoted = false, isWord = false
      scan: for character in line {
        switch character {
        case "'": (quoted, isWord) = (!quoted, true)
        case " " where !quoted:
          if isWord { words.append(word) }
          (word, isWord) = ("", false)
        case "#" where !quoted && !isWord: break scan
        default: (word, isWord) = (word + String(character), true)
        }
      }
      if isWord { words.append(word) }
      // What goes into a file, or on to another program, is the shell's.
      if let end = words.firstIndex(where: { [">", "|", "&&"].contains($0) }) { words.removeSubrange(end...) }
      return words.first == "compress" ? Array(words.dropFirst()) : nil
    }
  }

  @Test(arguments: blocks("sh")) func commandLinesAreUnderstood(_ block: Block) throws {
    for command in Self.commands(block.text) {
      #expect(throws: Never.self, "\(command.joined(separator: " "))") { _ = try Compress.parseAsRoot(command) }
      // Scripts that are named are there.
      for script in command where script.hasSuffix(".lua") && script.contains("/") {
        #expect(FileManager.default.fileExists(atPath: "\(sourceRoot)/\(script)"), "\(script)")
      }
    }
  }

  @Test func commandLinesAreRead() {
    #expect(
      Self.commands("compress runs list --where 'a b' # c\nmake test\ncompress sweep x \\\n  --jobs 2 > file\n")
        == [["runs", "list", "--where", "a b"], ["sweep", "x", "--jobs", "2"]])
  }

  @Test func optionsThatWouldSayNothingAreRefused() {
    let refused = [
      "bench zoo:lab_cnn --block 1x4 --pruning", "bench zoo:lab_cnn --training --sparsity 0.5",
      "bench zoo:lab_cnn --pruning --batch 4",
      "bench zoo:lab_cnn --pruning --threads 2",
      "bench zoo:lab_cnn --pruning --precision int8", "bench zoo:lab_cnn --training --layers",
      "bench zoo:lab_cnn --training --pruning", "bench zoo:lab_cnn --quantize 4 --runs 3",
      "bench zoo:lab_cnn --quantize 4 --training", "runs list --ascending", "runs export --csv --ascending",
      "sweep a.lua --search gzip --factor 4", "sweep a.lua --factor 4",
      "run a.lua --no-confinement --process-memory 100",
      "plugins --no-confinement --process-memory 100",
    ]
    for line in refused {
      #expect(throws: (any Error).self, "\(line)") {
        _ = try Compress.parseAsRoot(line.split(separator: " ").map(String.init))
      }
    }
    for line in [
      "bench zoo:lab_cnn --pruning --sparsity 0.5 --runs 2", "bench zoo:lab_cnn --training --batch 4 --precision bf16",
      "bench zoo:lab_cnn --quantize 4 --threads 2", "runs list --sort gzip --ascending",
      "sweep a.lua --search gzip --budget epochs=1:9 --factor 4", "run a.lua --process-memory 100",
    ] {
      #expect(throws: Never.self, "\(line)") {
        _ = try Compress.parseAsRoot(line.split(separator: " ").map(String.init))
      }
    }
  }
}
