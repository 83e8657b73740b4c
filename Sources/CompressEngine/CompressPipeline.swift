import Diagnostics
import Kernels
import Pipeline
import Scripting

/// A pipeline, as docs/scripts.md describes them: trains, prunes, quantizes, packs.
///
/// The script has the sandbox of every script, and this process the rights it has: `compress` confines its own process
/// besides, which a library does not do to the program that it is in. Nothing is measured; whoever wants times and a
/// report runs the script with `compress run`.
public struct CompressPipeline: Sendable {
  public var script: String
  /// Params by name, as `--set` has them.
  public var settings: [String: String] = [:]
  /// Where data sets lie, and where `export` and `save` write; nil: the usual places, and nowhere.
  public var data: String?
  public var out: String?
  /// Folders with plugins, before those shipped.
  public var plugins: [String] = []
  public var seed: UInt64 = 0
  public var threads = 1
  /// Whether finished stages are kept, and found, in the user's cache.
  public var usesCache = true

  public init(script: String) { self.script = script }

  /// A model that a pipeline made.
  public struct Made: Sendable {
    /// Its name in `compare`; of one that is not compared what was done last.
    public let name: String
    public let model: CompressModel
  }

  /// Runs the script and computes what it asks for.
  ///
  /// - Parameter print: hears what the script prints, a line at a time.
  /// - Returns: what it compares, in its order; of a script that compares nothing the models that no other is made from.
  /// - Throws: an error whose description names the script's line.
  public func run(print: @escaping (String) -> Void = { _ in }) throws -> [Made] {
    let context = StageContext(pool: try ThreadPool(threads: threads))
    let executor = Executor(context: context, store: usesCache ? try StageStore.ofUser() : nil)
    if usesCache { try executor.prepareStore() }
    var options = ScriptSession.Options(script: script)
    (options.data, options.out, options.plugins, options.seed) = (data, out, plugins, seed)
    options.settings = settings.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    let session = try ScriptSession(options, executor: executor, print: print)
    // Stages call back into the session: it must outlive them.
    return try withExtendedLifetime(session) {
      let outcome = try session.run()
      let stages =
        outcome.comparison?.variants.map { ($0.name, $0.stage) } ?? outcome.leaves.map { ($0.work.label, $0) }
      return try stages.map { name, stage in Made(name: name, model: CompressModel(try executor.model(of: stage))) }
    }
  }
}
