import Kernels

/// Zeros around each sample, or within it.
struct PadLayer: Layer {
  private let input: Value
  private let output: Value
  private let padding: ZeroPadding

  init(_ padding: ZeroPadding, _ input: Value, _ output: Value) {
    self.input = input
    self.output = output
    self.padding = padding
  }

  var savedForBackward: SavedForBackward { [] }

  func forward(_ pass: Pass) {
    padding.pad(input.data.base, output: output.data.base, with: 0, batch: pass.count, pool: pass.pool)
  }

  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    padding.crop(output.gradient!.base, output: target.base, batch: pass.count, pool: pass.pool)
  }
}
