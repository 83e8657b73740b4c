import ArgumentParser
import Confinement
import Diagnostics
import Foundation
import Pipeline
import Reports

/// `compress cache list|gc|verify`.
struct CacheCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cache", abstract: "See, tidy and check the finished stages that runs keep.",
    subcommands: [List.self, Collect.self, Verify.self])

  /// The user's, and nothing else for this process from now on.
  private static func store(_ confinement: ConfinementOptions) throws -> StageStore {
    let store = try StageStore.ofUser()
    try confinement.confine(Rights(writable: [store.root]))
    return store
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "List the stages, the one used last first.")

    @Flag(help: "One JSON object: folder, stages with kind, label, key, used and bytes, and what else there is.")
    var json = false

    @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

    func run() throws {
      let store = try CacheCommand.store(confinement)
      let terminal = Terminal(.output), contents = try store.contents()
      if json { return try terminal.writeJSON(CacheContents(contents, folder: store.root)) }
      if !contents.stages.isEmpty {
        var table = TextTable([
          TextTable.Column("stage", .left), TextTable.Column("", .left, cutTo: 24),
          TextTable.Column("key", .left, leftOut: 1), TextTable.Column("last used", .right),
          TextTable.Column("size", .right),
        ])
        for item in contents.stages {
          table.add([
            TextTable.Cell(item.kind), TextTable.Cell(item.label, .bold),
            TextTable.Cell(String(item.key.prefix(12)), .dim),
            TextTable.Cell(Age.text(Date().timeIntervalSince(item.used))), TextTable.Cell(Formatting.bytes(item.bytes)),
          ])
        }
        terminal.write(table.rendered(for: terminal) + "\n")
      }
      terminal.say(
        "\(Self.some(contents.stages.count, "stage")), \(Self.some(contents.blobs, "blob")), "
          + "\(Formatting.bytes(contents.bytes)) on disk; what stages share is stored once")
      if contents.unpacked > 0 {
        terminal.say(
          "\(Self.some(contents.unpacked, "data file")) unpacked: \(Formatting.bytes(contents.unpackedBytes))")
      }
      if contents.checkpoints > 0 {
        terminal.say(
          "\(Self.some(contents.checkpoints, "interrupted training")) that can go on: run the pipeline again")
      }
      if contents.unnamedBlobs > 0 {
        terminal.say(
          "\(Self.some(contents.unnamedBlobs, "blob")) (\(Formatting.bytes(contents.unnamedBytes))) of no use: compress cache gc"
        )
      }
      if contents.brokenStages > 0 {
        terminal.say(
          "\(Self.some(contents.brokenStages, "stage file")) broken or of another version: compress cache gc")
      }
      terminal.say(terminal.styled(store.root.escapedForTerminal, .dim))
    }

    static func some(_ count: Int, _ noun: String) -> String {
      "\(Formatting.count(count)) \(noun)\(count == 1 ? "" : "s")"
    }
  }

  struct Collect: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "gc", abstract: "Remove what no stage needs, and stages that were not used for long.",
      discussion:
        "Safe while other runs work: blobs (tensors, unpacked data) younger than an hour stay, a run may be about to name them."
    )

    @Option(
      help: ArgumentHelp("Also remove stages and unpacked data not used for so long: 12h, 30d, 8w.", valueName: "age"))
    var olderThan: Age?

    @Flag(help: "Remove every stage and all unpacked data.")
    var all = false

    func validate() throws {
      if all, olderThan != nil { throw ValidationError("--all and --older-than: give one of them") }
    }

    @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

    func run() throws {
      let removal = try CacheCommand.store(confinement).collect(unusedFor: all ? -.infinity : olderThan?.seconds)
      let terminal = Terminal(.output)
      terminal.say(
        "removed \(List.some(removal.stages, "stage")), \(List.some(removal.unpacked, "unpacked data file")) and "
          + "\(List.some(removal.blobs, "blob")), \(Formatting.bytes(removal.bytes))"
      )
      if removal.young > 0 {
        terminal.say(
          "\(List.some(removal.young, "blob")) of no use stay until they are an hour old: a run may be using them")
      }
    }
  }

  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "verify", abstract: "Read everything; remove what is broken, so that it is computed anew.")

    @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

    func run() throws {
      let result = try CacheCommand.store(confinement).verify()
      let terminal = Terminal(.output)
      for line in result.broken { terminal.say(terminal.styled("removed: ", .yellow) + line.escapedForTerminal) }
      terminal.say(
        "read \(List.some(result.stages, "stage")) and \(List.some(result.blobs, "blob")), \(Formatting.bytes(result.bytes)): "
          + (result.broken.isEmpty
            ? "all whole" : "\(result.broken.count) broken and removed; the next run computes them anew"))
    }
  }

  /// A span of time as people write it.
  struct Age: ExpressibleByArgument {
    let seconds: Double

    /// `90s`, `15m`, `12h`, `30d`, `8w`.
    init?(argument: String) {
      let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
      guard let unit = argument.last.flatMap({ units[$0] }), let number = Double(argument.dropLast()), number.isFinite,
        number >= 0
      else { return nil }
      seconds = number * unit
    }

    static func text(_ seconds: Double) -> String {
      switch seconds {
      case ..<60: "just now"
      case ..<3600: "\(Int(saturating: seconds / 60)) min ago"
      case ..<172_800: "\(Int(saturating: seconds / 3600)) h ago"
      default: "\(Int(saturating: seconds / 86_400)) days ago"
      }
    }
  }
}
