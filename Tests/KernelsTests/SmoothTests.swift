import CKernels
import Foundation
import Testing

@testable import Kernels

/// exp and what is made of it against double precision, over all exponents.
@Suite struct SmoothTests {
  struct Function: Sendable {
    let name: String
    let native: ck_smooth_function
    let exact: @Sendable (Double) -> Double
    /// In units of the last place; nil where the error is bounded by the size of the input.
    var ulps: Double?
    /// Times the size of the input, at least 1.
    var error = 1.5e-7
  }

  static let functions = [
    Function(name: "exp", native: ck_smooth_exp, exact: { exp($0) }, ulps: 1),
    Function(name: "sigmoid", native: ck_smooth_sigmoid, exact: { 1 / (1 + exp(-$0)) }, error: 1e-7),
    Function(name: "tanh", native: ck_smooth_tanh, exact: { tanh($0) }, ulps: 1.5),
    Function(name: "erf", native: ck_smooth_erf, exact: { erf($0) }, ulps: 2.5),
    Function(name: "silu", native: ck_smooth_silu, exact: { $0 / (1 + exp(-$0)) }),
    Function(name: "gelu", native: ck_smooth_gelu, exact: { 0.5 * $0 * erfc(-$0 * 0.5.squareRoot()) }),
    Function(
      name: "gelu_tanh", native: ck_smooth_gelu_tanh,
      exact: { 0.5 * $0 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))) }),
  ]

  @Test(arguments: functions.map(\.name)) func errorsStayBelowTheirBounds(_ name: String) throws {
    let function = Self.functions.first { $0.name == name }!
    // Every 257th float up to 200, both signs: all exponents, subnormal ones too.
    let numbers = stride(from: 0, to: Float(200).bitPattern, by: 257).flatMap { bits in
      [Float(bitPattern: bits), -Float(bitPattern: bits)]
    }
    var values = [Float](repeating: 0, count: numbers.count)
    InstructionSet.current.kernels.pointee.f32_smooth(function.native, numbers.count, numbers, &values)
    var worst = (share: 0.0, at: Float(0))
    for (x, y) in zip(numbers, values) {
      let exact = function.exact(Double(x))
      guard Float(exact).isFinite else {
        #expect(y == Float(exact), "\(name) of \(x)")
        continue
      }
      let bound =
        function.ulps.map { $0 * max(Double(Float(exact).ulp), 0x1p-149) }
        ?? function.error * max(1, Double(abs(x)))
      let share = abs(Double(y) - exact) / bound
      if !(share <= worst.share) { worst = (share, x) }
    }
    #expect(worst.share <= 1, "\(name) of \(worst.at): \(worst.share) of its bound")
  }

  @Test func whatIsNoNumber() throws {
    let numbers: [Float] = [.nan, .infinity, -.infinity, 0, -0.0]
    for isa in supportedSets {
      func values(_ function: ck_smooth_function) -> [Float] {
        var values = numbers
        isa.kernels.pointee.f32_smooth(function, numbers.count, numbers, &values)
        return values
      }
      for function in Self.functions { #expect(values(function.native)[0].isNaN, "\(function.name)") }
      #expect(values(ck_smooth_exp)[1...] == [.infinity, 0, 1, 1])
      #expect(values(ck_smooth_sigmoid)[1...] == [1, 0, 0.5, 0.5])
      for odd in [ck_smooth_tanh, ck_smooth_erf] { #expect(values(odd)[1...] == [1, -1, 0, 0]) }
    }
  }
}
