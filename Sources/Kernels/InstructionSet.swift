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
  public static func best(under cap: InstructionSet?) -> InstructionSet {
    let candidates = allCases.prefix { $0 != cap } + (cap.map { [$0] } ?? [])
    return candidates.last(where: \.isSupported) ?? .scalar
  }

  public var isSupported: Bool { ck_isa_supported(native) }

  /// For reports: "avx512vnni".
  public var reportName: String { isSupported ? String(cString: kernels.pointee.name) : rawValue }

  var native: ck_isa {
    switch self {
    case .scalar: ck_scalar
    case .avx2: ck_avx2
    case .avx512: ck_avx512
    case .neon: ck_neon
    }
  }

  /// The table of kernels.
  ///
  /// - Precondition: the machine supports the instruction set.
  var kernels: UnsafePointer<ck_kernels> {
    guard let kernels = ck_kernels_for(native) else { preconditionFailure("this machine does not run \(rawValue)") }
    return kernels
  }
}
