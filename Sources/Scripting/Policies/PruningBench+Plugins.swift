import Formats
import Kernels
import Pipeline

extension PruningBench {
  /// Measures strategies by their plugins' names, with the options' defaults.
  ///
  /// - Parameter folders: where plugins are looked for besides those shipped.
  /// - Throws: `CompressError` when there is no such plugin, or it is no pruning plugin.
  public init(
    model: String, reading: ModelFile.ReadOptions = ModelFile.ReadOptions(), strategies: [String],
    folders: [String] = [], sparsity: Double, macs: Double, runs: Int
  ) throws {
    var options = ScriptSession.Options(script: "./bench")
    options.plugins = folders
    let executor = Executor(context: StageContext(pool: .serial), store: nil)
    let session = try ScriptSession(options, executor: executor, print: { _ in })
    let policies = try strategies.map { name in
      let plugin = PluginObject(try session.registry.plugin(name))
      return try LuaPruningPolicy(BoundPlugin.from(.object(plugin), kind: .pruning)!, session)
    }
    try self.init(model: model, reading: reading, policies: policies, sparsity: sparsity, macs: macs, runs: runs)
    // The plugins' functions belong to the session.
    withExtendedLifetime(session) {}
  }
}
