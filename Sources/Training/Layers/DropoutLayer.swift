import Kernels
import Network

/// Zeros in place of a share of the values while training.
///
/// Whether a value is kept follows from the pass, the layer's name and the value's position by hashing (SplitMix64), so
/// it is the same on any number of threads, in the backward pass, and when training resumes.
struct DropoutLayer: Layer {
  private let input: Value
  private let output: Value
  private let rate: Float
  private let name: UInt64

  init(_ spec: Dropout, _ input: Value, _ output: Value, name: String) {
    self.input = input
    self.output = output
    rate = spec.rate
    self.name = name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }  // FNV-1a
  }

  var savedForBackward: SavedForBackward { [] }

  func forward(_ pass: Pass) { apply(input.data, output.data, pass) }

  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) { apply(output.gradient!, target, pass) }

  private func apply(_ from: FloatBuffer, _ to: FloatBuffer, _ pass: Pass) {
    let count = pass.count * output.size
    guard pass.drops, rate > 0 else { return pass.pool.copy(from, to: to, count: count) }
    let scale = 1 / (1 - rate), key = Self.mixed(name ^ pass.noise)
    let threshold = UInt64(Double(rate) * 0x1p32)  // of the hash's upper 32 bits
    pass.pool.forChunks(count) { range in
      let from = from.base, to = to.base
      for i in range {
        to[i] = Self.mixed(key &+ UInt64(i) &* 0x9E37_79B9_7F4A_7C15) >> 32 < threshold ? 0 : from[i] * scale
      }
    }
  }

  private static func mixed(_ key: UInt64) -> UInt64 {
    var z = key
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
