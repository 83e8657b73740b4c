import Compression
import Datasets
import Diagnostics
import Kernels
import Network
import Tensors

/// Fits the weights of a network that lost channels to the network it came from: each layer in turn, in the network's
/// order, is to give what the same channels of it gave before, by least squares over places of samples, with what now
/// reaches it (He, Zhang and Sun 2017, "Channel Pruning for Accelerating Very Deep Neural Networks"; no labels, no
/// gradients). A layer whose output is added to what a shortcut brings takes back the shortcut's error, too.
///
/// Weights are held to what they were by a thousandth of the mean of the squared inputs: where samples say little, they
/// stay.
public struct Reconstruction {
  /// The first so many samples are looked at, at so many places together.
  public static let mostSamples = 256, mostPlaces = 8192
  /// Layers whose filters have more weights stay as they are.
  public static let mostDepth = 2048
  private static let damping = 1e-3
  /// Squared errors below this share of the output's squares are rounding.
  private static let nothing = 1e-10

  private let original: Model
  private let kept: [String: [Int]]
  private let data: any Dataset
  private let context: WorkContext

  /// - Parameters:
  ///   - kept: by value, the channels of the original that the smaller network has; all, where a value is not listed.
  ///   - data: samples of the network's input shape, one or more.
  public init(of original: Model, kept: [String: [Int]], on data: any Dataset, context: WorkContext) {
    self.original = original
    self.kept = kept
    self.data = data
    self.context = context
  }

  /// What came of it.
  public struct Outcome {
    public let model: Model
    /// Layers whose weights changed.
    public let fitted: [String]
    /// Layers that stayed as they are, though something before them changed: filters too large, or pruned weight by
    /// weight.
    public let skipped: [String]
  }

  /// Tells a step of progress for each layer with weights.
  ///
  /// - Throws: `CompressError` when a sample or a value is not finite, or stopping was requested.
  public func fitted(_ smaller: Model) throws -> Outcome {
    var model = smaller, fitted: [String] = [], skipped: [String] = []
    let batch = try data.batch(0..<min(Self.mostSamples, data.count))
    try data.checkFinite(batch, first: 0)
    for (number, name) in smaller.weightLayers.enumerated() where !smaller.graph.isShared(name) {
      context.progress.update(done: number, detail: name)
      let node = smaller.graph[name]!
      guard LayerPatches(smaller.graph, node).depth <= Self.mostDepth, let weight = model[name, .weight],
        weight.mask == nil, case .float = weight.encoding
      else {
        skipped.append(name)
        continue
      }
      if try atLayer(name, { try fit(node, of: &model, on: batch.images) }) { fitted.append(name) }
    }
    return Outcome(model: model, fitted: fitted, skipped: skipped)
  }

  /// - Returns: whether the layer had anything to make up for.
  private func fit(_ node: Node, of model: inout Model, on images: Tensor) throws -> Bool {
    let rows = try ReconstructionRows(node, of: model, images, kept, original, context)
    let filters = rows.filters, count = rows.count, patches = rows.patches, wanted = rows.wanted
    let weight = model[node.name, .weight]!, bias = model[node.name, .bias]
    var weights = weight.values.array(Float.self), biases = bias?.values.array(Float.self)
    let depth = patches.depth, each = filters / patches.groups, columns = rows.columns
    var hasChanged = false
    for group in 0..<patches.groups {
      let inputs = rows.inputs[group]
      var current = [Float](repeating: 0, count: each * columns)
      for f in 0..<each {
        let filter = group * each + f
        for i in 0..<depth { current[f * columns + i] = weights[filter * depth + i] }
        if let biases { current[f * columns + depth] = biases[filter] }
      }
      // What is missing: wanted - inputs · weights.
      var missing = [Float](repeating: 0, count: count * each)
      product(count, each, columns, transposeB: true, inputs, current, into: &missing)
      var error = 0.0, size = 0.0
      for row in 0..<count {
        for f in 0..<each {
          let target = wanted[row * filters + group * each + f]
          missing[row * each + f] = target - missing[row * each + f]
          error += Double(missing[row * each + f]) * Double(missing[row * each + f])
          size += Double(target) * Double(target)
        }
      }
      guard error > Self.nothing * size, error > 0 else { continue }
      var squares = [Float](repeating: 0, count: columns * columns)
      product(columns, columns, count, transposeA: true, inputs, inputs, into: &squares)
      var sums = [Float](repeating: 0, count: columns * each)
      product(columns, each, count, transposeA: true, inputs, missing, into: &sums)
      guard let change = NormalEquations.solve(squares, sums, columns: each, damping: Self.damping) else { continue }
      try context.step()
      for f in 0..<each {
        let filter = group * each + f
        for i in 0..<depth { weights[filter * depth + i] += Float(change[i * each + f]) }
        biases?[filter] += Float(change[depth * each + f])
      }
      hasChanged = true
    }
    guard hasChanged else { return false }
    try model.set(weight.encoded(as: .float(Tensor(weights, weight.shape))), node.name, .weight)
    if let biases { try model.set(Parameter(Tensor(biases)), node.name, .bias) }
    return true
  }

  private func product(
    _ m: Int, _ n: Int, _ k: Int, transposeA: Bool = false, transposeB: Bool = false, _ a: [Float], _ b: [Float],
    into c: inout [Float]
  ) {
    let product = MatrixProduct(m: m, n: n, k: k, transposeA: transposeA, transposeB: transposeB)
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: product.scratchBytes, alignment: 64)
    defer { scratch.deallocate() }
    c.withUnsafeMutableBufferPointer {
      product.run(a: a, b: b, c: $0.baseAddress!, scratch: scratch, pool: context.pool)
    }
  }
}
