import Descriptors
import Kernels
import Network
import Tensors

/// Maximum and average over windows or the whole image.
///
/// The maximum's gradient goes to the winner, the first among equals.
final class PoolLayer: Layer {
  private let pooling: Pooling
  private let input: Value
  private let output: Value
  /// Where each maximum came from; empty for the average.
  private var winners: [Int32]

  init(
    _ reduction: Pool2D.Reduction, _ window: WindowGeometry, countsPadding: Bool = false, _ input: Value,
    _ output: Value, batchSize: Int
  ) throws {
    pooling = try Pooling(window, countsPadding: countsPadding)
    self.input = input
    self.output = output
    winners = reduction == .max ? [Int32](repeating: 0, count: output.size * batchSize) : []
  }

  var savedForBackward: SavedForBackward { [] }

  func forward(_ pass: Pass) {
    let (x, y) = (input.data.base, output.data.base)
    if winners.isEmpty {
      pooling.average(x, output: y, batch: pass.count, pool: pass.pool)
    } else {
      winners.withUnsafeMutableBufferPointer {
        pooling.maximum(x, output: y, winners: $0.baseAddress, batch: pass.count, pool: pass.pool)
      }
    }
  }

  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    let dy = output.gradient!.base
    if winners.isEmpty {
      pooling.averageGradient(outputGradient: dy, inputGradient: target.base, batch: pass.count, pool: pass.pool)
    } else {
      pooling.maximumGradient(
        outputGradient: dy, winners: winners, inputGradient: target.base, batch: pass.count, pool: pass.pool)
    }
  }
}
