import Diagnostics
import Kernels
import Network

/// Sums of products of what reaches a layer, over sampled places of samples: `Σ x' x'ᵀ` and `Σ x x'ᵀ`, x being what
/// reaches it in the original network and x' what reaches it behind layers that are rounded already. They say what an
/// error of the layer's weight is worth at its output.
///
/// Long vectors are cut into blocks, products across them left out, so that memory stays bounded.
public final class InputProducts {
  /// Greater magnitudes have products whose sums float32 does not hold.
  static let largestInput: Float = 1e16

  let patches: LayerPatches
  /// Weights to a block.
  private let block: Int
  /// Places of each image that are sampled.
  private let places: Int
  /// For each group, for each block, its square matrices: inputs as they come by themselves, and originals by them.
  private(set) var sums: [(own: [Float], cross: [Float])] = []
  /// Places over all samples.
  private(set) var count = 0

  var groups: Int { patches.groups }
  /// Weights of one filter.
  var depth: Int { patches.depth }
  var blocks: Int { (depth + block - 1) / block }
  func range(_ index: Int) -> Range<Int> { index * block..<min(depth, (index + 1) * block) }
  func sums(group: Int, block: Int) -> (own: [Float], cross: [Float]) { sums[group * blocks + block] }

  /// - Parameters:
  ///   - node: a convolution or dense layer of the graph.
  ///   - block: most weights to a block.
  ///   - places: of each sample that are looked at, at most.
  public init(_ graph: Graph, _ node: Node, block: Int, places: Int) {
    patches = LayerPatches(graph, node)
    self.block = block
    self.places = places
    for _ in 0..<groups {
      for index in 0..<blocks {
        let zeros = [Float](repeating: 0, count: range(index).count * range(index).count)
        sums.append((zeros, zeros))
      }
    }
  }

  /// Takes in the layer's input for one batch: in the original network, and with the layers before it rounded.
  ///
  /// - Throws: `CompressError` when a value is no number or its magnitude greater than 1e16, with its sample's place in
  ///   the batch.
  public func observe(
    original: UnsafeBufferPointer<Float>, rounded: UnsafeBufferPointer<Float>, pool: ThreadPool
  ) throws {
    precondition(original.count == rounded.count)
    for values in [original, rounded] {
      guard let bad = values.firstIndex(where: { !($0.magnitude <= Self.largestInput) }) else { continue }
      throw CompressError(
        "its input is \(values[bad]) in sample \(bad / max(patches.shape.count, 1) + 1) of a batch; rounding learns "
          + "from values up to \(Self.largestInput)", kind: .input)
    }
    let images = original.count / max(patches.shape.count, 1), pixels = patches.pixels
    let count = min(images * pixels, images * places)
    guard count > 0 else { return }
    for group in 0..<groups {
      for block in 0..<blocks {
        let range = range(block)
        func rows(_ elements: UnsafeBufferPointer<Float>) -> [Float] {
          var rows = [Float](repeating: 0, count: count * range.count)
          rows.withUnsafeMutableBufferPointer { rows in
            let rows = rows.baseAddress!
            pool.parallelFor(count) { row in
              let place = row * (images * pixels) / count
              patches.gather(
                elements, image: place / pixels, pixel: place % pixels, group: group, range,
                into: rows + row * range.count)
            }
          }
          return rows
        }
        let x = rows(original), moved = rows(rounded)
        let product = MatrixProduct(m: range.count, n: range.count, k: count, transposeA: true)
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: product.scratchBytes, alignment: 64)
        defer { scratch.deallocate() }
        func add(_ a: [Float], _ sums: inout [Float]) {
          sums.withUnsafeMutableBufferPointer {
            product.run(a: a, b: moved, c: $0.baseAddress!, accumulate: true, scratch: scratch, pool: pool)
          }
        }
        add(moved, &sums[group * blocks + block].own)
        add(x, &sums[group * blocks + block].cross)
      }
    }
    self.count += count
  }

  /// What such a change of the weight adds to the layer's output: its squares summed over the filters, in the mean over
  /// places.
  public func meanSquare(ofChange change: [Float], pool: ThreadPool) -> Double {
    guard count > 0, depth > 0 else { return 0 }
    let filters = change.count / depth, each = filters / max(groups, 1)
    var total = 0.0
    for group in 0..<groups {
      for block in 0..<blocks {
        let range = range(block), width = range.count
        var rows: [Float] = []
        rows.reserveCapacity(each * width)
        for filter in group * each..<(group + 1) * each {
          rows += change[filter * depth + range.lowerBound..<filter * depth + range.upperBound]
        }
        guard !rows.isEmpty else { continue }
        let product = MatrixProduct(m: each, n: width, k: width)
        var moved = [Float](repeating: 0, count: each * width)
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: product.scratchBytes, alignment: 64)
        defer { scratch.deallocate() }
        moved.withUnsafeMutableBufferPointer {
          product.run(
            a: rows, b: sums[group * blocks + block].own, c: $0.baseAddress!, scratch: scratch, pool: pool)
        }
        for (a, b) in zip(rows, moved) { total += Double(a) * Double(b) }
      }
    }
    return total / Double(count)
  }
}
