import Diagnostics
import Foundation
import Kernels
import Pipeline
import Scripting

/// The top of the source tree.
let sourceRoot = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().path

/// A folder with a script and whatever lies beside it.
final class ScriptFolder {
  let path: String

  init(_ files: [String: String] = [:]) throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("compress-script-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for (name, text) in files { try write(name, text) }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ text: String) throws {
    let file = URL(fileURLWithPath: "\(path)/\(name)")
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }
}

/// Runs a script, collects what it prints, and gives the outcome.
@discardableResult
func run(
  _ text: String, in folder: ScriptFolder? = nil, settings: [(String, String)] = [], out: String? = nil,
  seed: UInt64 = 0,
  store: StageStore? = nil, compute: Bool = true
) throws -> (outcome: ScriptSession.Outcome, executor: Executor, printed: [String], notes: [String]) {
  let folder = try folder ?? ScriptFolder()
  try folder.write("script.lua", text)
  let notes = NoteCollector()
  let executor = Executor(context: StageContext(pool: try ThreadPool(threads: 1), progress: notes), store: store)
  var options = ScriptSession.Options(script: folder.path + "/script.lua")
  options.settings = settings.map { (name: $0.0, value: $0.1) }
  options.plugins = [sourceRoot + "/plugins"]
  options.out = out
  options.seed = seed
  var printed: [String] = []
  let session = try ScriptSession(options, executor: executor, print: { printed.append($0) })
  let outcome = try session.run()
  if compute { for stage in outcome.leaves { _ = try executor.result(of: stage) } }
  // The session must outlive its stages: their work calls back into it.
  withExtendedLifetime(session) {}
  return (outcome, executor, printed, notes.notes)
}

/// The error a script ends with.
func failure(_ text: String, in folder: ScriptFolder? = nil, settings: [(String, String)] = []) -> CompressError? {
  do {
    try run(text, in: folder, settings: settings)
    return nil
  } catch {
    return error as? CompressError
  }
}

final class NoteCollector: ProgressSink {
  var notes: [String] = []
  /// What was said when a piece of work was done.
  var ends: [String] = []
  func begin(_ label: String, total: Int) {}
  func update(done: Int, detail: String) {}
  func end(detail: String) { ends.append(detail) }
  func note(_ text: String) { notes.append(text) }
}

/// The head of most scripts here: a small network, a few samples.
let preamble = """
  local digits = dataset "digits"
  local data = digits.train:take(200)
  local net = zoo.lab_cnn()

  """
