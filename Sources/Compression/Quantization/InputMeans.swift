import Diagnostics
import Network
import Tensors

/// The mean of what each layer takes in, over samples and pixels: one number per input channel of a convolution, per
/// element of a dense layer. Batches stream through; memory does not grow with them.
public struct InputMeans {
  private struct Source {
    let layer: String
    let width: Int
  }

  /// By value: reshaped ones are observed where they are made.
  private var sources: [String: [Source]] = [:]
  private var sums: [String: [Double]] = [:]  // by layer
  private var rows: [String: Int] = [:]

  /// - Parameter layers: convolutions and dense layers of the graph.
  public init(_ graph: Graph, of layers: some Sequence<String>) {
    for layer in layers {
      let node = graph[layer]!
      let value = graph.origin(of: node.inputs[0])
      let shape = graph.inputShapes(of: node)[0]
      let width = shape.dims.last ?? 1
      sources[value, default: []].append(Source(layer: layer, width: width))
      sums[layer] = [Double](repeating: 0, count: width)
      rows[layer] = 0
    }
  }

  init() {}

  mutating func set(_ mean: [Double], of layer: String) {
    sums[layer] = mean
    rows[layer] = 1
  }

  /// Whether a value is some layer's input.
  public func watches(_ value: String) -> Bool { sources[value] != nil }

  /// Takes in one batch of a value.
  public mutating func observe(_ value: String, _ elements: UnsafeBufferPointer<Float>) {
    for source in sources[value] ?? [] {
      let width = source.width, count = elements.count / max(width, 1)
      sums[source.layer]!.withUnsafeMutableBufferPointer { sums in
        for row in 0..<count {
          let x = elements.baseAddress! + row * width
          for c in 0..<width { sums[c] += Double(x[c]) }
        }
      }
      rows[source.layer]! += count
    }
  }

  /// nil for a layer that is not watched, or of which nothing is known.
  public subscript(layer: String) -> [Double]? {
    guard let sums = sums[layer], let rows = rows[layer], rows > 0 else { return nil }
    return sums.map { $0 / Double(rows) }
  }
}

extension Graph {
  /// Where a value is observed: reshaped ones where they are made.
  public func origin(of value: String) -> String {
    var value = value
    while let node = producer(of: value), node.op.isReshape { value = node.inputs[0] }
    return value
  }
}
