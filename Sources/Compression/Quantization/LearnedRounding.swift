import Diagnostics
import Kernels
import Network
import Tensors

/// Chooses the integers of one layer's weight so that its output errs least on samples: `W x`, x being what reaches it
/// in the original network, against `q x'`, x' being what reaches it from layers that are rounded already (the aim of
/// Nagel et al. 2020, AdaRound, in its asymmetric form, met by descending weight by weight).
///
/// Weights are held to what they were by the mean of the squared inputs: where the samples say little, in directions
/// that they hardly have, what they say is chance.
///
/// It keeps sums of products of inputs over sampled places of the samples, `Σ x' x'ᵀ` and `Σ x x'ᵀ`. Long vectors are
/// cut into blocks, products across them left out, so that memory stays bounded.
public final class LearnedRounding {
  /// Weights to a block.
  private static let block = 2048
  /// Places of each image that are sampled.
  private static let places = 16

  private let patches: LayerPatches
  private var groups: Int { patches.groups }
  /// Weights of one filter.
  private var depth: Int { patches.depth }
  /// For each group, for each block, its square matrices: inputs as they come by themselves, and originals by them.
  private var products: [(own: [Float], cross: [Float])] = []

  private var blocks: Int { (depth + Self.block - 1) / Self.block }
  private func range(_ block: Int) -> Range<Int> { block * Self.block..<min(depth, (block + 1) * Self.block) }

  /// - Parameter node: a convolution or dense layer of the graph.
  public init(_ graph: Graph, _ node: Node) {
    patches = LayerPatches(graph, node)
    for _ in 0..<groups {
      for block in 0..<blocks {
        let zeros = [Float](repeating: 0, count: range(block).count * range(block).count)
        products.append((zeros, zeros))
      }
    }
  }

  /// Greater magnitudes have products whose sums float32 does not hold.
  static let largestInput: Float = 1e16

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
    let count = min(images * pixels, images * Self.places)
    guard count > 0 else { return }
    for group in 0..<groups {
      for block in 0..<blocks {
        let range = range(block)
        func rows(_ elements: UnsafeBufferPointer<Float>) -> [Float] {
          var rows = [Float](repeating: 0, count: count * range.count)
          for row in 0..<count {
            let place = row * (images * pixels) / count
            patches.gather(
              elements, image: place / pixels, pixel: place % pixels, group: group, range, into: &rows, at: row)
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
        add(moved, &products[group * blocks + block].own)
        add(x, &products[group * blocks + block].cross)
      }
    }
  }

  /// The integers, starting from the nearest; single ones change as long as that lessens the squared error over the
  /// inputs seen. Each filter with a scale of its own takes of some near that one the best. Zeros stay zero.
  ///
  /// - Parameter weight: the float weight that `nearest` was made of.
  public func rounded(_ weight: Tensor, _ nearest: IntegerValues, pool: ThreadPool) throws -> IntegerValues {
    let filters = weight.shape[0]
    let limit = Float(IntegerValues.limit(bits: nearest.bits))
    // Powers of two stay what they are.
    let isFree = nearest.scales.count == filters && nearest.scales.contains { $0.significand != 1 }
    let factors: [Float] = isFree ? Self.factors : [1]
    var values = nearest.values, scales = nearest.scales
    let cancellation = Cancellation.current  // a filter may take seconds
    weight.withElements(Float.self) { w in
      values.withMutable(Int8.self) { q in
        scales.withUnsafeMutableBufferPointer { scales in
          pool.parallelFor(filters) { filter in
            let row = UnsafeBufferPointer(rebasing: w[filter * depth..<(filter + 1) * depth])
            let place = scales.count == 1 ? 0 : filter
            var best: (error: Float, scale: Float, integers: [Int8])?
            for factor in factors {
              let scale = scales[place] * factor
              var integers = row.map { ($0 / scale).nearestInteger(limit: limit) }
              let error = descend(
                row, &integers, scale, limit, group: filter / max(filters / groups, 1), cancellation)
              if best.map({ error < $0.error }) ?? true { best = (error, scale, integers) }
            }
            if isFree { scales[place] = best!.scale }
            for i in 0..<depth { q[filter * depth + i] = best!.integers[i] }
          }
        }
      }
    }
    try Cancellation.checkCurrent()
    return try IntegerValues(values: values, scales: scales, bits: nearest.bits)
  }

  private static let sweeps = 8
  /// Of the scale that a filter comes with.
  private static let factors: [Float] = [1, 0.85, 0.92, 1.08, 1.16]

  /// - Returns: the squared error of the filter's output, less what does not depend on the integers.
  private func descend(
    _ w: UnsafeBufferPointer<Float>, _ q: inout [Int8], _ scale: Float, _ limit: Float, group: Int,
    _ cancellation: Cancellation?
  ) -> Float {
    var error: Float = 0
    var pace = Cancellation.Pace(of: cancellation)
    for block in 0..<blocks {
      let range = range(block), count = range.count, first = range.lowerBound
      let (own, cross) = products[group * blocks + block]
      let damping = (0..<count).reduce(0) { $0 + own[$1 * count + $1] } / Float(count)
      /// Half the slope of the squared error, and the part of it that stays.
      var slope = [Float](repeating: 0, count: count)
      func add(_ factor: Float, _ products: [Float], _ index: Int) {
        products.withUnsafeBufferPointer { products in
          let row = products.baseAddress! + index * count
          slope.withUnsafeMutableBufferPointer { slope in
            for i in 0..<count { slope[i] += factor * row[i] }
          }
        }
      }
      for i in 0..<count {
        add(-w[first + i], cross, i)
        slope[i] -= damping * w[first + i]
      }
      let fixed = slope
      func move(_ i: Int, by step: Float) {
        add(step, own, i)
        slope[i] += damping * step
      }
      for i in 0..<count where q[first + i] != 0 { move(i, by: Float(q[first + i]) * scale) }
      for _ in 0..<Self.sweeps {
        var isDone = true
        for i in 0..<count where w[first + i] != 0 {
          let curvature = own[i * count + i] + damping, old = q[first + i]
          guard curvature > 0 else { continue }
          if pace.stops(after: count) { return error }
          let next = (Float(old) - slope[i] / (curvature * scale)).nearestInteger(limit: limit)
          guard next != old else { continue }
          move(i, by: Float(Int(next) - Int(old)) * scale)
          q[first + i] = next
          isDone = false
        }
        if isDone { break }
      }
      for i in 0..<count { error += Float(q[first + i]) * scale * (slope[i] + fixed[i]) }
    }
    return error
  }
}
