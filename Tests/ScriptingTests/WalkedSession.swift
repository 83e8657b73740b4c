import CLuaBridge
import Foundation
import Kernels
import Pipeline
import Testing

@testable import LuaHost
@testable import Scripting

/// A test of this bundle run in a process of its own, which may crash, hang or be ended.
struct WalkChild {
  static let environment = ProcessInfo.processInfo.environment
  /// Set in the child: its folder.
  static let folder = environment["COMPRESS_WALK_FOLDER"]
  static let isWhole = environment["COMPRESS_SOAK"] != nil || environment["COMPRESS_WALK"] == "whole"
  /// A sanitizer keeps what was freed for a while, so what it holds tells nothing.
  static let isSanitized = environment["ASAN_OPTIONS"] != nil

  let endedWell: Bool
  /// How it ended, in which call, and the end of what it said.
  let story: String

  /// - Parameter test: `SuiteName/testName`.
  init(running test: String, in folder: ScriptFolder, seconds: Double) throws {
    let child = Process()
    child.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
    child.arguments = ["--testing-library", "swift-testing", "--filter", test]
    child.environment = Self.environment.merging(["COMPRESS_WALK_FOLDER": folder.path]) { $1 }
    let output = folder.path + "/output"
    _ = FileManager.default.createFile(atPath: output, contents: nil)
    child.standardOutput = FileHandle(forWritingAtPath: output)
    child.standardError = child.standardOutput
    child.standardInput = FileHandle.nullDevice
    try child.run()
    let id = child.processIdentifier
    let timer = DispatchSource.makeTimerSource()
    timer.schedule(deadline: .now() + seconds)
    timer.setEventHandler { kill(id, SIGKILL) }
    timer.resume()
    child.waitUntilExit()
    timer.cancel()
    endedWell = child.terminationReason == .exit && child.terminationStatus == 0
    let call = FileManager.default.contents(atPath: folder.path + "/call").map { String(decoding: $0, as: UTF8.self) }
    let said = FileManager.default.contents(atPath: output) ?? Data()
    let end = child.terminationReason == .exit ? "status" : "signal"
    let words = String(decoding: said.suffix(4000), as: UTF8.self)
    story = "\(end) \(child.terminationStatus) in call \(call ?? "none")\n\(words)"
  }
}

/// The call under way, in a file that outlives the process.
final class WalkTrace {
  private let file: Int32

  init(_ folder: String) throws {
    file = open(folder + "/call", O_WRONLY | O_CREAT, 0o600)
    try #require(file >= 0)
  }

  deinit { close(file) }

  func note(_ number: Int, _ call: String) {
    var text = Array("\(number) \(call.prefix(480))".utf8.prefix(500))
    text += [UInt8](repeating: 0x20, count: 500 - text.count) + [0x0A]
    _ = pwrite(file, text, text.count, 0)
  }
}

/// Memory of this process that is in use, in bytes.
enum ResidentMemory {
  static var now: Int { field("VmRSS:") }
  static var peak: Int { field("VmHWM:") }

  /// The peak starts anew from what is in use now, which is given back to the system as far as possible.
  static func startAnew() {
    // Glibc has it; its module for Swift has not.
    if let trim = dlsym(nil, "malloc_trim") { _ = unsafeBitCast(trim, to: (@convention(c) (Int) -> Int32).self)(0) }
    let file = open("/proc/self/clear_refs", O_WRONLY)
    _ = write(file, "5", 1)
    close(file)
  }

  private static func field(_ name: String) -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix(name) } ?? ""
    return (Int(line.split { $0 == " " || $0 == "\t" }.dropFirst().first ?? "0") ?? 0) << 10
  }
}

/// A session that runs walk.lua, with what it asks of the host.
struct WalkedSession {
  let session: ScriptSession
  /// Everything that is defined for scripts: has to be among what the walk finds.
  let expected: [String]

  var state: LuaState { session.state }

  /// Lets go of what was recorded: the policies among it keep the session alive.
  func close() {
    session.stages = []
    session.comparison = nil
  }

  init(_ folder: String, _ limits: LuaLimits) throws {
    let script = folder + "/walk.lua"
    if !FileManager.default.fileExists(atPath: script) {
      for (name, text) in Self.files { try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)")) }
      try FileManager.default.copyItem(atPath: sourceRoot + "/Tests/ScriptingTests/walk.lua", toPath: script)
    }
    let executor = Executor(context: StageContext(pool: try ThreadPool(threads: 1)), store: nil)
    var options = ScriptSession.Options(script: script)
    options.plugins = [sourceRoot + "/plugins"]
    options.out = folder + "/out"
    options.limits = limits
    session = try ScriptSession(options, executor: executor, print: { _ in })
    let state = session.state, members = Self.members(of: state)
    expected = Self.expected(of: state)
    try state.define("walk_globals", value: .table(Self.globals(of: state)))
    try state.define("walk_members", value: .table(state.makeTable(members.map { .string($0) })))
    try state.define("walk_keys", value: .table(state.makeTable(Self.keys.map { .string($0) })))
    state.define("walk_class") { arguments in
      guard case .object(let object) = arguments[0] else { return [.string("none")] }
      return [.string(arguments.state.entry(for: object)?.name ?? "none")]
    }
    state.define("walk_collect") { arguments in
      arguments.state.collectGarbage()
      return []
    }
  }

  static let files = [
    "walk_schedule.lua": """
      return plugin { kind = "schedule", summary = "s", options = { f = { type = "schedule" } },
        at = function(t, options) return options.f(t) end }
      """,
    "walk_pruning.lua": """
      return plugin { kind = "pruning", summary = "s", options = { f = { type = "schedule" } },
        score = function(layer, ctx) return ctx.options.f(layer) end }
      """,
    "walk_needs.lua": """
      return plugin { kind = "pruning", summary = "s", options = { f = { type = "schedule" } },
        needs = { "gradient", "activations" },
        gather = function(layer, gathered, ctx) return ctx.options.f(layer, gathered) end,
        score = function(layer, ctx) return ctx.options.f(layer) end }
      """,
    "walk_quantization.lua": """
      return plugin { kind = "quantization", summary = "s", options = { f = { type = "schedule" } },
        assign = function(layer, options) return options.f(layer) end }
      """,
  ]

  /// What every script can read, before the hooks of the walk were added.
  static func globals(of state: LuaState) throws -> LuaTable {
    clua_push_globals(state.L)
    let globals = try #require(state.popValue().table), copy = try state.makeTable()
    for (key, value) in globals.pairs { if let name = key.string { try copy.set(name, value) } }
    return copy
  }

  /// `Tensor:abs` for a method, `Tensor.count` for a property.
  static func members(of state: LuaState) -> [String] {
    state.definitions.compactMap { definition in
      guard let owner = definition.owner else { return nil }
      switch definition.kind {
      case .method: return "\(owner):\(definition.name)"
      case .property: return "\(owner).\(definition.name)"
      case .function, .operation: return nil
      }
    } + state.classes.values.map { "\($0.name):close" }
  }

  /// Everything that is defined for scripts has to be among what the walk finds.
  static func expected(of state: LuaState) -> [String] {
    state.definitions.compactMap { definition in
      switch definition.kind {
      case .function: definition.owner.map { "\($0).\(definition.name)" } ?? definition.name
      case .method: "\(definition.owner!):\(definition.name)"
      case .property: "\(definition.owner!).\(definition.name)"
      case .operation: nil
      }
    }
  }

  static let keys = [
    "data", "epochs", "batch", "optimizer", "learning_rate", "momentum", "shuffle", "seed", "sparsity", "schedule",
    "train", "every", "ramp", "on", "images", "order", "warmup", "cooldown", "input", "classes", "calibration",
    "observer", "skip", "normalize", "scale", "resize", "channels", "mean", "std", "pad_crop", "flip", "cutout",
    "brightness", "size", "short_side", "broken", "labels", "labels_file", "from", "to", "power", "value", "min",
    "max", "help", "choices", "type", "default", "kind", "summary", "options", "at", "name", "stride", "padding",
    "dilation", "groups", "bias", "multiplier", "epsilon", "counts_padding", "shortcut", "convolution", "dense",
    "width", "dropout", "stem", "depth", "upsampling", "classifier", "strategy", "shares", "protect", "samples", "macs",
    "params", "bytes",
    "filters", "ratios", "rounds", "rewind", "keep_at_least", "multiple_of", "energy", "ratio", "within", "layers",
    "worst", "into", "validation", "patience", "distill", "teacher", "temperature", "alpha", "memory", "precision",
    "on_step", "on_epoch", "batches", "learn_scales", "f", "x", "1",
  ]
}
