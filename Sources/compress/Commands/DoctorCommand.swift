import ArgumentParser
import Confinement
import Datasets
import Diagnostics
import Downloads
import Files
import Foundation
import Kernels
import LuaHost
import Reports
import Runtime
import Scripting

/// `compress doctor`.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Say what this machine offers, what is missing, and how to get it.")

  @Flag(help: "Also measure: multiply-adds in float32 and int8, and memory bandwidth. Takes some seconds.")
  var peak = false

  @Option(
    help: ArgumentHelp("Folder with data sets (default: $COMPRESS_DATA, then the user's cache).", valueName: "dir"),
    completion: .directory)
  var data: String?

  @Flag(help: "One JSON object: facts, each a text or several; missing; with --peak also peaks.")
  var json = false

  @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

  func run() throws {
    // What is there can be asked before some of it holds.
    let walls = Walls.available
    try Folders.checkData(data)
    try confinement.confine(
      Rights(
        readable: Rights.data(data) + PluginFolders(script: nil, given: []).readable + ChartLibrary.paths))
    let terminal = Terminal(.output)
    var missing: [String] = [], report = Report()
    func line(_ what: String, _ text: String) {
      report.add(what, text)
      guard !json else { return }
      terminal.write(
        terminal.styled(what.padding(toLength: Self.margin, withPad: " ", startingAt: 0), .bold)
          + terminal.wrapped(text.escapedForTerminal, indent: Self.margin, lead: Self.margin))
    }

    line("program", "compress \(Compress.version)")
    line("processor", Self.processor)
    line("cores", "\(ProcessInfo.processInfo.activeProcessorCount)")
    line("kernels", try Self.kernels())
    line("bf16", Self.bfloat16)
    line("memory", Formatting.bytes(Int(clamping: ProcessInfo.processInfo.physicalMemory)))
    line("Lua", LuaState.version)
    line("zlib", Gzip.zlibVersion)
    line("confinement", walls.text)
    missing += walls.missing

    if let cache = Folders.cache {
      line("cache", cache + (Self.freeSpace(cache).map { ", \(Formatting.bytes($0)) free" } ?? ""))
    } else {
      line("cache", "none")
      missing.append("a folder for the cache: set HOME or XDG_CACHE_HOME, or run with --no-cache")
    }

    let roots = DatasetCatalog.roots(data: data)
    line("data sets", "looked for in \(roots.isEmpty ? "no folder" : roots.joined(separator: ", "))")
    var fetched: [String] = []
    for name in DatasetCatalog.names {
      do {
        let pair = try DatasetCatalog.open(name, roots: roots)
        line(
          "",
          "\(name): \(Formatting.count(pair.train.count)) samples to train on, \(Formatting.count(pair.test.count)) to test with"
        )
      } catch let error as CompressError {
        line("", "\(name): not there")
        // Files that are there but broken are an error with a file; the others nobody may want.
        if error.file != nil {
          missing.append("data set \(name): \(error.description)")
        } else if PublishedDataset.all.contains(where: { $0.name == name }) {
          fetched.append(name)
        }
      }
    }
    if !fetched.isEmpty { missing.append("data sets: compress data get \(fetched.joined(separator: " "))") }

    let plugins = try PluginCatalog(folders: [])
    let entries = plugins.all(), working = entries.filter { if case .success = $0 { true } else { false } }.count
    line("plugins", "\(working), looked for in \(plugins.places.joined(separator: ", "))")
    if working == 0 { missing.append("the shipped plugins: COMPRESS_PLUGINS is set to a folder without any") }
    for case .failure(let broken) in entries {
      missing.append("plugin \(broken.name) is broken: \(broken.error.message)")
    }

    if let charts = ChartLibrary.installed() {
      line("charts", "Chart.js \(charts.version)")
    } else {
      line("charts", "none: reports show tables instead")
      missing.append("charts in reports: install the package \(ChartLibrary.package)")
    }

    if peak { report.peaks = try measure(line) }
    report.missing = missing
    if json { return try terminal.writeJSON(report) }
    guard !missing.isEmpty else { return terminal.say(terminal.styled("\n✓ ", .green) + "nothing is missing") }
    terminal.say("\nmissing:")
    for text in missing { terminal.write(terminal.told("• ", .yellow, text: text.escapedBlock)) }
  }

  /// Columns that what is told begins at.
  private static let margin = 14

  /// What was found, for other programs.
  private struct Report: Encodable {
    struct Peak: Encodable {
      let threads: Int
      /// Multiply-adds a second of matrix products, and bytes a second.
      let float32, int8, bytesRead: Double

      private enum CodingKeys: String, CodingKey { case threads, float32, int8, bytesRead = "bytes_read" }
    }

    private(set) var facts: [String: [String]] = [:]
    var missing: [String] = []
    var peaks: [Peak]?
    private var last = ""

    private enum CodingKeys: String, CodingKey { case facts, missing, peaks }

    /// - Parameter what: empty: it belongs to the one before.
    mutating func add(_ what: String, _ text: String) {
      if !what.isEmpty { last = what }
      facts[last, default: []].append(text)
    }
  }

  private func measure(_ line: (String, String) -> Void) throws -> [Report.Peak] {
    var found: [Report.Peak] = []
    let all = ProcessInfo.processInfo.activeProcessorCount
    for threads in all == 1 ? [1] : [1, all] {
      let peaks = try MachinePeaks(pool: ThreadPool(threads: threads))
      found.append(
        Report.Peak(
          threads: threads, float32: peaks.floatMACs, int8: peaks.integerMACs, bytesRead: peaks.bytesRead))
      line(
        threads == 1 ? "on 1 thread" : "on \(threads)",
        String(
          format: "float32 %.1f, int8 %.1f billion multiply-adds a second (matrix products); memory %.1f GB/s read",
          peaks.floatMACs / 1e9, peaks.integerMACs / 1e9, peaks.bytesRead / 1e9))
    }
    return found
  }

  private static func kernels() throws -> String {
    let cap = try InstructionSet.environmentCap()
    let best = InstructionSet.best(under: nil), current = InstructionSet.current
    let reason =
      if let cap {
        cap == current ? "as COMPRESS_ISA asks" : "COMPRESS_ISA asks for \(cap.rawValue), which this machine lacks"
      } else {
        "the best this machine runs"
      }
    return current.reportName + ", \(reason)" + (current == best ? "" : "; \(best.reportName) would be faster")
  }

  private static var bfloat16: String {
    do {
      try ProductPrecision.bfloat16.validate()
      return "the CPU has AVX512_BF16: train(…, { precision = \"bf16\" }) may be asked for"
    } catch {
      return "none: \(error.message)"
    }
  }

  private static var processor: String {
    let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let model = info.split(separator: "\n").first { $0.hasPrefix("model name") }?.split(separator: ":").last
    return model.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
  }

  /// Of the nearest folder that exists.
  private static func freeSpace(_ path: String) -> Int? {
    var folder = path
    while !Folders.exists(folder), Folders.parent(of: folder) != folder { folder = Folders.parent(of: folder) }
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder)
    return (attributes?[.systemFreeSize] as? NSNumber)?.intValue
  }
}
