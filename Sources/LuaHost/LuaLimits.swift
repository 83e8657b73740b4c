/// What a script may use; the defaults are meant to be out of the way of every honest script.
public struct LuaLimits: Sendable, Hashable, Codable {
  /// 256 MiB: enough for tables of some ten million numbers.
  public static let defaultMemoryBytes = 256 << 20
  /// One thousand million: some ten seconds of plain Lua.
  public static let defaultInstructions = 1_000_000_000
  /// 2 GiB.
  public static let defaultNativeBytes = 2 << 30
  /// Half a minute.
  public static let defaultSeconds = 30.0
  /// 768 MiB: what host functions need beside what they hand over.
  public static let headroom = 768 << 20

  /// Bytes the Lua heap may hold, per state.
  public var memoryBytes: Int
  /// Lua instructions per outermost call, counted in steps of 1,000. Long loops inside library functions count too.
  public var instructions: Int
  /// Bytes of host memory that the objects a script holds may add up to, tensors and all others, per state.
  public var nativeBytes: Int
  /// Seconds of the script's own time that an outermost call may take: inside Lua, its libraries and host functions, and
  /// not while the engine works for it. Then the call is stopped, or, when nothing hears that, the process is ended with
  /// exit status 4 a quarter of this time (at least a second) later. Zero: no limit.
  public var seconds: Double
  /// Bytes by which the whole process may grow in that time, however they are taken.
  public var growthBytes: Int { Self.sum(memoryBytes, nativeBytes, Self.headroom) }

  private static func sum(_ terms: Int...) -> Int {
    terms.reduce(0) { $0.addingReportingOverflow($1).overflow ? .max : $0 + $1 }
  }

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
