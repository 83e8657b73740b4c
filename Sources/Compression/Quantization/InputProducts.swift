import Diagnostics
import Kernels
import Network
import Tensors

/// Sums of products of what a layer's weights are multiplied with, `Σ x xᵀ` over sampled places of sampled images: how
/// much the errors of two weights add up in the layer's output. Long vectors are cut into blocks, products across them
/// left out, so that memory stays bounded.
public final class InputProducts {
  /// Weights to a block.
  fileprivate static let block = 2048
  /// Places of each image that are sampled.
  private static let places = 16

  fileprivate final class Layer {
    let window: Window?  // nil: a dense layer
    let shape: Shape
    let output: Shape
    let groups: Int
    /// Weights of one filter.
    let depth: Int
    /// For each group, for each block, its square matrix.
    var products: [[Float]]

    var blocks: Int { (depth + InputProducts.block - 1) / InputProducts.block }
    func range(_ block: Int) -> Range<Int> {
      block * InputProducts.block..<min(depth, (block + 1) * InputProducts.block)
    }

    init(_ graph: Graph, _ node: Node) {
      shape = graph.inputShapes(of: node)[0]
      output = graph.shape(of: node.name)
      if case .conv2d(let conv) = node.op {
        window = conv.window
        groups = conv.groups
        depth = conv.window.size.height * conv.window.size.width * shape[2] / conv.groups
      } else {
        window = nil
        groups = 1
        depth = shape.count
      }
      products = []
      for _ in 0..<groups {
        for block in 0..<blocks {
          products.append([Float](repeating: 0, count: range(block).count * range(block).count))
        }
      }
    }
  }

  private var layers: [String: Layer] = [:]
  private var sources: [String: [Layer]] = [:]

  public init(_ graph: Graph, of names: some Sequence<String>) {
    for name in names {
      let node = graph[name]!, layer = Layer(graph, node)
      layers[name] = layer
      sources[graph.origin(of: node.inputs[0]), default: []].append(layer)
    }
  }

  public func watches(_ value: String) -> Bool { sources[value] != nil }

  /// Takes in one batch of a value.
  public func observe(_ value: String, _ elements: UnsafeBufferPointer<Float>, pool: ThreadPool) {
    for layer in sources[value] ?? [] {
      let images = elements.count / max(layer.shape.count, 1)
      let pixels = layer.window == nil ? 1 : layer.output[0] * layer.output[1]
      let count = min(images * pixels, images * Self.places)
      guard count > 0 else { continue }
      for group in 0..<layer.groups {
        for block in 0..<layer.blocks {
          let range = layer.range(block)
          var rows = [Float](repeating: 0, count: count * range.count)
          for row in 0..<count {
            let place = row * (images * pixels) / count
            layer.gather(elements, image: place / pixels, pixel: place % pixels, group, range, into: &rows, at: row)
          }
          let product = MatrixProduct(m: range.count, n: range.count, k: count, transposeA: true)
          let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: product.scratchBytes, alignment: 64)
          defer { scratch.deallocate() }
          layer.products[group * layer.blocks + block].withUnsafeMutableBufferPointer { products in
            product.run(
              a: rows, b: rows, c: products.baseAddress!, accumulate: true, scratch: scratch, pool: pool)
          }
        }
      }
    }
  }

  /// The integers next to each weight, above or below, with which the layer's output errs least: single weights go the
  /// other way as long as that lessens the squared error over the inputs seen (the aim of Nagel et al. 2020, AdaRound,
  /// met by descending weight by weight). Zeros stay zero.
  ///
  /// - Parameter weight: the float weight that `nearest` was made of.
  public func rounded(_ layer: String, _ weight: Tensor, _ nearest: IntegerValues, pool: ThreadPool) throws
    -> IntegerValues
  {
    guard let layer = layers[layer] else { return nearest }
    let filters = weight.shape[0], depth = layer.depth
    let limit = Int8(IntegerValues.limit(bits: nearest.bits))
    var values = nearest.values
    weight.withElements(Float.self) { w in
      values.withMutable(Int8.self) { q in
        pool.parallelFor(filters) { filter in
          let scale = nearest.scales[nearest.scales.count == 1 ? 0 : filter]
          let group = filter / max(filters / layer.groups, 1)
          for block in 0..<layer.blocks {
            let range = layer.range(block), begin = filter * depth + range.lowerBound
            layer.products[group * layer.blocks + block].withUnsafeBufferPointer { products in
              Self.descend(
                UnsafeBufferPointer(rebasing: w[begin..<begin + range.count]),
                UnsafeMutableBufferPointer(rebasing: q[begin..<begin + range.count]), scale, limit, products)
            }
          }
        }
      }
    }
    return try IntegerValues(values: values, scales: nearest.scales, bits: nearest.bits)
  }

  private static let sweeps = 8

  private static func descend(
    _ w: UnsafeBufferPointer<Float>, _ q: UnsafeMutableBufferPointer<Int8>, _ scale: Float, _ limit: Int8,
    _ products: UnsafeBufferPointer<Float>
  ) {
    let count = w.count
    /// Half the slope of the squared error: products times the error of each weight.
    var slope = [Float](repeating: 0, count: count)
    slope.withUnsafeMutableBufferPointer { slope in
      func add(_ factor: Float, _ column: Int) {
        let row = products.baseAddress! + column * count  // symmetric
        for i in 0..<count { slope[i] += factor * row[i] }
      }
      for i in 0..<count { add(Float(q[i]) * scale - w[i], i) }
      for _ in 0..<sweeps {
        var isDone = true
        for i in 0..<count where w[i] != 0 {
          let up = Float(q[i]) * scale <= w[i]
          guard up ? q[i] < limit : q[i] > -limit else { continue }
          let step = up ? scale : -scale
          // No further than the next integer on the other side of the weight.
          guard abs(Float(q[i]) * scale + step - w[i]) < scale else { continue }
          let change = step * (2 * slope[i] + step * products[i * count + i])
          guard change < 0 else { continue }
          q[i] += up ? 1 : -1
          add(step, i)
          isDone = false
        }
        if isDone { break }
      }
    }
  }
}

extension InputProducts.Layer {
  /// What the weights of `range` are multiplied with at one place.
  fileprivate func gather(
    _ elements: UnsafeBufferPointer<Float>, image: Int, pixel: Int, _ group: Int, _ range: Range<Int>,
    into rows: inout [Float], at row: Int
  ) {
    let start = row * range.count, base = image * shape.count
    guard let window else {
      for i in range { rows[start + i - range.lowerBound] = elements[base + i] }
      return
    }
    let (height, width, channels) = (shape[0], shape[1], shape[2])
    let perGroup = channels / groups
    let pads = window.pads(height: height, width: width)
    let top = pixel / output[1] * window.stride.height - pads.top
    let left = pixel % output[1] * window.stride.width - pads.left
    for i in range {
      let (tap, channel) = i.quotientAndRemainder(dividingBy: perGroup)
      let y = top + tap / window.size.width * window.dilation.height
      let x = left + tap % window.size.width * window.dilation.width
      guard (0..<height).contains(y), (0..<width).contains(x) else { continue }
      rows[start + i - range.lowerBound] =
        elements[base + (y * width + x) * channels + group * perGroup + channel]
    }
  }
}
