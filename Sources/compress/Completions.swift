import ArgumentParser
import Confinement
import Datasets
import Experiments
import Files
import Foundation
import Network
import Scripting

/// What a shell offers when somebody presses Tab behind an argument.
///
/// The shell's script asks this program, in a process of its own. Nothing was asked for yet, so that what goes wrong
/// here is no error: nothing is offered. What scripts and plugins are asked for, they are asked confined.
extension CompletionKind {
  /// A Lua file.
  static var script: CompletionKind { .file(extensions: ["lua"]) }

  static var plugin: CompletionKind {
    asked { words, _ in try PluginFolders(script: nil, given: values(of: "--plugins", in: words)).names }
  }

  static var pruningPlugin: CompletionKind {
    asked { _, _ in
      try Rights(readable: PluginFolders(script: nil, given: []).readable).confine()
      let plugins = try PluginCatalog(folders: []).all().compactMap { try? $0.get() }
      return plugins.filter { $0.kind == "pruning" }.map(\.name)
    }
  }

  /// A model file, or `zoo:NAME`.
  static var model: CompletionKind { asked { _, prefix in paths(prefix) + Zoo.entries.map { "zoo:" + $0.name } } }

  /// `name=value`, of the script that the command line names.
  static var param: CompletionKind { asked { words, prefix in try params(words, prefix) } }

  /// A data set's name, or a folder of pictures.
  static var samples: CompletionKind { asked { _, prefix in DatasetCatalog.names + paths(prefix) } }

  static var normalization: CompletionKind { .list(Normalization.named.keys.sorted()) }

  /// A run's number, or the name it was given: some of the newest.
  static var run: CompletionKind {
    asked { _, prefix in
      // To look is no reason to make one.
      guard let folder = Folders.data, Folders.isFile(folder + "/runs.sqlite") else { return [] }
      try Rights(writable: Rights.runs).confine()
      var query = RunQuery()
      query.limit = 1000
      let known = try RunStore.ofUser().rows(query).flatMap { [$0.name, String($0.id)].compactMap { $0 } }
      return Array(known.filter { $0.hasPrefix(prefix) }.prefix(30))
    }
  }

  /// - Parameter answer: gets the words of the command line, and what there is of the one in question.
  private static func asked(_ answer: @escaping @Sendable ([String], String) throws -> [String]) -> CompletionKind {
    .custom { words, index, lastPrefix in
      // ArgumentParser (up to 1.8.2) takes the prefix from the last word, whichever was asked for.
      let prefix = index < words.count - 1 ? words[max(index, 0)] : lastPrefix
      // A shell would show it in the middle of the line.
      let nowhere = open("/dev/null", O_WRONLY)
      if nowhere >= 0 { dup2(nowhere, STDERR_FILENO) }
      return ((try? answer(words, prefix)) ?? []).filter { $0.hasPrefix(prefix) && isHarmless($0) }
    }
  }

  /// bash expands what it is told to offer, commands in it included, and names come from files and scripts of others.
  private static func isHarmless(_ text: String) -> Bool {
    text.allSatisfy { $0.isLetter || $0.isNumber || "_-./:=,+@%".contains($0) }
  }

  private static func values(of option: String, in words: [String]) -> [String] {
    zip(words, words.dropFirst()).filter { $0.0 == option }.map(\.1)
  }

  /// The files and folders that a path may go on with. Shells are done with the only answer, so that in place of a
  /// folder which is the only one there stands what is in it.
  private static func paths(_ prefix: String) -> [String] {
    let start = prefix.lastIndex(of: "/").map(prefix.index(after:)) ?? prefix.startIndex
    let folder = String(prefix[..<start]), name = prefix[start...]
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
    let paths = names.filter { $0.hasPrefix(name) && ($0.hasPrefix(".") == name.hasPrefix(".")) }.sorted().map {
      Folders.exists(folder + $0) ? "\(folder)\($0)/" : folder + $0
    }
    guard paths.count == 1, let only = paths.first, only.hasSuffix("/") else { return paths }
    let inside = self.paths(only)
    return inside.isEmpty ? paths : inside
  }

  private static func params(_ words: [String], _ prefix: String) throws -> [String] {
    guard let script = words.first(where: { $0.hasSuffix(".lua") }) else { return [] }
    let given = ["--plugins", "--data"].flatMap { option in values(of: option, in: words).flatMap { [option, $0] } }
    let options = try ScriptOptions.parse([script, "--no-cache", "--lua-seconds", "2"] + given)
    try options.rights(computes: false).confine()
    var session = try options.sessionOptions()
    if try SweepFile.looksLikeSweep(script) {
      session.script = try SweepFile(script, seed: 0, limits: session.limits).script
    }
    return try ScriptSession.declarations(of: session).flatMap { param -> [String] in
      let name = param.name + "="
      guard prefix.hasPrefix(name) else { return [name] }
      if case .bool = param.standard { return [name + "true", name + "false"] }
      return param.choices.map { name + $0 }
    }
  }
}
