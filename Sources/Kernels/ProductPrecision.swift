import CKernels
import Diagnostics

/// What the factors of matrix products are rounded to; sums are float32 in any case.
public enum ProductPrecision: String, Sendable, CaseIterable {
  case float32
  /// bfloat16, rounded to nearest even, subnormal numbers counting as zero (see ck-bf16.h).
  ///
  /// Convolutions of fewer than 16 channels (in their group), a colour image's first among them, and depthwise ones
  /// stay float32, forward and backward: packing would take longer than the products.
  case bfloat16 = "bf16"

  /// - Throws: `CompressError` that says what is missing when this machine, or the instruction set that `COMPRESS_ISA`
  ///   limits it to, has no instructions for such products.
  public func validate(isa: InstructionSet = .current) throws(CompressError) {
    guard self == .bfloat16, !isa.multipliesBFloat16 else { return }
    let unlimited = InstructionSet.best(under: nil)
    throw CompressError(
      "precision \"bf16\" needs a CPU with AVX512_BF16; "
        + (unlimited.multipliesBFloat16
          ? "this one has it, but COMPRESS_ISA limits it to \(isa.rawValue)"
          : "this one's best instruction set is \(unlimited.reportName)"),
      hint: "leave precision at \"float32\"")
  }
}

extension InstructionSet {
  /// Whether the machine has instructions for products of bfloat16 numbers in this set: AVX512_BF16.
  public var multipliesBFloat16: Bool {
    guard self != .scalar, isSupported else { return false }
    return kernels.pointee.hasRow(of: ck_family_bf16_products)
  }
}

extension ck_kernels {
  /// The tile of products of such factors.
  func tile(of precision: ProductPrecision) -> ck_tile {
    switch precision {
    case .float32: f32_tile
    case .bfloat16: bf16_tile
    }
  }

  /// Whether the set has kernels of its own for the family, or the scalar ones stand in.
  func hasRow(of family: ck_family) -> Bool {
    withUnsafeBytes(of: rows) { rows in
      rows.bindMemory(to: UnsafePointer<ck_row>.self)[Int(family.rawValue)].pointee.isa == isa
    }
  }
}

extension ConvolutionGeometry {
  /// The precision of its products where `precision` is asked for.
  func precision(_ precision: ProductPrecision) -> ProductPrecision {
    isDepthwise || channelsPerGroup < 16 ? .float32 : precision
  }
}
