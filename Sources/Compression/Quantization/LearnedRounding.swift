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
/// What inputs are like it knows by sums of their products (`InputProducts`).
public final class LearnedRounding {
  /// Weights to a block, and places of each image that are sampled.
  private static let block = 2048, places = 16

  private let products: InputProducts
  private var groups: Int { products.groups }
  /// Weights of one filter.
  private var depth: Int { products.depth }

  /// - Parameter node: a convolution or dense layer of the graph.
  public init(_ graph: Graph, _ node: Node) {
    products = InputProducts(graph, node, block: Self.block, places: Self.places)
  }

  /// Takes in the layer's input for one batch (`InputProducts.observe`).
  public func observe(
    original: UnsafeBufferPointer<Float>, rounded: UnsafeBufferPointer<Float>, pool: ThreadPool
  ) throws {
    try products.observe(original: original, rounded: rounded, pool: pool)
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
    for block in 0..<products.blocks {
      let range = products.range(block), count = range.count, first = range.lowerBound
      let (own, cross) = products.sums(group: group, block: block)
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
