import ArgumentParser
import Diagnostics
import Files
import Foundation
import Kernels
import Pipeline
import Reports
import Scripting

/// What every command that runs a script takes.
struct ScriptOptions: ParsableArguments {
  @Argument(help: "The pipeline, a Lua file.", completion: .script)
  var script: String

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("Set a param of the script.", valueName: "name=value"), completion: .param)
  var settings: [String] = []

  @OptionGroup var threading: ThreadOptions

  @Option(parsing: .unconditional, help: "Decides every random number.")
  var seed: UInt64 = 0

  @Option(
    help: ArgumentHelp("Folder with data sets (default: $COMPRESS_DATA, then the user's cache).", valueName: "dir"),
    completion: .directory)
  var data: String?

  @Option(
    parsing: .singleValue, help: ArgumentHelp("Folder with plugins, before those shipped.", valueName: "dir"),
    completion: .directory)
  var plugins: [String] = []

  @Flag(name: .customLong("no-cache"), help: "Compute everything anew and store nothing.")
  var noCache = false

  @OptionGroup(title: "Limits of the sandbox") var limits: LimitOptions

  @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

  var threads: Int? { threading.threads }

  func sessionOptions() throws -> ScriptSession.Options {
    try Folders.checkData(data)
    var options = ScriptSession.Options(script: script)
    options.seed = seed
    options.data = data
    options.plugins = plugins
    options.limits = try limits.limits()
    options.dataMemory = try limits.dataLimit()
    options.output = try limits.output()
    options.settings = try settings.map { text in
      guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
        throw CompressError("--set \(text): write --set name=value")
      }
      return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }
    return options
  }

  /// Of commands that only show what a script would do.
  func rehearsalOptions() throws -> ScriptSession.Options {
    var options = try sessionOptions()
    options.isRehearsal = true
    return options
  }

  func makeExecutor(progress: any ProgressSink, cancellation: Cancellation = Cancellation()) throws -> Executor {
    _ = try InstructionSet.environmentCap()
    let pool = try threading.pool()
    let context = StageContext(pool: pool, progress: progress, cancellation: cancellation)
    return Executor(context: context, store: noCache ? nil : try StageStore.ofUser(budget: limits.output().storedBytes))
  }
}
