import Compression
import Datasets
import Diagnostics
import Kernels
import Network
import Runtime
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
  private static let batch = 16
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
    let graph = model.graph, patches = LayerPatches(graph, node)
    let shortcut = shortcut(of: node, in: model)
    let now = try Values(
      of: model, [node.inputs[0]] + (shortcut.map { [$0.value] } ?? []), at: images, context)
    let before = try Values(
      of: original, [node.output] + (shortcut.map { [$0.value] } ?? []), at: images, context)
    let samples = images.shape[0], filters = graph.shape(of: node.output).dims.last!
    let places = max(1, min(patches.pixels, Self.mostPlaces / samples)), count = samples * places
    var random = SeededRandom(seed: 0).stream("places of \(node.name)")
    let chosen = (0..<count).map { _ in patches.pixels == places ? 0 : random.below(patches.pixels) }
    func pixel(_ row: Int) -> Int { patches.pixels == places ? row % places : chosen[row] }

    // What the layer is to give: the same channels as before, less the error of what is added to them.
    var wanted = [Float](repeating: 0, count: count * filters)
    let own = kept[node.output] ?? Array(0..<filters)
    let beside = shortcut.map { kept[$0.value] ?? Array(0..<filters) }
    let width = original.graph.shape(of: node.output).dims.last!
    for row in 0..<count {
      let sample = row / places, pixel = pixel(row)
      let value = before[0, sample]
      for f in 0..<filters { wanted[row * filters + f] = value[pixel * width + own[f]] }
      guard let shortcut, let beside else { continue }
      let old = before[1, sample], new = now[1, sample]
      let oldWidth = original.graph.shape(of: shortcut.value).dims.last!
      for f in 0..<filters {
        let error = old[pixel * oldWidth + beside[f]] - new[pixel * filters + f]
        wanted[row * filters + f] += error / (shortcut.factors?[f] ?? 1)
      }
    }
    try context.step()

    let weight = model[node.name, .weight]!, bias = model[node.name, .bias]
    var weights = weight.values.array(Float.self), biases = bias?.values.array(Float.self)
    let depth = patches.depth, each = filters / patches.groups, columns = depth + (biases == nil ? 0 : 1)
    var hasChanged = false
    for group in 0..<patches.groups {
      // Rows of the inputs, with a one for the bias.
      var inputs = [Float](repeating: 0, count: count * columns)
      for row in 0..<count {
        now[0, row / places].withUnsafeBufferPointer {
          patches.gather(
            $0, image: 0, pixel: pixel(row), group: group, 0..<depth, into: &inputs, at: row, width: columns)
        }
        if biases != nil { inputs[row * columns + depth] = 1 }
      }
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

  /// What else goes into the sum that a layer's output goes into.
  private struct Shortcut {
    let value: String
    /// What a batch norm between layer and sum multiplies its channels with.
    let factors: [Float]?
  }

  /// A shortcut that is computed before the layer, in the shape of its output.
  private func shortcut(of node: Node, in model: Model) -> Shortcut? {
    let graph = model.graph, consumers = graph.consumers
    func next(_ value: String) -> Node? {
      guard !graph.isOutput(value), let names = consumers[value], names.count == 1 else { return nil }
      return graph[names[0]]
    }
    guard var reader = next(node.output) else { return nil }
    var value = node.output, factors: [Float]?
    if reader.op.isBatchNorm {
      let found = model.normFactors(of: reader.name)
      guard found.allSatisfy({ $0 != 0 }), let behind = next(reader.output) else { return nil }
      (value, factors, reader) = (reader.output, found, behind)
    }
    guard case .add = reader.op, reader.inputs.count == 2,
      let other = reader.inputs.first(where: { $0 != value }), graph.shape(of: other) == graph.shape(of: value),
      graph.index(ofValue: other)! < graph.index(ofValue: node.output)!,
      !graph.producer(of: other)!.op.isInput
    else { return nil }
    return Shortcut(value: other, factors: factors)
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

  /// Some values of a network for some samples.
  private struct Values {
    private var samples: [[[Float]]]  // by value, by sample

    init(of model: Model, _ names: [String], at images: Tensor, _ context: WorkContext) throws {
      samples = names.map { _ in [] }
      let count = images.shape[0], size = images.count / max(count, 1)
      // The input itself needs no network.
      if names.count == 1, model.graph.inputs == names {
        let pixels = images.array(Float.self)
        samples[0] = (0..<count).map { Array(pixels[$0 * size..<($0 + 1) * size]) }
        return
      }
      let counts = names.map { model.graph.shape(of: $0).count }, width = counts.reduce(0, +)
      let session = Session(
        try compile(model.upTo(names), CompileOptions(maxBatch: Reconstruction.batch)), pool: context.pool)
      for first in stride(from: 0, to: count, by: Reconstruction.batch) {
        try context.step()
        let part = try images.sliced(axis: 0, first..<min(first + Reconstruction.batch, count))
        let found = try session.run(part)
        if let bad = found.firstNonFinite {
          throw CompressError("a value for sample \(first + bad.index / max(width, 1) + 1) is \(bad.value)")
        }
        let elements = found.array(Float.self)
        for row in 0..<part.shape[0] {
          var start = row * width
          for (value, count) in counts.enumerated() {
            samples[value].append(Array(elements[start..<start + count]))
            start += count
          }
        }
      }
    }

    subscript(value: Int, sample: Int) -> [Float] { samples[value][sample] }
  }
}
