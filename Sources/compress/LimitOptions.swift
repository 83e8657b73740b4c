import ArgumentParser
import Datasets
import Diagnostics
import LuaHost
import Scripting

/// What a script may use, where the defaults are not right.
struct LimitOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Lua memory, in MiB (default: \(LuaLimits.defaultMemoryBytes >> 20)).", valueName: "mib"))
  var luaMemory: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Lua instructions per call from outside (default: \(LuaLimits.defaultInstructions)).", valueName: "n"))
  var luaInstructions: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Seconds of the script's own time, per call from outside; 0: no limit (default: \(Int(LuaLimits.defaultSeconds))).",
      valueName: "s"))
  var luaSeconds: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Memory of the tensors and other objects a script holds, in MiB (default: \(LuaLimits.defaultNativeBytes >> 20)).",
      valueName: "mib"
    ))
  var tensorMemory: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Compressed data held unpacked, in MiB (default: \(DataMemory.standardLimit >> 20)).", valueName: "mib"))
  var dataMemory: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "What a script may save under --out, in MiB (default: \(OutputLimits().savedBytes >> 20)).", valueName: "mib"))
  var outSize: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How often a script may save (default: \(OutputLimits().savedFiles)).", valueName: "n"))
  var outFiles: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "What a script may print, in MiB (default: \(OutputLimits().printedBytes >> 20)).", valueName: "mib"))
  var printSize: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "What a run may add to the store, in MiB (default: \(OutputLimits().storedBytes >> 20)).", valueName: "mib"))
  var storeSize: Int?

  func output() throws -> OutputLimits {
    var limits = OutputLimits()
    if let outSize { limits.savedBytes = try Self.bytes("--out-size", mebibytes: outSize) }
    if let outFiles {
      guard outFiles > 0 else { throw CompressError("--out-files \(outFiles): must be at least 1") }
      limits.savedFiles = outFiles
    }
    if let printSize { limits.printedBytes = try Self.bytes("--print-size", mebibytes: printSize) }
    if let storeSize { limits.storedBytes = try Self.bytes("--store-size", mebibytes: storeSize) }
    return limits
  }

  func dataLimit() throws -> Int {
    try dataMemory.map { try Self.bytes("--data-memory", mebibytes: $0) } ?? DataMemory.standardLimit
  }

  func limits() throws -> LuaLimits {
    var limits = LuaLimits()
    if let luaMemory { limits.memoryBytes = try Self.bytes("--lua-memory", mebibytes: luaMemory) }
    if let tensorMemory { limits.nativeBytes = try Self.bytes("--tensor-memory", mebibytes: tensorMemory) }
    if let luaInstructions {
      guard luaInstructions > 0 else {
        throw CompressError("--lua-instructions \(luaInstructions): must be at least 1")
      }
      limits.instructions = luaInstructions
    }
    if let luaSeconds {
      guard luaSeconds >= 0, luaSeconds <= 1e6 else {
        throw CompressError("--lua-seconds \(luaSeconds): must be 0 to 1000000")
      }
      limits.seconds = luaSeconds
    }
    return limits
  }

  private static func bytes(_ option: String, mebibytes: Int) throws -> Int {
    guard (1...1 << 30).contains(mebibytes) else {
      throw CompressError("\(option) \(mebibytes): must be 1 to \(1 << 30) MiB")
    }
    return mebibytes << 20
  }
}
