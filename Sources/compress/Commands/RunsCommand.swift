import ArgumentParser
import Confinement
import Diagnostics
import Experiments
import Foundation
import Reports
import Runs

/// `compress runs list|show|compare|export|gc`.
struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs", abstract: "See, compare and export what was run.",
    discussion: """
      Every run is recorded in $XDG_DATA_HOME/compress/runs.sqlite (or ~/.local/share/compress): its params, stages, \
      metrics, files and environment.
      """,
    subcommands: [List.self, Show.self, Compare.self, Label.self, Export.self, Collect.self])

  /// The user's, and nothing else for this process from now on.
  private static func store(_ confinement: ConfinementOptions) throws -> RunStore {
    let scratch = try Scratch.begin()
    try Broker.seal()
    try confinement.confine(Rights(writable: [scratch] + Rights.runs))
    return try RunStore.ofUser()
  }

  /// Which rows.
  struct Selection: ParsableArguments {
    @Option(
      parsing: .singleValue,
      help: ArgumentHelp(
        "Only what meets the condition, on a param, metric or column: accuracy>=0.97, sparsity=0.8, status=failed, script=*lab*.",
        valueName: "condition"))
    var `where`: [String] = []

    @Option(help: ArgumentHelp("The variant to look at (default: each run's last).", valueName: "name"))
    var variant: String?

    @Flag(help: "A row for every variant.")
    var allVariants = false

    @Option(parsing: .unconditional, help: ArgumentHelp("Only this sweep's runs.", valueName: "number"))
    var sweep: Int?

    @Option(help: ArgumentHelp("Order by a metric, column or param, the greatest first.", valueName: "name"))
    var sort: String?

    @Flag(help: "With --sort: the least first.")
    var ascending = false

    func validate() throws {
      if allVariants, variant != nil { throw ValidationError("--variant and --all-variants: give one of them") }
      if ascending, sort == nil { throw ValidationError("--ascending goes with --sort") }
    }

    func query() throws -> RunQuery {
      var query = RunQuery()
      query.filters = try self.where.map(RunFilter.init)
      if let sweep { query.filters.append(try RunFilter("sweep=\(sweep)")) }
      query.variants = allVariants ? .all : variant.map { .named($0) } ?? .last
      query.sort = sort
      query.isAscending = ascending
      return query
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "List runs, the newest first.")

    @OptionGroup var selection: Selection

    @Option(parsing: .unconditional, help: "Most rows; 0: all.")
    var limit = 30

    @Flag(help: "A JSON array, as export --json writes it.")
    var json = false

    @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

    func run() throws {
      let terminal = Terminal(.output), store = try RunsCommand.store(confinement)
      var query = try selection.query()
      query.limit = limit > 0 ? limit : nil
      if json { return try RunsCommand.export(query, .json, store, to: terminal) }
      let rows = try store.rows(query)
      if !rows.isEmpty { terminal.write(RunText.list(rows, for: terminal)) }
      let count = try store.count(query)
      let shown = rows.count < count ? "\(Formatting.count(rows.count)) of " : ""
      terminal.say(
        terminal.styled("\(shown)\(CacheCommand.List.some(count, "run")) in \(store.path.escapedForTerminal)", .dim))
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show everything about a run.")

    @Argument(
      help: "The run's number, the name it was given, or the beginning of its hexadecimal one.", completion: .run)
    var id: String

    @Flag(help: "One JSON object.")
    var json = false

    @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

    func run() throws {
      let terminal = Terminal(.output), found = try RunsCommand.store(confinement).run(id)
      if json { return try terminal.writeJSON(RunDetails(found)) }
      terminal.write(RunText.details(found, for: terminal))
    }
  }

  struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "compare", abstract: "Show runs beside each other: what was different, and what came of it.")

    @Argument(help: "Two runs or more.", completion: .run)
    var ids: [String]

    @Flag(help: "A JSON array, each run as show --json writes it.")
    var json = false

    func validate() throws {
      if ids.count < 2 { throw ValidationError("give two runs or more") }
    }

    @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

    func run() throws {
      let terminal = Terminal(.output), store = try RunsCommand.store(confinement)
      let runs = try ids.map(store.run)
      if json { return try terminal.writeJSON(runs.map(RunDetails.init)) }
      terminal.write(RunComparisonText(runs).rendered(for: terminal))
    }
  }

  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "export", abstract: "Write runs for other programs, one row a run and variant.")

    @OptionGroup var selection: Selection

    @Flag(help: "Comma-separated values.")
    var csv = false

    @Flag(help: "A JSON array.")
    var json = false

    func validate() throws {
      if csv == json { throw ValidationError("give one of --csv and --json") }
    }

    @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

    func run() throws {
      let store = try RunsCommand.store(confinement)
      try RunsCommand.export(try selection.query(), csv ? .csv : .json, store, to: Terminal(.output))
    }
  }

  static func export(
    _ query: RunQuery, _ format: RunExport.Format, _ store: RunStore, to terminal: Terminal
  ) throws {
    var buffer = ""
    var export = RunExport(format, params: try store.paramNames()) { text in
      buffer += text
      guard buffer.utf8.count > 1 << 16 else { return }
      terminal.writeVerbatim(buffer)
      buffer = ""
    }
    try export.begin()
    try store.forEachRow(query) { try export.add($0) }
    try export.end()
    terminal.writeVerbatim(buffer)
  }

  struct Label: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "label", abstract: "Name a run, tag it, or write a note to it.",
      discussion: "What is not mentioned stays as it is. An empty name or note takes it away.")

    @Argument(
      help: "The run's number, the name it was given, or the beginning of its hexadecimal one.", completion: .run)
    var id: String

    @Option(help: "What it is called from now on.")
    var name: String?

    @Option(name: .customLong("tag"), parsing: .singleValue, help: ArgumentHelp("A tag to add.", valueName: "tag"))
    var tags: [String] = []

    @Option(
      name: .customLong("untag"), parsing: .singleValue, help: ArgumentHelp("A tag to take away.", valueName: "tag"))
    var removed: [String] = []

    @Option(help: ArgumentHelp("What is to be remembered of it.", valueName: "text"))
    var note: String?

    @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

    func validate() throws {
      if name == nil, tags.isEmpty, removed.isEmpty, note == nil {
        throw ValidationError("say what: --name, --tag, --untag, --note")
      }
    }

    func run() throws {
      let (id, labels) = try RunsCommand.store(confinement).label(self.id) { labels in
        if let unknown = removed.first(where: { !labels.tags.contains($0) }) {
          throw CompressError("the run has no tag \"\(unknown)\"" + Suggestion.text(for: unknown, among: labels.tags))
        }
        return try RunRecord.Labels(
          name: name.map { $0.isEmpty ? nil : $0 } ?? labels.name,
          tags: (labels.tags + tags).filter { !removed.contains($0) },
          note: note.map { $0.isEmpty ? nil : $0 } ?? labels.note)
      }
      let terminal = Terminal(.output)
      let facts = [
        labels.name.map { "name \($0)" }, labels.tags.isEmpty ? nil : "tags \(labels.tags.joined(separator: ", "))",
        labels.note.map { "note \($0)" },
      ].compactMap { $0 }
      terminal.say(
        "run \(id): " + (facts.isEmpty ? "nothing is said of it" : facts.joined(separator: "; ")).escapedForTerminal)
    }
  }

  struct Collect: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "gc", abstract: "Forget runs; their files stay.")

    @Option(help: ArgumentHelp("Runs older than this: 12h, 30d, 8w.", valueName: "age"))
    var olderThan: CacheCommand.Age?

    @Flag(help: "Runs that failed or were stopped.")
    var failed = false

    @Flag(help: "Runs with a folder that is no longer there.")
    var missing = false

    @Flag(help: "Only say what would be forgotten.")
    var dryRun = false

    func validate() throws {
      if olderThan == nil, !failed, !missing {
        throw ValidationError("say which runs: --older-than AGE, --failed, --missing")
      }
    }

    @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

    func run() throws {
      var unwanted = RunStore.Unwanted()
      unwanted.olderThan = olderThan.map { Date(timeIntervalSinceNow: -$0.seconds) }
      unwanted.failed = failed
      unwanted.withoutFolder = missing
      let removal = try RunsCommand.store(confinement).collect(unwanted, isTried: dryRun)
      Terminal(.output).say(
        "\(dryRun ? "would forget" : "forgot") \(CacheCommand.List.some(removal.runs, "run")) and \(CacheCommand.List.some(removal.sweeps, "sweep"))"
          + (dryRun ? "" : ", " + Formatting.bytes(removal.bytes)))
    }
  }
}
