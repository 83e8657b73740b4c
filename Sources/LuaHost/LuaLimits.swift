/// What a script may use; the defaults are meant to be out of the way of every honest script.
public struct LuaLimits: Sendable, Hashable, Codable {
  /// 256 MiB: enough for tables of some ten million numbers.
  public static let defaultMemoryBytes = 256 << 20
  /// One thousand million: some ten seconds of plain Lua.
  public static let defaultInstructions = 1_000_000_000
  /// 4 GiB.
  public static let defaultNativeBytes = 4 << 30
  /// One minute.
  public static let defaultSeconds = 60.0

  /// Bytes the Lua heap may hold, per state.
  public var memoryBytes: Int
  /// Lua instructions per outermost call, counted in steps of 1,000. Long loops inside library functions count too.
  public var instructions: Int
  /// Bytes of host memory, such as tensors, that the objects a script holds may add up to, per state.
  public var nativeBytes: Int
  /// Wall-clock time Lua may run without returning to the host. Then the call is stopped, or, when it is stuck inside
  /// a library function, the process is ended with exit status 4 a quarter of this time (at least a second) later.
  /// Zero: no watchdog.
  public var seconds: Double

  public init(
    memoryBytes: Int = defaultMemoryBytes, instructions: Int = defaultInstructions,
    nativeBytes: Int = defaultNativeBytes, seconds: Double = defaultSeconds
  ) {
    self.memoryBytes = memoryBytes
    self.instructions = instructions
    self.nativeBytes = nativeBytes
    self.seconds = seconds
  }
}
