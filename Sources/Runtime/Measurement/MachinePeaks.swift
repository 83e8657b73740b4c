import Kernels
import Tensors

/// How fast this machine is at best with the kernels there are: what a model's latency can be held against.
public struct MachinePeaks: Sendable {
  /// Multiply-adds a second of a float32 matrix product that fits the caches.
  public let floatMACs: Double
  /// The same with 8-bit integers.
  public let integerMACs: Double
  /// Bytes a second read from memory: a sum over more than any cache holds.
  public let bytesRead: Double

  /// Takes some seconds.
  ///
  /// - Throws: `CompressError` when the machine refuses.
  public init(pool: ThreadPool) throws {
    let rows = 384, inputs = 512, outputs = 256
    let macs = Double(rows * inputs * outputs)

    let product = MatrixProduct(m: rows, n: outputs, k: inputs)
    let a = [Float](repeating: 0.5, count: rows * inputs), b = [Float](repeating: 0.25, count: inputs * outputs)
    var c = [Float](repeating: 0, count: rows * outputs)
    floatMACs =
      macs
      / Self.fastest {
        withScratch(product.scratchBytes) { scratch in product.run(a: a, b: b, c: &c, scratch: scratch, pool: pool) }
      }

    let weights = [Int8](repeating: 3, count: inputs * outputs), codes = [UInt8](repeating: 7, count: rows * inputs)
    var sums = [UInt8](repeating: 0, count: rows * outputs)
    let dense = try weights.withUnsafeBufferPointer {
      try IntegerConvolution(
        .dense(inputs: inputs, outputs: outputs), weights: $0,
        output: .codes(
          inputZeroPoint: 0, bias: nil, scales: [Float](repeating: 1e-3, count: outputs), zeroPoint: 0, clamp: 0...255))
    }
    integerMACs =
      macs
      / Self.fastest {
        withScratch(dense.scratchBytes(batch: rows, threads: pool.threads)) { scratch in
          dense.run(input: codes, output: &sums, batch: rows, scratch: scratch, pool: pool)
        }
      }

    // 256 MiB in pieces that threads take as they come; each piece leaves its sum, so that it is truly read.
    let pieces = 256, words = (1 << 20) / 8
    let memory = [UInt64](repeating: 1, count: pieces * words)
    let totals = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: pieces)
    defer { totals.deallocate() }
    bytesRead =
      Double(memory.count * 8)
      / memory.withUnsafeBufferPointer { memory in
        Self.fastest(runs: 5) {
          pool.parallelFor(pieces) { piece in
            totals[piece] = memory[piece * words..<(piece + 1) * words].reduce(0, &+)
          }
        }
      }
  }

  /// Seconds of the fastest of several runs, after one that warms up.
  private static func fastest(runs: Int = 50, _ body: () -> Void) -> Double {
    body()
    return (0..<runs).map { _ in
      let start = monotonicNanoseconds()
      body()
      return Double(monotonicNanoseconds() - start) / 1e9
    }.min()!
  }
}

private func withScratch(_ bytes: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
  let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes, 1), alignment: 64)
  body(scratch)
  scratch.deallocate()
}
