import Datasets
import Diagnostics
import Kernels
import Network
import Runtime
import Tensors

/// What layers put out for a few samples, one layer at a time: the network is run up to the layer anew, so that no more
/// than one layer's output is in memory.
public struct LayerActivations {
  /// The first so many samples are run; fewer where a layer's output for them would take more than `mostBytes`.
  public static let mostSamples = 64
  public static let mostBytes = 256 << 20

  private let model: Model
  private let images: Tensor
  private let pool: ThreadPool

  /// - Throws: `CompressError` when the samples cannot be read.
  public init(_ model: Model, on data: any Dataset, pool: ThreadPool) throws {
    self.model = model
    self.pool = pool
    let batch = try data.batch(0..<min(Self.mostSamples, data.count))
    try data.checkFinite(batch, first: 0)
    images = batch.images
  }

  /// The output of a layer behind its batch norm and activation, if these follow it: `[n, height, width, channels]`, or
  /// `[n, units]` of a dense layer.
  ///
  /// - Throws: `CompressError` when it is not finite.
  public func output(of layer: String) throws -> Tensor {
    let part = try model.upTo([model.graph.endOfBlock(layer)])
    let bytes = max(1, part.graph.outputShape.count * MemoryLayout<Float>.stride)
    let count = min(images.shape[0], max(1, Self.mostBytes / bytes))
    let session = Session(try compile(part, CompileOptions(maxBatch: min(count, 16))), pool: pool)
    let output = try session.run(images.sliced(axis: 0, 0..<count))
    if let bad = output.firstNonFinite {
      throw CompressError("its output for sample \(bad.index / (output.count / count) + 1) is \(bad.value)")
        .at(layer: layer)
    }
    return output
  }
}

extension Graph {
  /// The last node of those that take a layer's output each as their only input and alone: its batch norm, its
  /// activation.
  fileprivate func endOfBlock(_ layer: String) -> String {
    let consumers = consumers
    var name = layer
    while !isOutput(name), let next = consumers[name], next.count == 1, let node = self[next[0]], node.op.endsBlock {
      name = node.output
    }
    return name
  }
}

extension Operator {
  /// Whether it belongs to the layer before it: a batch norm, an activation.
  fileprivate var endsBlock: Bool {
    if case .activation = self { true } else { isBatchNorm }
  }
}
