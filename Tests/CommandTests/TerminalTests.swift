import Foundation
import Testing

/// What commands show on a terminal of 80 columns: no line is longer, paths apart.
@Suite struct TerminalTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private static let script = """
    local p = params { samples = { 200, min = 1, help = "how many samples the last layer is fitted to" } }
    local d = dataset "digits"
    local m = fit_last_layer(zoo.quick_cnn(), d.train:take(p.samples))
    local q = quantize(equalize(m), use "int8" { calibration = d.train:take(50) })
    local s = prune(m, use "global_magnitude" {}, { sparsity = 0.9 })
    compare {
      on = d.test:take(100), images = 30,
      { "the original network", m }, { "quantized to int8", q }, { "pruned by global magnitude", s },
    }
    """

  private static let commands = """
    run p.lua --out out
    run p.lua --set samples=100 --out out2 --name second --tag one --note hello
    run u.lua
    run wrong.lua
    run nowhere.lua
    runs list
    runs list --all-variants
    runs list --where 'nothing=1'
    runs show 1
    runs show second
    runs compare 1 2
    runs label 1 --note hello
    runs gc --older-than 30d --dry-run
    plan p.lua
    check p.lua
    plugins
    plugins int8
    plugins global_magnitude
    inspect out/models/2-quantized-to-int8.cmpr
    inspect out/models/2-quantized-to-int8.cmpr --plan
    evaluate out/models/1-the-original-network.cmpr --on digits --images 200 --report page.html
    evaluate out/models/1-the-original-network.cmpr --on digits --normalize imagnet
    compare out/models/1-the-original-network.cmpr out/models/2-quantized-to-int8.cmpr --on digits --images 100
    bench out/models/2-quantized-to-int8.cmpr --runs 20 --layers --threads 99
    bench zoo:lab_cnn --pruning --runs 1
    bench zoo:lab_cnn --training --runs 8
    bench zoo:lab_cnn --quantize 64
    convert out/models/1-the-original-network.cmpr net.onnx
    inspect net.onnx
    doctor
    data list
    cache list
    cache verify
    cache gc
    sweep p.lua --grid samples=100,200 --seeds 2 --dry-run
    sweep p.lua --grid samples=100,200 --seeds 2 --out sweep
    sweep p.lua --grid samples=abc
    new plugin mine --kind pruning
    check mine.lua
    new pipeline first
    frobnicate
    runs show
    meta --nothing
    """

  /// - Returns: everything that came, on either stream.
  private func shown(_ arguments: [String], columns: UInt16, _ environment: [String: String] = [:]) throws -> String {
    var master: Int32 = 0, terminal: Int32 = 0
    var size = winsize(ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    try #require(openpty(&master, &terminal, nil, nil, &size) == 0)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.environment = ProcessInfo.processInfo.environment.merging([
      "XDG_CACHE_HOME": folder.path + "/cache", "XDG_DATA_HOME": folder.path + "/data", "TERM": "xterm",
      "COMPRESS_PLUGINS": sourceRoot + "/plugins",
    ]) { $1 }.merging(environment) { $1 }
    for name in ["COLUMNS", "NO_COLOR"] where environment[name] == nil { process.environment?[name] = nil }
    process.standardInput = FileHandle.nullDevice
    let side = FileHandle(fileDescriptor: terminal, closeOnDealloc: true)
    process.standardOutput = side
    process.standardError = side
    try process.run()
    try side.close()
    var bytes: [UInt8] = [], buffer = [UInt8](repeating: 0, count: 4096)
    // An error when the last that wrote has ended.
    while case let count = read(master, &buffer, buffer.count), count > 0 { bytes += buffer[..<count] }
    process.waitUntilExit()
    close(master)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Each line as it stood on the terminal at some time, without colours.
  private func lines(_ text: String) -> [String] {
    text.replacing("\r\n", with: "\n").split(separator: "\n").flatMap { $0.split(separator: "\r") }.map {
      String($0.replacing(#/\u{1B}\[[0-9;]*[A-Za-z]/#, with: ""))
    }
  }

  /// A path stands in one piece, so that it can be copied.
  private func withoutPaths(_ line: String) -> Int {
    line.split(separator: " ", omittingEmptySubsequences: false).reduce(-1) { count, word in
      count + 1 + (word.contains("/") && word.count > 24 ? 1 : word.count)
    }
  }

  private func write(_ text: String, _ name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder.path)/\(name)"))
  }

  @Test func noLineIsLongerThanTheTerminal() throws {
    try write(Self.script, "p.lua")
    try write(Self.script.replacing("d.test:take(100)", with: "d.test:take(100):unlabelled()"), "u.lua")
    try write("train(zoo.lab_cnn(), { data = dataset('digits').train, learning_rates = 1e-3, epoch = 1 })", "wrong.lua")
    var counted = 0
    for line in Self.commands.split(separator: "\n") {
      let words = line.replacing("'", with: "").split(separator: " ").map(String.init)
      for shown in lines(try shown(words, columns: 80)) {
        counted += 1
        #expect(withoutPaths(shown) <= 80, "compress \(line):\n\(shown)")
      }
    }
    #expect(counted > 500)
    for (name, _) in try CompletionTests.commands() {
      let words = name.split(separator: " ").dropFirst().map(String.init)
      let help = lines(try shown(words + ["--help"], columns: 80))
      #expect(help.count > 5, "\(name)")
      for shown in help { #expect(shown.count <= 80, "\(name) --help:\n\(shown)") }
    }
  }

  /// Colours come where somebody sees them who did not say no; what is piped is whole.
  @Test func coloursAndWidthAreTheTerminals() throws {
    let plugins = try shown(["plugins"], columns: 80), bare = try shown(["plugins"], columns: 80, ["NO_COLOR": "1"])
    #expect(plugins.contains("\u{1B}[1m") && !bare.contains("\u{1B}"))
    #expect(lines(plugins) == lines(bare))
    let piped = try compress(["plugins"], cache: folder).output
    #expect(!piped.contains("\u{1B}") && piped.split(separator: "\n").contains { $0.count > 80 })
    let wide = lines(try shown(["plugins"], columns: 200))
    #expect(wide.count < lines(plugins).count && wide.allSatisfy { $0.count <= 200 })
    // A usage that is too long goes on behind its first word.
    let help = lines(try shown(["runs", "gc", "--help"], columns: 80))
    let usage = help.filter { $0.contains("--process-memory <mib>]") }
    #expect(usage.count == 1 && usage[0].hasPrefix("       "), "\(usage)")
  }
}
