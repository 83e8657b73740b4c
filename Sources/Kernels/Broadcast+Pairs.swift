import CKernels

/// A function of two operands, element by element.
public enum PairFunction: Sendable {
  case add, multiply, subtract, divide, minimum, maximum, power

  fileprivate var native: ck_pair_function {
    switch self {
    case .add: ck_pair_add
    case .multiply: ck_pair_mul
    case .subtract: ck_pair_sub
    case .divide: ck_pair_div
    case .minimum: ck_pair_min
    case .maximum: ck_pair_max
    case .power: ck_pair_pow
    }
  }

  /// What computes it of codes.
  fileprivate var coded: PairFunction {
    switch self {
    case .add, .subtract: .add
    case .multiply, .minimum, .maximum: self
    case .divide, .power: preconditionFailure("\(self) of codes")
    }
  }
}

// The C step that computes such a function (see steps/pairs.h).
extension ck_pairs {
  /// The axes of a result, outermost first, with the operands' steps, and the elements of a sample of a, of b and of
  /// the result.
  init(_ extents: [Int], _ stepsA: [Int], _ stepsB: [Int], counts: (a: Int, b: Int, result: Int)) {
    self.init()
    (count_a, count_b, count) = counts
    is_flat = count_a == count && count_b == count
    // At least an axis of rows and one inside of them.
    let missing = max(0, 2 - extents.count)
    axes = extents.count + missing
    Self.fill(&self.extents, [Int](repeating: 1, count: missing) + extents)
    Self.fill(&steps_a, [Int](repeating: 0, count: missing) + stepsA)
    Self.fill(&steps_b, [Int](repeating: 0, count: missing) + stepsB)
  }

  /// So many elements that lie alike in both operands.
  init(flat count: Int) {
    self.init()
    (count_a, count_b, self.count) = (count, count, count)
    is_flat = true
  }

  func computing(_ function: PairFunction) -> ck_pairs {
    var pairs = self
    pairs.function = function.native
    return pairs
  }

  private static func fill<Tuple>(_ tuple: inout Tuple, _ values: [Int]) {
    withUnsafeMutableBytes(of: &tuple) { bytes in
      values.withUnsafeBytes { bytes.copyBytes(from: $0) }
    }
  }
}

extension ck_u8_pair_parameters {
  init(
    _ function: PairFunction, _ a: AffineQuantization, _ b: AffineQuantization, _ result: AffineQuantization,
    _ clamp: ClosedRange<UInt8>
  ) {
    let (scaleA, scaleB): (Float, Float) =
      switch function {
      case .add, .minimum, .maximum: (a.scale / result.scale, b.scale / result.scale)
      case .subtract: (a.scale / result.scale, -(b.scale / result.scale))
      case .multiply: (a.scale * b.scale / result.scale, 0)
      case .divide, .power: preconditionFailure("\(function) of codes")
      }
    self.init(
      zero_a: Int32(a.zeroPoint), zero_b: Int32(b.zeroPoint), zero_point: Int32(result.zeroPoint),
      lo: Int32(clamp.lowerBound), hi: Int32(min(clamp.upperBound, result.limit)), scale_a: scaleA, scale_b: scaleB)
  }
}

extension Broadcast {
  private func floats(_ function: PairFunction, _ clamp: ClosedRange<Float>) -> ck_f32_pairs {
    ck_f32_pairs(pairs: native.computing(function), lo: clamp.lowerBound, hi: clamp.upperBound)
  }

  /// output = clamp(function(a, b)) for each element of each sample of a batch.
  public func run(
    _ function: PairFunction, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    clamp: ClosedRange<Float> = -.infinity ... .infinity, batch: Int, pool: ThreadPool, isa: InstructionSet = .current
  ) {
    pool.run(
      floats(function, clamp), ck_run_f32_pairs, on: isa.kernels, a, b, to: output, batch: batch)
  }

  /// What a plan holds of it.
  public func step(_ function: PairFunction, clamp: ClosedRange<Float>) -> PreparedStep {
    PreparedStep("f32_pairs", floats(function, clamp), worksInPlace: !isNeeded, run: ck_run_f32_pairs)
  }

  /// The same of coded operands, coded (see `ck_u8_pair_parameters`).
  public func step(
    _ function: PairFunction, _ a: AffineQuantization, _ b: AffineQuantization, to result: AffineQuantization,
    clamp: ClosedRange<UInt8>
  ) -> PreparedStep {
    PreparedStep(
      "u8_pairs",
      ck_u8_pairs(pairs: native.computing(function.coded), parameters: .init(function, a, b, result, clamp)),
      worksInPlace: !isNeeded, run: ck_run_u8_pairs)
  }
}
