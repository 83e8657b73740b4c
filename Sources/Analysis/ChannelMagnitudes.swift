import Datasets
import Diagnostics
import Kernels
import Network
import Runtime
import Tensors

/// The greatest magnitude of each channel of what layers take in, over samples.
public struct ChannelMagnitudes {
  /// By layer.
  public let values: [String: [Float]]

  /// Tells a step of progress for each sample.
  ///
  /// - Parameter layers: convolutions and dense layers of the model.
  /// - Throws: `CompressError` when a sample or a value is not finite, or stopping was requested.
  public init(_ model: Model, of layers: [String], on data: any Dataset, context: WorkContext) throws {
    let folded = try model.foldingBatchNorm(), graph = folded.graph
    var readers: [String: [(layer: String, width: Int)]] = [:], found: [String: [Float]] = [:]
    for layer in layers {
      // A reshaped value is seen where it is made, with its channels in the same order.
      let value = graph.origin(of: graph[layer]!.inputs[0]), width = graph.shape(of: value).dims.last ?? 1
      readers[value, default: []].append((layer, width))
      found[layer] = [Float](repeating: 0, count: width)
    }
    let session = Session(try compile(folded, CompileOptions(maxBatch: Calibration.batch)), pool: context.pool)
    var done = 0
    try Batches(data, size: Calibration.batch).forEach(threads: context.pool.threads) { batch in
      try context.step()
      try data.checkFinite(batch, first: done)
      try session.run(batch.images) { value, elements in
        for (layer, width) in readers[value] ?? [] {
          try found[layer]!.withUnsafeMutableBufferPointer { greatest in
            for start in stride(from: 0, to: elements.count, by: width) {
              for channel in 0..<width { greatest[channel] = max(greatest[channel], abs(elements[start + channel])) }
            }
            guard greatest.allSatisfy(\.isFinite) else { throw CompressError("its input is not finite").at(layer: layer) }
          }
        }
      }
      done += batch.count
      context.progress.update(done: done, detail: "")
    }
    // What the runtime computes within other steps is not seen.
    values = found.filter { $0.value.contains { $0 > 0 } }
  }
}
