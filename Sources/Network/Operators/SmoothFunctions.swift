/// exp and what is made of it, in float32: the arithmetic that CKernels/smooth-terms.h states, operation by operation,
/// so that what is computed here (tables, constants, references) has the bits of what kernels compute.
public enum SmoothFunctions {
  private static let expTerms: [Float] = [
    0.00019790309306699783, 0.0013944660313427448, 0.008333496749401093, 0.04166629537940025, 0.1666666567325592, 0.5,
  ]
  private static let tanhTerms: [Float] = [
    -0.005717018153518438, 0.020650560036301613, -0.05374348908662796, 0.13331490755081177, -0.3333328366279602,
  ]
  private static let erfTerms: [Float] = [
    7.853850547689945e-05, -0.0008010190213099122, 0.00518832728266716, -0.026853810995817184, 0.1128358542919159,
    -0.3761262595653534, 1.1283791065216064,
  ]
  private static let erfcTerms: [Float] = [
    -0.0001855769514804706, 0.0029396354220807552, -0.021805427968502045, 0.10303758829832077, 0.6382254362106323,
    1.127040147781372, 0.00035368441604077816,
  ]
  static let rootHalf: Float = 0.70710678118654752
  static let rootTwoOverPi: Float = 0.79788456080286536

  private static func horner(_ x: Float, _ terms: [Float]) -> Float {
    terms.dropFirst().reduce(terms[0]) { y, term in term.addingProduct(y, x) }
  }

  private static func powerOfTwo(_ n: Float) -> Float { Float(bitPattern: UInt32(Int32(n) + 127) << 23) }

  public static func exp(_ x: Float) -> Float {
    guard !x.isNaN else { return x }
    let c = min(max(x, -105), 90)
    let n = (c * 1.44269504088896341).rounded(.toNearestOrEven)
    let r = c.addingProduct(n, -0.693359375).addingProduct(n, 2.12194440e-4)
    let y = 1 + r.addingProduct(r * r, horner(r, expTerms))
    let half = (n * 0.5).rounded(.toNearestOrEven)
    return y * powerOfTwo(half) * powerOfTwo(n - half)
  }

  public static func sigmoid(_ x: Float) -> Float { 1 / (1 + exp(0 - x)) }

  public static func tanh(_ x: Float) -> Float {
    if abs(x) > 0.625 {
      let t = 1 - 2 / (exp(2 * abs(x)) + 1)
      return x < 0 ? -t : t
    }
    let z = x * x
    return x.addingProduct(x * z, horner(z, tanhTerms))
  }

  public static func erf(_ x: Float) -> Float {
    if abs(x) > 1 {
      let t = 1 - exp(0 - horner(min(abs(x), 4), erfcTerms))
      return x < 0 ? -t : t
    }
    return x * horner(x * x, erfTerms)
  }

  public static func silu(_ x: Float) -> Float { x * sigmoid(x) }
  public static func gelu(_ x: Float) -> Float { 0.5 * x * (1 + erf(x * rootHalf)) }
  public static func geluTanh(_ x: Float) -> Float {
    0.5 * x * (1 + tanh(rootTwoOverPi * (x + 0.044715 * x * x * x)))
  }
}
