import Compression
import Diagnostics
import Kernels
import Network
import Runtime
import Tensors

/// What a layer of a smaller network is fitted to (`Reconstruction`): what reaches it at places of samples, and what it is
/// to give there.
struct ReconstructionRows {
  let patches: LayerPatches
  let filters: Int
  /// Of places, over all samples.
  let count: Int
  /// Of a row of inputs: the weights of a filter, and a one for the bias if there is one.
  let columns: Int
  /// By group, row by row.
  private(set) var inputs: [[Float]]
  /// Row by row, what each filter is to give: what the same channels gave before, less the error of what is added to
  /// them.
  private(set) var wanted: [Float]

  /// Samples at once.
  private static let batch = 16
  /// Values of inputs that are held.
  private static let mostValues = 32 << 20

  /// - Throws: `CompressError` when a value is not finite, or stopping was requested.
  init(
    _ node: Node, of model: Model, _ images: Tensor, _ kept: [String: [Int]], _ original: Model, _ context: WorkContext
  ) throws {
    let graph = model.graph, samples = images.shape[0]
    let patches = LayerPatches(graph, node), filters = graph.shape(of: node.output).dims.last!
    let columns = patches.depth + (model[node.name, .bias] == nil ? 0 : 1)
    let most = min(Reconstruction.mostPlaces, Self.mostValues / (patches.groups * columns))
    let places = max(1, min(patches.pixels, most / samples)), pixels = patches.pixels
    self.patches = patches
    self.filters = filters
    self.columns = columns
    count = samples * places
    inputs = [[Float]](repeating: [Float](repeating: 0, count: count * columns), count: patches.groups)
    wanted = [Float](repeating: 0, count: count * filters)
    let shortcut = Shortcut(of: node, in: model)
    let beside = shortcut.map { [$0.value] } ?? []
    let now = try Values(of: model, [node.inputs[0]] + beside, context)
    let before = try Values(of: original, [node.output] + beside, context)
    let own = kept[node.output] ?? Array(0..<filters), width = original.graph.shape(of: node.output).dims.last!
    let others = shortcut.map { kept[$0.value] ?? Array(0..<filters) } ?? []
    let otherWidth = shortcut.map { original.graph.shape(of: $0.value).dims.last! } ?? 0
    var random = SeededRandom(seed: 0).stream("places of \(node.name)")
    var row = 0
    for first in stride(from: 0, to: samples, by: Self.batch) {
      try context.step()
      let part = try images.sliced(axis: 0, first..<min(first + Self.batch, samples))
      let new = try now.of(part, first: first), old = try before.of(part, first: first)
      for sample in 0..<part.shape[0] {
        let input = new[0][sample], target = old[0][sample]
        for place in 0..<places {
          let pixel = places == pixels ? place : random.below(pixels)
          for f in 0..<filters { wanted[row * filters + f] = target[pixel * width + own[f]] }
          if let shortcut {
            let whole = old[1][sample], smaller = new[1][sample]
            for f in 0..<filters {
              let error = whole[pixel * otherWidth + others[f]] - smaller[pixel * filters + f]
              wanted[row * filters + f] += error / (shortcut.factors?[f] ?? 1)
            }
          }
          for group in 0..<patches.groups {
            input.withUnsafeBufferPointer {
              patches.gather(
                $0, image: 0, pixel: pixel, group: group, 0..<patches.depth, into: &inputs[group], at: row,
                width: columns)
            }
            if columns > patches.depth { inputs[group][row * columns + patches.depth] = 1 }
          }
          row += 1
        }
      }
    }
  }
}


/// What else goes into the sum that a layer's output goes into: computed before the layer, in the shape of its output.
private struct Shortcut {
  let value: String
  /// What a batch norm between layer and sum multiplies its channels with.
  let factors: [Float]?

  /// nil where there is none.
  init?(of node: Node, in model: Model) {
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
      graph.index(ofValue: other)! < graph.index(ofValue: node.output)!
    else { return nil }
    self.value = other
    self.factors = factors
  }
}

/// Some values of a network: its inputs as they come, the others computed.
private struct Values {
  private enum Source {
    /// Elements of a sample, or of what the session gives for one.
    case input(Range<Int>)
    case computed(Range<Int>)
  }

  private let sources: [Source]
  private let session: Session?

  init(of model: Model, _ names: [String], _ context: WorkContext) throws {
    let graph = model.graph
    let computed = names.filter { !graph.inputs.contains($0) }
    session =
      computed.isEmpty
      ? nil : Session(try compile(model.upTo(computed), CompileOptions(maxBatch: 16)), pool: context.pool)
    func range(_ name: String, among all: [String]) -> Range<Int> {
      let first = all.prefix { $0 != name }.reduce(0) { $0 + graph.shape(of: $1).count }
      return first..<first + graph.shape(of: name).count
    }
    sources = names.map {
      graph.inputs.contains($0) ? .input(range($0, among: graph.inputs)) : .computed(range($0, among: computed))
    }
  }

  /// By value, by sample.
  ///
  /// - Parameter first: the place of the first sample, for errors.
  func of(_ images: Tensor, first: Int) throws -> [[[Float]]] {
    let count = images.shape[0], pixels = images.array(Float.self), found = try session?.run(images)
    if let found, let bad = found.firstNonFinite {
      throw CompressError("a value for sample \(first + bad.index / (found.count / count) + 1) is \(bad.value)")
    }
    let elements = found?.array(Float.self) ?? []
    func rows(_ all: [Float], _ range: Range<Int>) -> [[Float]] {
      let width = all.count / count
      return (0..<count).map { Array(all[$0 * width + range.lowerBound..<$0 * width + range.upperBound]) }
    }
    return sources.map {
      switch $0 {
      case .input(let range): rows(pixels, range)
      case .computed(let range): rows(elements, range)
      }
    }
  }
}
