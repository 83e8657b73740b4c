import ArgumentParser
import Confinement
import Datasets
import Diagnostics
import Downloads
import Files
import Pipeline
import Reports

/// `compress data list|get`.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "See and fetch the data sets that scripts know by name.",
    subcommands: [List.self, Get.self])

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "List the data sets, where they are, and what can be fetched.")

    @Option(
      help: ArgumentHelp("Folder with data sets (default: $COMPRESS_DATA, then the user's cache).", valueName: "dir"),
      completion: .directory)
    var data: String?

    @Flag(help: "A JSON array, one object a data set: name, train and test, or error; fetches: bytes, where it can be.")
    var json = false

    @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

    /// One data set; without samples it is not there.
    private struct Entry: Encodable {
      let name: String
      /// What it is, of those that can be fetched.
      let summary: String?
      /// Samples.
      var train, test: Int?
      /// What is wrong with files that are there.
      var error: String?
      /// Bytes that fetching it takes; nil where it cannot be fetched.
      let fetches: Int?

      init(_ name: String, roots: [String]) throws {
        let published = PublishedDataset.all.first { $0.name == name }
        self.name = name
        summary = published?.summary
        fetches = published?.bytes
        do {
          let pair = try DatasetCatalog.open(name, roots: roots)
          (train, test) = (pair.train.count, pair.test.count)
        } catch let error as CompressError {
          // Files that are there but broken are an error with a file.
          if error.file != nil { self.error = error.description }
        }
      }

      var state: String {
        if let error { return error }
        return fetches.map { "not there; compress data get \(name) fetches \(Formatting.bytes($0))" } ?? "not there"
      }
    }

    func run() throws {
      try confinement.confine(Rights(readable: Rights.data(data)))
      let terminal = Terminal(.output)
      let roots = DatasetCatalog.roots(data: data)
      let entries = try DatasetCatalog.names.map { try Entry($0, roots: roots) }
      if json { return try terminal.writeJSON(entries) }
      var table = TextTable([("data set", .left), ("train", .right), ("test", .right), ("", .left)])
      for entry in entries {
        if let train = entry.train, let test = entry.test {
          table.add([
            TextTable.Cell(entry.name, .bold), TextTable.Cell(Formatting.count(train)),
            TextTable.Cell(Formatting.count(test)), TextTable.Cell(entry.summary ?? ""),
          ])
        } else {
          table.add([TextTable.Cell(entry.name, .dim), "", "", TextTable.Cell(entry.state, .dim)])
        }
      }
      terminal.write(table.rendered(for: terminal) + "\n")
      terminal.say(
        terminal.styled(
          "looked for in \(roots.isEmpty ? "no folder" : roots.joined(separator: ", "))".escapedForTerminal, .dim))
    }
  }

  struct Get: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "get", abstract: "Fetch data sets, verified, to where scripts look for them.",
      discussion: """
        There are: \(PublishedDataset.all.map(\.name).joined(separator: ", ")). A download that was stopped goes on \
        where it was; what is there and whole is not fetched again. A mirror holds the files in a folder of the data \
        set's name, or itself; $COMPRESS_MIRROR names mirrors, too, separated by spaces.
        """)

    @Argument(
      help: ArgumentHelp("Which ones.", valueName: "name"), completion: .list(PublishedDataset.all.map(\.name)))
    var names: [String]

    @Option(
      parsing: .singleValue,
      help: ArgumentHelp("Fetch from here instead of the publishers; may be given several times.", valueName: "url"))
    var mirror: [String] = []

    @Option(
      help: ArgumentHelp("Folder with data sets (default: $COMPRESS_DATA, then the user's cache).", valueName: "dir"),
      completion: .directory)
    var data: String?

    @Option(
      parsing: .unconditional,
      help: ArgumentHelp("Give a mirror up after so many seconds without a byte.", valueName: "seconds"))
    var timeout = 60.0

    func validate() throws {
      guard timeout > 0, timeout <= 3600 else { throw ValidationError("--timeout: from 0 to 3600 seconds") }
    }

    @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

    func run() throws {
      let wanted = try names.map(PublishedDataset.named)
      guard let root = DatasetCatalog.roots(data: data).first else {
        throw CompressError(
          "there is no folder for data", kind: .system, hint: "set HOME or XDG_CACHE_HOME, or name one with --data")
      }
      // What comes from the network is unpacked here.
      try Folders.create(root)
      try confinement.confine(Rights(writable: [root], network: true))
      let progress = TerminalProgress(), cancellation = Cancellation(), signals = StopSignals(cancellation)
      defer { signals.stop() }
      var downloader = Downloader()
      downloader.timeout = timeout
      downloader.mirrors =
        mirror.isEmpty ? (Folders.environment("COMPRESS_MIRROR") ?? "").split(separator: " ").map(String.init) : mirror
      downloader.onNote = progress.note
      downloader.isCancelled = { cancellation.isRequested }
      for published in wanted {
        var file = ""
        downloader.onProgress = { name, done, total in
          if name != file {
            if !file.isEmpty { progress.end(detail: "") }
            progress.begin("\(published.name): \(name)", total: total)
            file = name
          }
          progress.update(done: done, detail: "\(Formatting.bytes(done)) of \(Formatting.bytes(total))")
        }
        let folder = "\(root)/\(published.name)"
        let result: Downloader.Result
        do { result = try downloader.fetch(published, into: folder) } catch {
          progress.abandon()
          throw error
        }
        if !file.isEmpty { progress.end(detail: "") }
        let there = result.fetched.isEmpty ? "was there already, verified" : "fetched and verified"
        Terminal(.output).say("\(published.name) \(there): \(folder)".escapedForTerminal)
      }
    }
  }
}

extension PublishedDataset {
  /// What fetching it takes.
  fileprivate var bytes: Int { files.reduce(0) { $0 + $1.bytes } }
}
