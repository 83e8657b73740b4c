import CKernels
import Diagnostics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A family of machine instructions for which there are kernels. All of them give the same bits.
public enum InstructionSet: String, Sendable, CaseIterable {
  case scalar
  /// AVX2 with FMA and F16C.
  case avx2
  /// AVX-512 F, BW, VL, DQ and VNNI.
  case avx512
  /// ARMv8 Advanced SIMD.
  case neon

  /// The best this machine runs, unless the environment variable `COMPRESS_ISA` names a lesser one.
  public static let current = best(under: (try? environmentCap()) ?? nil)

  /// What `COMPRESS_ISA` asks for; nil when it is not set.
  ///
  /// - Throws: `CompressError` when its value is no instruction set. (`current` ignores such a value; the
  ///   command line calls this to refuse it.)
  public static func environmentCap() throws -> InstructionSet? {
    try cap(named: getenv("COMPRESS_ISA").map { String(cString: $0) })
  }

  static func cap(named text: String?) throws -> InstructionSet? {
    guard let text, !text.isEmpty else { return nil }
    guard let cap = InstructionSet(rawValue: text) else {
      throw CompressError(
        "COMPRESS_ISA is \"\(text.escapedForTerminal)\", which is no instruction set"
          + Suggestion.text(for: text, among: allCases.map(\.rawValue)))
    }
    return cap
  }

  /// The last supported case that is not above the cap.
  public static func best(under cap: InstructionSet?) -> InstructionSet { best(under: cap, on: .host) }

  /// The same for a CPU that need not be this machine's.
  public static func best(under cap: InstructionSet?, on features: CPUFeatures) -> InstructionSet {
    let candidates = allCases.prefix { $0 != cap } + (cap.map { [$0] } ?? [])
    return candidates.last { $0.isSupported(by: features) } ?? .scalar
  }

  public var isSupported: Bool { isSupported(by: .host) }
  public func isSupported(by features: CPUFeatures) -> Bool { ck_isa_runs(native, features.rawValue) }

  /// For reports: "avx512vnni".
  public var reportName: String { isSupported ? String(cString: ck_isa_name(native)) : rawValue }

  /// As C calls it, whether or not this machine has it.
  public var nativeName: String { String(cString: ck_isa_name(native)) }

  package var native: ck_isa {
    switch self {
    case .scalar: ck_scalar
    case .avx2: ck_avx2
    case .avx512: ck_avx512
    case .neon: ck_neon
    }
  }

  /// The kernels of the set, which are selected once. For a set that this machine does not run weights can be packed;
  /// where this build has none of its kernels the scalar ones stand in, which give the same bits with any tile.
  public var kernels: UnsafePointer<ck_kernels> { ck_kernels_for(native) ?? Self.foreign + Int(native.rawValue) }

  /// By number; never freed.
  private nonisolated(unsafe) static let foreign: UnsafePointer<ck_kernels> = {
    let sets = UnsafeMutablePointer<ck_kernels>.allocate(capacity: Int(CK_ISA_COUNT))
    sets.initialize(repeating: ck_kernels(), count: Int(CK_ISA_COUNT))
    for isa in allCases {
      _ = ck_select(isa.native, ck_isa_needs(isa.native), sets + Int(isa.native.rawValue))
    }
    return UnsafePointer(sets)
  }()

  /// Whether the set's kernels run here: those that this machine supports, and those of another architecture, for which
  /// the scalar ones stand in.
  public var canBeRun: Bool { isSupported || ck_isa_stands_in(native) }
}

/// What a CPU has, as far as kernels ask for it.
public struct CPUFeatures: OptionSet, Hashable, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// This machine's.
  public static let host = CPUFeatures(rawValue: ck_host_features())
  /// What every kernel of the set may use.
  public static func needed(by isa: InstructionSet) -> CPUFeatures {
    CPUFeatures(rawValue: ck_isa_needs(isa.native))
  }
  /// Products of bfloat16 numbers in AVX-512.
  public static let avx512bf16 = CPUFeatures(rawValue: UInt32(ck_has_avx512bf16.rawValue))
}
