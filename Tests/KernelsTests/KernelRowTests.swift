import CKernels
import KernelChecks
import Testing

@testable import Kernels

/// The table of kernels row by row, and the choice among the rows.
@Suite struct KernelRowTests {
  static var rows: UnsafeBufferPointer<ck_row> {
    var count = 0
    let rows = ck_rows(&count)
    return UnsafeBufferPointer(start: rows, count: count)
  }

  static func name(_ row: ck_row) -> String {
    "\(String(cString: ck_family_name(row.family))) of \(String(cString: ck_isa_name(row.isa)))"
  }

  static func runs(_ row: ck_row) -> Bool { CPUFeatures.host.isSuperset(of: CPUFeatures(rawValue: row.needs)) }
  /// Rows of this build that this CPU does not run.
  static let lacking = rows.indices.filter { index in
    ck_row_is_built(rows.baseAddress! + index) && !runs(rows[index])
  }

  @Test(arguments: rows.indices.filter { runs(rows[$0]) })
  func equalsTheScalarReference(_ index: Int) {
    var message = [CChar](repeating: 0, count: 200)
    let failures = kc_check_row(Self.rows.baseAddress! + index, &message, message.count)
    let first = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    #expect(failures == 0, "\(Self.name(Self.rows[index])): \(first)")
  }

  @Test(.enabled(if: lacking.isEmpty, "NOT TESTED, this CPU lacks what they need: \(lacking.map { name(rows[$0]) })"))
  func thisMachineRunsEveryRowOfItsBuild() {
    let run = Self.rows.indices.filter { Self.runs(Self.rows[$0]) }
    let built = Self.rows.indices.filter { ck_row_is_built(Self.rows.baseAddress! + $0) }
    #expect(run == built)
  }

  static let functions: [String] = {
    var count = 0
    let names = ck_function_names(&count)!
    return (0..<count).map { String(cString: names[$0]!) }
  }()

  /// A function that no check calls, or whose result none looks at, would pass whatever it did.
  @Test(arguments: functions)
  func theChecksNoticeAKernelThatDoesNothing(_ function: String) {
    #expect(kc_notices(function))
  }

  @Test func everyFamilyHasAScalarRow() {
    let families = Self.rows.filter { $0.isa == ck_scalar }.map { $0.family.rawValue }
    #expect(families.sorted() == (0..<ck_family_count.rawValue).map { $0 })
    for row in Self.rows {
      #expect(CPUFeatures(rawValue: row.needs).isSuperset(of: CPUFeatures(rawValue: ck_isa_needs(row.isa))))
      #expect(row.tile.columns % max(1, row.tile.lanes) == 0)
    }
  }

  @Test func aSetIsSelectedForAnyMachine() {
    var kernels = ck_kernels()
    // ARM's from whatever machine this is: its tiles, and where this build has no NEON the scalar functions.
    let neon = CPUFeatures.needed(by: .neon)
    #expect(ck_select(ck_neon, neon.rawValue, &kernels))
    #expect(kernels.f32_tile.rows == 8 && kernels.f32_tile.columns == 8 && kernels.u8_tile.rows == 4)
    #expect(kernels.f32_gemm != nil && kernels.bf16_gemm != nil)
    #expect(!ck_select(ck_avx2, neon.rawValue, &kernels))
    #expect(InstructionSet.best(under: nil, on: neon) == .neon)

    let avx512 = CPUFeatures.needed(by: .avx512)
    #expect(InstructionSet.best(under: nil, on: avx512) == .avx512)
    #expect(InstructionSet.best(under: .avx2, on: avx512) == .avx2)
    #expect(InstructionSet.best(under: nil, on: CPUFeatures.needed(by: .avx2)) == .avx2)
    #expect(InstructionSet.best(under: nil, on: []) == .scalar)
  }

  @Test func aFamilyWithoutARowIsTheScalarOne() {
    let avx512 = CPUFeatures.needed(by: .avx512)
    var kernels = ck_kernels()
    #expect(ck_select(ck_avx512, avx512.rawValue, &kernels))
    #expect(!kernels.hasRow(of: ck_family_bf16_products) && kernels.hasRow(of: ck_family_f32_products))
    #expect(kernels.bf16_tile.lanes == 1 && kernels.f32_tile.lanes == 16)
    #expect(ck_select(ck_avx512, avx512.union(.avx512bf16).rawValue, &kernels))
    #expect(kernels.hasRow(of: ck_family_bf16_products) && kernels.bf16_tile.lanes == 16)
    #expect(ck_select(ck_avx2, CPUFeatures.needed(by: .avx2).rawValue, &kernels))
    #expect(!kernels.hasRow(of: ck_family_bf16_products) && kernels.f32_tile.rows == 6)
  }
}
