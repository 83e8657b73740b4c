#if canImport(Glibc)
  import Glibc
#endif

/// The machine a plan is made for: a value, so that a plan can be made for another machine than this one. What it says
/// is enough to choose tiles and, for integers, algorithms; no result depends on it.
public struct Machine: Hashable, Sendable {
  public var isa: InstructionSet
  public var features: CPUFeatures
  /// That will share a session's work; many more pieces than these would only make each less efficient.
  public var threads: Int
  /// Multiply-adds that one thread finishes in a cycle at best, of float32 numbers and of 8-bit integers.
  public var floatMACsPerCycle: Double
  public var integerMACsPerCycle: Double
  /// Bytes of the first and second cache level of one core.
  public var firstLevelBytes: Int
  public var secondLevelBytes: Int
  /// Bytes that one thread moves in a cycle from the second cache level, and from memory.
  public var cacheBytesPerCycle: Double
  public var memoryBytesPerCycle: Double

  /// A machine as its instruction set suggests.
  public init(
    isa: InstructionSet, features: CPUFeatures? = nil, threads: Int = 1, firstLevelBytes: Int = 32 << 10,
    secondLevelBytes: Int = 1 << 20
  ) {
    self.isa = isa
    self.features = features ?? .needed(by: isa)
    self.threads = threads
    self.firstLevelBytes = firstLevelBytes
    self.secondLevelBytes = secondLevelBytes
    // Two multiply-adds of whole vectors; sums of bytes take three instructions where there is none for them, and some
    // weights a product of their own (`ck_s8_quads`).
    (floatMACsPerCycle, integerMACsPerCycle) =
      switch isa {
      case .scalar: (1, 1)
      case .neon: (8, 12)
      case .avx2: (16, 24)
      case .avx512: (32, 128)
      }
    cacheBytesPerCycle = isa == .avx512 ? 48 : isa == .avx2 ? 32 : 16
    memoryBytesPerCycle = 4
  }

  /// The one this runs on, with the instruction set that `InstructionSet.current` names. It does not know how many
  /// threads a session will have.
  public static let host: Machine = {
    var first = 0, second = 0
    #if canImport(Glibc)
      first = max(0, sysconf(Int32(_SC_LEVEL1_DCACHE_SIZE)))
      second = max(0, sysconf(Int32(_SC_LEVEL2_CACHE_SIZE)))
    #endif
    return Machine(
      isa: .current, features: .host, firstLevelBytes: first > 0 ? first : 32 << 10,
      secondLevelBytes: second > 0 ? second : 1 << 20)
  }()
}
