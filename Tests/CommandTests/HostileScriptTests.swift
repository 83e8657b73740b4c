import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Scripts of one line that mean harm: to memory, to time, to the disk, to the process, to who reads the output. Each
/// is run by the program with its own defaults and must end by itself within a minute, below 4 GB, with the exit status
/// that hostile-lines.tsv names, without a signal, and leave no more files than the defaults allow, none of them outside.
///
/// With COMPRESS_SOAK set all are run as they are; without, those that end quickly or do so under small limits.
@Suite(.serialized) struct HostileScriptTests {
  struct Line: Sendable, CustomTestStringConvertible {
    let number: Int
    let attacks: String
    let statuses: [Int32]
    let text: String

    var testDescription: String { "line \(number), \(attacks): \(text.prefix(120))" }
  }

  static let lines: [Line] = {
    let file = sourceRoot + "/Tests/CommandTests/hostile-lines.tsv"
    let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").enumerated().compactMap { index, line in
      let fields = line.split(separator: "\t", maxSplits: 2)
      guard !line.hasPrefix("#"), fields.count == 3 else { return nil }
      return Line(
        number: index + 1, attacks: String(fields[0]),
        statuses: fields[1].split(separator: ",").compactMap { Int32($0) }, text: String(fields[2]))
    }
  }()

  private static let memoryLimit = 4 << 30
  /// What may be saved, 8 GiB, and some for what is stored and printed.
  private static let diskLimit = 9 << 30
  private static let seconds = 60.0
  /// A sanitizer's shadow and quarantine are no memory of the script's.
  private static let isSanitized = ProcessInfo.processInfo.environment["ASAN_OPTIONS"] != nil

  @Test func theTableIsThere() {
    #expect(Self.lines.count >= 100)
    #expect(Set(Self.lines.map(\.attacks)) == ["memory", "time", "disk", "crash", "output"])
  }

  @Test(.enabled(if: isSoak), arguments: lines) func endsByItself(_ line: Line) throws {
    try check(line, options: [])
  }

  /// Limits so small that what is refused is refused soon; a line whose harm does not depend on them runs as ever.
  @Test(.enabled(if: !isSoak), arguments: lines.filter { $0.attacks == "crash" || $0.attacks == "output" })
  func endsByItselfUnderSmallLimits(_ line: Line) throws {
    try check(line, options: ["--lua-instructions", "50000000", "--lua-memory", "64", "--tensor-memory", "256"])
  }

  private func check(_ line: Line, options: [String]) throws {
    let folder = try LargeFolder(), work = folder.path + "/work"
    for name in ["work/out", "tmp"] {
      try FileManager.default.createDirectory(atPath: "\(folder.path)/\(name)", withIntermediateDirectories: true)
    }
    try Data(line.text.utf8).write(to: URL(fileURLWithPath: work + "/line.lua"))
    let child = try MeasuredChild(
      [program, "run", "line.lua", "--out", "out"] + options, folder: folder.path, working: work, seconds: Self.seconds)
    let said = FileManager.default.contents(atPath: child.errors) ?? Data()
    let errors = String(decoding: said.prefix(2000), as: UTF8.self)
    let story = Comment(rawValue: "\(line.testDescription)\n\(child.story)\n\(errors)")
    #expect(!child.wasKilled, "it does not end within \(Self.seconds) s: \(story.rawValue)")
    if !child.wasKilled {
      #expect(child.signal == nil, story)
      // A limit may come before the mistake does.
      #expect(line.statuses.contains(child.status) || !options.isEmpty && child.status == 4, story)
    }
    if !Self.isSanitized { #expect(child.peakBytes < Self.memoryLimit, story) }
    #expect(Self.size(of: folder.path) < Self.diskLimit, story)
    let left = Set((try? FileManager.default.contentsOfDirectory(atPath: work)) ?? [])
    #expect(left == ["line.lua", "out"], story)
    for name in [child.output, child.errors] {
      let text = (FileManager.default.contents(atPath: name) ?? Data()).prefix(1 << 20)
      #expect(!text.contains { $0 < 0x20 && $0 != 0x0A && $0 != 0x09 }, "control characters: \(story.rawValue)")
    }
    if line.attacks == "output" {
      for name in ["report.html", "results.json"] where FileManager.default.fileExists(atPath: work + "/out/" + name) {
        Issue.record("\(name) is not the program's own: \(story.rawValue)")
      }
    }
  }

  private static func size(of folder: String) -> Int {
    let names = FileManager.default.enumerator(atPath: folder)
    var total = 0
    while let name = names?.nextObject() as? String {
      var status = stat()
      if lstat("\(folder)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG { total += Int(status.st_size) }
    }
    return total
  }
}

/// A temporary folder where there is room: the usual place for them may be in memory.
private final class LargeFolder {
  let path = "/var/tmp/compress-hostile-\(UUID().uuidString)"

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A process run to its end, or ended after so many seconds, with what it held at most.
private struct MeasuredChild {
  let status: Int32
  let signal: Int32?
  let wasKilled: Bool
  let peakBytes: Int
  let elapsed: Double
  let output: String
  let errors: String

  var story: String {
    let end = wasKilled ? "ended from outside" : signal.map { "signal \($0)" } ?? "status \(status)"
    return "\(end) after \((elapsed * 10).rounded() / 10) s, \(peakBytes >> 20) MiB at most"
  }

  /// Through a shell, which sets limits beyond what is allowed, so that a failure harms this test and not the machine:
  /// 8 GB of memory, and files of 4 GB.
  init(_ command: [String], folder: String, working: String, seconds: Double) throws {
    output = folder + "/output"
    errors = folder + "/errors"
    let script = "ulimit -c 0; ulimit -d 8388608; ulimit -f 8388608; cd \"$0\" && exec \"$@\""
    var environment = ProcessInfo.processInfo.environment
    for (name, value) in [
      ("XDG_CACHE_HOME", folder + "/cache"), ("XDG_DATA_HOME", folder + "/data"), ("TMPDIR", folder + "/tmp"),
      ("COMPRESS_PLUGINS", sourceRoot + "/plugins"), ("SWIFT_BACKTRACE", "enable=no"),
    ] { environment[name] = value }
    let arguments = (["/bin/sh", "-c", script, working] + command).map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + variables { free(text) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // A group of its own: what it started ends with it.
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    var id: pid_t = 0
    let failed = posix_spawn(&id, "/bin/sh", &actions, &attributes, arguments, variables)
    try #require(failed == 0, "cannot start a process: \(failed)")
    let start = ContinuousClock.now
    var wasKilled = false, raw: Int32 = 0, peak = 0
    // The high-water mark of the process's own memory; what the system counts at its end includes this one's.
    while waitpid(id, &raw, WNOHANG) == 0 {
      if let bytes = residentPeak(ofProgram: id) { peak = max(peak, bytes) }
      if !wasKilled, ContinuousClock.now - start > .seconds(seconds) {
        wasKilled = true
        kill(-id, SIGKILL)
      }
      usleep(5_000)
    }
    kill(-id, SIGKILL)
    self.wasKilled = wasKilled
    elapsed = (ContinuousClock.now - start) / .seconds(1)
    signal = raw & 0x7F == 0 ? nil : raw & 0x7F
    status = raw >> 8 & 0xFF
    peakBytes = peak
  }
}
