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

  var native: ck_isa {
    switch self {
    case .scalar: ck_scalar
    case .avx2: ck_avx2
    case .avx512: ck_avx512
    case .neon: ck_neon
    }
  }

  /// The kernels of the set, which are selected once.
  ///
  /// - Precondition: the machine supports the instruction set.
  public var kernels: UnsafePointer<ck_kernels> {
    guard let kernels = ck_kernels_for(native) else { preconditionFailure("this machine does not run \(rawValue)") }
    return kernels
  }
}

/// What a CPU has, as far as kernels ask for it.
public struct CPUFeatures: OptionSet, Sendable {
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
