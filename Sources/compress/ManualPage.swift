import Diagnostics
import Foundation

/// The program's manual page, written from what it says of itself with `--help`, so that it cannot say anything else.
struct ManualPage {
  /// What ArgumentParser tells of a program (`--experimental-dump-help`), as far as a manual needs it.
  private struct Tool: Decodable { let command: Command }

  private struct Command: Decodable {
    let commandName: String
    let abstract: String?
    let discussion: String?
    let shouldDisplay: Bool
    let subcommands: [Command]?
    let arguments: [Argument]?

    /// Those for people; `help` explains itself.
    var shown: [Command] { (subcommands ?? []).filter { $0.shouldDisplay && $0.commandName != "help" } }
  }

  private struct Argument: Decodable, Hashable {
    struct Name: Decodable, Hashable { let kind, name: String }

    let kind: String
    let names: [Name]?
    let valueName: String?
    let abstract: String?
    let sectionTitle: String?
    let shouldDisplay, isOptional, isRepeating: Bool
    let defaultValue: String?
    let allValues: [String]?

    /// Every command has these.
    var isCommon: Bool { ["version", "help"].contains { long in names?.contains { $0.name == long } ?? false } }
  }

  /// What users set outside of the command line.
  static let environment: [(name: String, meaning: String)] = [
    ("COMPRESS_DATA", "The folder with data sets, where --data names none."),
    ("COMPRESS_ISA", "scalar, avx2 or avx512: kernels of a lesser instruction set than the machine has."),
    ("COMPRESS_MIRROR", "Addresses to fetch data sets from instead of the publishers', separated by spaces."),
    ("COMPRESS_PLUGINS", "The folder of the shipped plugins, instead of those in the program."),
    ("COMPRESS_RUNNERS", "A folder with compress-runner-x86_64 and compress-runner-aarch64, for --on."),
    ("HOME", "What the folders below are found in where the next three variables are not set."),
    ("XDG_CACHE_HOME", "Its folder compress holds finished stages and fetched data (~/.cache)."),
    ("XDG_CONFIG_HOME", "Its folder compress/plugins holds plugins of your own (~/.config)."),
    ("XDG_DATA_HOME", "Its folder compress holds the record of all runs, and sweeps (~/.local/share)."),
    ("TMPDIR", "Where files go that nobody needs after the run."),
    ("NO_COLOR", "Set: no colours."),
    ("TERM", "dumb: no colours, and no progress that writes over itself."),
    ("MLFLOW_TRACKING_TOKEN, MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD", "Who logs with --mlflow."),
    ("PATH", "Where Slurm's programs are found, for sweep --on slurm."),
  ]

  static let examples: [(command: String, meaning: String)] = [
    ("compress new pipeline mine", "Writes mine.lua, a pipeline to start from."),
    ("compress run mine.lua --out results --set sparsity=0.9", "Runs it with another value of one of its params."),
    ("compress inspect net.onnx", "Shows a model that was made elsewhere."),
    ("compress convert net.onnx net.tflite", "Writes it in another format, and says what that does not keep."),
    ("compress pack net.cmpr", "Writes net.cmpz, as small as it gets without loss; all commands open it."),
    ("compress bench zoo:resnet50 --precision int8 --layers", "Times a network of the zoo, layer by layer."),
    ("compress runs list --where 'accuracy>0.97' --sort gzip", "Lists what was run."),
  ]

  private static let files: [(name: String, meaning: String)] = [
    ("~/.cache/compress", "Finished stages, and data sets that data get fetched."),
    ("~/.config/compress/plugins", "Plugins of your own, for every pipeline."),
    ("~/.local/share/compress", "The record of all runs; sweeps without --out."),
    (
      ".cmpr, .cmpz",
      "The native model file, and the packed one; ONNX, TFLite, Keras, PyTorch and safetensors files are read, too."
    ),
  ]

  /// In roff, for man(1).
  let text: String

  /// - Parameter help: what `--experimental-dump-help` prints.
  /// - Throws: `CompressError` when it cannot be read.
  init(help: String, version: String) throws {
    let root: Command
    do { root = try JSONDecoder().decode(Tool.self, from: Data(help.utf8)).command } catch {
      throw CompressError("the description of the command line cannot be read: \(error)")
    }
    let paragraphs = (root.discussion ?? "").components(separatedBy: "\n\n")
    let exit = "Exit status: "
    var page = Page()
    let title = Page.quoted(root.commandName.uppercased()), program = Page.quoted("\(root.commandName) \(version)")
    page.line(".TH \(title) 1 \"\" \(program)")
    page.section("NAME")
    page.text("\(root.commandName) - \((root.abstract ?? "").droppingPeriod.loweringFirst)")
    page.section("SYNOPSIS")
    page.line(".B \(Page.escaped(root.commandName))")
    page.line(".I \(Page.escaped("command"))")
    page.text("[options] [arguments]")
    page.section("DESCRIPTION")
    page.paragraphs(paragraphs.filter { !$0.hasPrefix(exit) })
    page.section("COMMANDS")
    for command in root.shown { page.command(command, called: root.commandName) }
    page.section("OPTIONS OF SEVERAL COMMANDS")
    page.arguments((root.arguments ?? []).filter(\.isCommon))
    for (title, arguments) in Self.titled(root) {
      page.subsection(title)
      page.arguments(arguments)
    }
    page.section("EXAMPLES")
    for (command, meaning) in Self.examples { page.item(Page.bold(command), meaning) }
    page.section("ENVIRONMENT")
    for (name, meaning) in Self.environment { page.item(Page.bold(name), meaning) }
    page.section("FILES")
    for (name, meaning) in Self.files { page.item(Page.italic(name), meaning) }
    if let statuses = paragraphs.first(where: { $0.hasPrefix(exit) })?.dropFirst(exit.count) {
      page.section("EXIT STATUS")
      for status in String(statuses).droppingPeriod.components(separatedBy: "; ") {
        let parts = status.split(separator: " ", maxSplits: 1)
        page.item(Page.bold(String(parts[0])), parts.dropFirst().first.map { $0 + "." } ?? "")
      }
    }
    text = page.text
  }

  /// Groups of options with a title, each once: several commands have the same.
  private static func titled(_ root: Command) -> [(title: String, arguments: [Argument])] {
    var groups: [(title: String, arguments: [Argument])] = []
    func visit(_ command: Command) {
      for argument in command.arguments ?? [] where argument.shouldDisplay {
        guard let title = argument.sectionTitle else { continue }
        if let known = groups.firstIndex(where: { $0.title == title }) {
          if !groups[known].arguments.contains(argument) { groups[known].arguments.append(argument) }
        } else {
          groups.append((title, [argument]))
        }
      }
      command.shown.forEach(visit)
    }
    visit(root)
    return groups
  }

  /// What is written so far.
  private struct Page {
    private(set) var text = ""

    mutating func line(_ line: String) { text += line + "\n" }

    mutating func text(_ words: String) { line(Self.escaped(words)) }

    mutating func section(_ title: String) { line(".SH \(Self.quoted(title))") }

    mutating func subsection(_ title: String) { line(".SS \(Self.quoted(title))") }

    mutating func paragraphs(_ paragraphs: [String]) {
      for (index, paragraph) in paragraphs.filter({ !$0.isEmpty }).enumerated() {
        if index > 0 { line(".PP") }
        text(paragraph.replacing("\n", with: " "))
      }
    }

    mutating func item(_ term: String, _ meaning: String) {
      line(".TP")
      line(term)
      text(meaning)
    }

    mutating func command(_ command: Command, called parent: String) {
      let name = "\(parent) \(command.commandName)"
      guard command.shown.isEmpty else {
        for subcommand in command.shown { self.command(subcommand, called: name) }
        return
      }
      let own = (command.arguments ?? []).filter { $0.shouldDisplay && !$0.isCommon }
      let positional = own.filter { $0.kind == "positional" }.map { argument in
        let value = (argument.valueName ?? "") + (argument.isRepeating ? " …" : "")
        return argument.isOptional ? "[\(value)]" : value
      }
      subsection(([name] + positional).joined(separator: " "))
      paragraphs([command.abstract ?? ""] + (command.discussion ?? "").components(separatedBy: "\n\n"))
      arguments(own.filter { $0.sectionTitle == nil })
      var titles: [String] = []
      for case let title? in own.map(\.sectionTitle) where !titles.contains(title) { titles.append(title) }
      guard !titles.isEmpty else { return }
      line(".PP")
      text("Also, below: \(titles.joined(separator: "; ")).")
    }

    mutating func arguments(_ arguments: [Argument]) {
      for argument in arguments {
        let value = argument.valueName ?? "value"
        var term = Self.italic(value)
        if argument.kind != "positional" {
          let names = (argument.names ?? []).map { Self.bold(($0.kind == "long" ? "--" : "-") + $0.name) }
          term = names.joined(separator: ", ") + (argument.kind == "option" ? " " + Self.italic(value) : "")
        }
        var meaning = argument.abstract ?? ""
        if argument.isRepeating, argument.kind == "option" { meaning += " May be given several times." }
        if let standard = argument.defaultValue { meaning += " Default: \(standard)." }
        if let values = argument.allValues, !values.allSatisfy(meaning.contains) {
          meaning += " One of: \(values.joined(separator: ", "))."
        }
        item(term, meaning)
      }
    }

    static func bold(_ text: String) -> String { "\\fB\(escaped(text))\\fR" }

    static func italic(_ text: String) -> String { "\\fI\(escaped(text))\\fR" }

    /// As the argument of a macro.
    static func quoted(_ text: String) -> String { "\"\(escaped(text).replacing("\"", with: "\\(dq"))\"" }

    /// Text that roff takes for nothing else. Hyphens are written as the sign that can be copied into a shell.
    static func escaped(_ text: String) -> String {
      let escaped = text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
        .replacing("~", with: "\\(ti").replacing("^", with: "\\(ha").replacing("`", with: "\\(ga")
      return escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&" + escaped : escaped
    }
  }
}

extension String {
  fileprivate var droppingPeriod: String { hasSuffix(".") ? String(dropLast()) : self }

  fileprivate var loweringFirst: String { prefix(1).lowercased() + dropFirst() }
}
