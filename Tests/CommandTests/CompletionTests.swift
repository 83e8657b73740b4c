import ArgumentParser
import Foundation
import Testing

@testable import compress

/// What the program answers a shell in which Tab was pressed, and its manual page.
@Suite struct CompletionTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// - Parameters:
  ///   - argument: as the shell's script calls it: an option, or `positional@0`.
  ///   - line: the words, the last of which is asked for.
  private func offered(_ command: String, _ argument: String, _ line: [String], at index: Int? = nil) throws
    -> [String]
  {
    let index = index ?? line.count - 1
    let outcome = try compress(
      ["---completion"] + command.split(separator: " ").map(String.init)
        + ["--", argument, String(index), String(line[index].count)] + line,
      cache: folder, workingIn: folder.path)
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    return outcome.output.split(separator: "\n").map(String.init)
  }

  private func write(_ text: String, _ name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder.path)/\(name)"))
  }

  @Test func networksAndFiles() throws {
    try FileManager.default.createDirectory(atPath: folder.path + "/zoos/one", withIntermediateDirectories: true)
    for name in ["zoos/one/a.onnx", "net.onnx", "$(touch x).onnx", "`touch x`.onnx", "a b.onnx", ".hidden.onnx"] {
      try write("", name)
    }
    #expect(
      try offered("bench", "positional@0", ["compress", "bench", "zoo:resnet1"])
        == ["zoo:resnet18", "zoo:resnet18_cifar"])
    // A folder that is the only one is gone into, as deep as there is nothing else.
    #expect(try offered("bench", "positional@0", ["compress", "bench", "zoos"]) == ["zoos/one/a.onnx"])
    #expect(try offered("bench", "positional@0", ["compress", "bench", "n"]) == ["net.onnx"])
    #expect(try offered("bench", "positional@0", ["compress", "bench", "nothing/"]).isEmpty)
    let evaluate = ["compress", "evaluate", "net.onnx", "--on"]
    #expect(try offered("evaluate", "--on", evaluate + ["mn"]) == ["mnist"])
    #expect(try offered("evaluate", "--on", evaluate + ["zoos/"]) == ["zoos/one/a.onnx"])
    // bash expands what it is told to offer: names that would be commands then are left out.
    for name in ["$", "`", "a"] {
      #expect(try offered("bench", "positional@0", ["compress", "bench", name]).isEmpty, "\(name)")
    }
  }

  @Test func pluginsWithThoseOfAFolder() throws {
    try FileManager.default.createDirectory(atPath: folder.path + "/own/pruning", withIntermediateDirectories: true)
    try write("", "own/pruning/int9.lua")
    let line = ["compress", "plugins", "int", "--plugins", "own"]
    #expect(try offered("plugins", "positional@0", line, at: 2) == ["int4", "int8", "int9"])
    let pruning = try offered("bench", "--strategy", ["compress", "bench", "--strategy", ""])
    #expect(pruning.contains("global_magnitude") && !pruning.contains("int8") && !pruning.contains("cosine"))
  }

  @Test func paramsOfTheScript() throws {
    try write(
      """
      local p = params {
        sparsity = { 0.5, min = 0 }, samples = 10, quick = false, how = { "a", choices = { "a", "b" } },
      }
      error "the rest is not run"
      """, "p.lua")
    func offered(_ text: String, _ script: String = "p.lua", _ option: String = "--set") throws -> [String] {
      let command = option == "--set" ? "run" : "sweep"
      let before = try self.offered(command, option, ["compress", command, option, text, script], at: 3)
      #expect(try self.offered(command, option, ["compress", command, script, option, text]) == before)
      return before
    }
    #expect(try offered("s").sorted() == ["samples=", "sparsity="])
    #expect(try offered("").count == 4)
    #expect(try offered("how=") == ["how=a", "how=b"] && offered("how=b") == ["how=b"])
    #expect(try offered("quick=") == ["quick=true", "quick=false"])
    #expect(try offered("sparsity=").isEmpty)
    #expect(try offered("q", "p.lua", "--grid") == ["quick="])
    try write("return sweep { script = \"p.lua\", grid = { sparsity = { 0.5 } } }", "sweep.lua")
    #expect(try offered("q", "sweep.lua") == ["quick="])
    // A script that does not get as far, never ends, or names params as commands: nothing, and no word of it.
    try write("local p = nonsense()", "broken.lua")
    try write("while true do end", "endless.lua")
    try write("local p = params { ['$(touch x)'] = 1 }", "hostile.lua")
    for script in ["broken.lua", "endless.lua", "hostile.lua", "nowhere.lua"] {
      #expect(try offered("", script).isEmpty, "\(script)")
    }
  }

  @Test func runs() throws {
    #expect(try offered("runs show", "positional@0", ["compress", "runs", "show", ""]).isEmpty)
    // To look made none.
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/data/compress/runs.sqlite"))
    try write("train(zoo.lab_cnn(), { data = dataset('digits').train:take(64) })", "p.lua")
    #expect(try compress(["run", "p.lua"], cache: folder, workingIn: folder.path).status == 0)
    #expect(try offered("runs show", "positional@0", ["compress", "runs", "show", ""]) == ["1"])
    #expect(try offered("runs compare", "positional@0", ["compress", "runs", "compare", "2"]).isEmpty)
    #expect(try compress(["runs", "label", "1", "--name", "first"], cache: folder).status == 0)
    #expect(try offered("runs show", "positional@0", ["compress", "runs", "show", "f"]) == ["first"])
  }

  /// The commands for people, with what they take.
  static func commands() throws -> [(name: String, arguments: [[String: Any]])] {
    let help = try JSONSerialization.jsonObject(with: Data(Compress._dumpHelp().utf8)) as? [String: Any]
    func visit(_ command: [String: Any], _ above: String) -> [(name: String, arguments: [[String: Any]])] {
      guard command["shouldDisplay"] as? Bool == true, let name = command["commandName"] as? String, name != "help"
      else { return [] }
      let own = (above + name, command["arguments"] as? [[String: Any]] ?? [])
      let below = command["subcommands"] as? [[String: Any]] ?? []
      return [own] + below.flatMap { visit($0, above + name + " ") }
    }
    return visit(help?["command"] as? [String: Any] ?? [:], "")
  }

  /// Shells offer nothing at all for what says nothing of itself, not even files.
  @Test func everyFileAndNameCompletes() throws {
    let free = ["compress new name", "compress repl arguments"]
    let names = ["dir", "file", "folder", "script", "model"]
    var seen = 0
    for (command, arguments) in try Self.commands() {
      for argument in arguments {
        let name = argument["valueName"] as? String ?? ""
        guard argument["kind"] as? String == "positional" || names.contains(name) else { continue }
        seen += 1
        #expect(
          argument["completionKind"] != nil || free.contains("\(command) \(name)"),
          "\(command) \(name): give it a completion, or list it here")
      }
    }
    #expect(seen >= 20)
  }

  @Test func theManualTellsEverything() throws {
    let text = try ManualPage(help: Compress._dumpHelp(), version: "1.2.3").text
    #expect(text.hasPrefix(".TH \"COMPRESS\" 1 \"\" \"compress 1.2.3\"\n"))
    let commands = try Self.commands()
    for (name, arguments) in commands.dropFirst() {
      let isAlone = text.contains(".SS \"\(name)\"\n")
      if commands.contains(where: { $0.name.hasPrefix(name + " ") }) {
        #expect(!isAlone, "\(name) is a group")
      } else {
        #expect(isAlone || text.contains(".SS \"\(name) "), "\(name)")
      }
      for argument in arguments {
        for case let option as [String: String] in argument["names"] as? [Any] ?? [] where option["kind"] == "long" {
          let word = "\\fB\\-\\-\((option["name"] ?? "").replacing("-", with: "\\-"))\\fR"
          #expect(text.contains(word), "\(name) \(word)")
        }
      }
    }
    #expect(!text.contains("\"compress measure") && !text.contains("\"compress point"))
    for status in ["0", "2", "3", "4", "5", "64", "130"] { #expect(text.contains(".TP\n\\fB\(status)\\fR\n")) }
    // Text of ours that roff would take for a request.
    let requests = [".TH", ".SH", ".SS", ".TP", ".PP", ".B ", ".I "]
    for line in text.split(separator: "\n") where line.hasPrefix(".") || line.hasPrefix("'") {
      #expect(requests.contains { line.hasPrefix($0) }, "\(line)")
    }
    for example in ManualPage.examples {
      for command in DocumentationTests.commands(example.command) {
        #expect(throws: Never.self, "\(example.command)") { _ = try Compress.parseAsRoot(command) }
      }
    }
    #expect(throws: (any Error).self) { _ = try ManualPage(help: "{}", version: "1") }
  }

  /// Every variable of the environment that the program asks for, by name.
  @Test func theManualNamesTheEnvironment() throws {
    let known = Set(ManualPage.environment.flatMap { $0.name.components(separatedBy: ", ") })
    let files = FileManager.default.enumerator(atPath: sourceRoot + "/Sources")?.compactMap { $0 as? String } ?? []
    var asked: Set<String> = []
    for file in files where file.hasSuffix(".swift") {
      let text = try String(contentsOfFile: "\(sourceRoot)/Sources/\(file)", encoding: .utf8)
      for match in text.matches(of: #/(?:environment|getenv)[\(\[]"([A-Z_]+)"/#) { asked.insert(String(match.1)) }
    }
    #expect(asked.count >= 10 && asked.subtracting(known).isEmpty, "\(asked.subtracting(known))")
  }
}
