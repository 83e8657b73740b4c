import Compression
import Diagnostics
import Kernels
import Network
import Runtime
import Tensors

/// What reaches the layers of a network, one layer after the other, for the same samples, as the layers get it: rounded
/// where the model rounds it.
///
/// What later layers start from is kept, so that going on to a layer computes what lies between it and those before, not
/// the network from its beginning. What finds no room is computed anew. Both give the same numbers.
struct LayerStream {
  /// Bytes of values that are kept.
  static let mostBytes = 1 << 30

  private let graph: Graph
  private let images: Tensor
  private let limit: Int
  private let pool: ThreadPool
  private let layers: [String]
  /// By value, the last of `layers` that starts from it.
  private let lastUses: [String: Int]
  /// By value: those of the samples that were asked for, in order.
  private var kept: [String: [Float]] = [:]

  // Of the layer that was gone on to:

  private var source = ""
  private var encoding: ActivationEncoding?
  /// nil where its input is there already.
  private var session: Session?
  /// What the session starts from, behind the network's inputs, if it needs these.
  private var starts: [String] = []
  private var startsFromInputs = false

  /// - Parameters:
  ///   - layers: those that will be gone on to, in the graph's order; each has a weight.
  ///   - images: float32.
  ///   - limit: bytes of values that are kept at most.
  init(_ graph: Graph, through layers: [String], on images: Tensor, limit: Int = mostBytes, pool: ThreadPool) {
    self.graph = graph
    self.images = images
    self.limit = limit
    self.pool = pool
    self.layers = layers
    var lastUses: [String: Int] = [:], known: Set<String> = []
    for (index, layer) in layers.enumerated() {
      let source = Self.source(of: layer, in: graph)
      for start in Self.path(to: source, from: known, in: graph).starts { lastUses[start] = index }
      known.insert(source)
    }
    self.lastUses = lastUses
  }

  private static func source(of layer: String, in graph: Graph) -> String { graph.origin(of: graph[layer]!.inputs[0]) }

  /// The nodes between values that are known and one that is wanted, in the graph's order, and which of the known values
  /// they start from: the wanted one itself if it is known. The network's inputs are nodes.
  private static func path(
    to value: String, from known: Set<String>, in graph: Graph
  ) -> (nodes: [Node], starts: [String]) {
    var wanted: Set<String> = [value], nodes: [Node] = [], starts: [String] = []
    for node in graph.nodes.reversed() {
      let own = node.outputs.filter(wanted.contains)
      guard !own.isEmpty else { continue }
      if own.allSatisfy(known.contains) {
        starts += own
      } else {
        nodes.append(node)
        wanted.formUnion(node.inputs)
      }
    }
    return (nodes.reversed(), starts.reversed())
  }

  /// Makes ready for a layer: the next one of those there are, or a later one.
  ///
  /// - Parameter model: of the same graph; what lies before the layer is as it will be.
  mutating func advance(to layer: String, in model: Model) throws {
    let index = layers.firstIndex(of: layer)!
    kept = kept.filter { lastUses[$0.key]! >= index }
    source = Self.source(of: layer, in: graph)
    encoding = model.activations[source]
    session = nil
    guard kept[source] == nil, !graph.inputs.contains(source) else { return }
    let path = Self.path(to: source, from: Set(kept.keys), in: graph)
    starts = path.starts
    // Of constants alone nothing would be a network.
    startsFromInputs = starts.isEmpty || path.nodes.contains { $0.op.isInput }
    session = Session(
      try compile(segment(path.nodes, of: model), CompileOptions(maxBatch: Calibration.batch)), pool: pool)
    let bytes = images.shape[0] * graph.shape(of: source).count * MemoryLayout<Float>.stride
    let held = kept.values.reduce(0) { $0 + $1.count * MemoryLayout<Float>.stride }
    guard lastUses[source] ?? index > index, held + bytes <= limit else { return }
    kept[source] = []
    kept[source]!.reserveCapacity(bytes / MemoryLayout<Float>.stride)
  }

  /// The part of a model that computes the source from what it starts from. All of the network's inputs are there if any
  /// is: samples have them together.
  private func segment(_ nodes: [Node], of model: Model) throws -> Model {
    let inputs = startsFromInputs ? graph.nodes.filter(\.op.isInput) : []
    var parameters: [String: [ParameterRole: Parameter]] = [:]
    let inner = nodes.filter { !$0.op.isInput }.map { node in
      // Those it shares may lie outside.
      var own = node
      own.sharing = nil
      for spec in graph.parameterSpecs(of: node) {
        parameters[node.name, default: [:]][spec.role] = model[node.name, spec.role]
      }
      return own
    }
    let known = starts.map { Node($0, .input(Input(graph.shape(of: $0)))) }
    let part = try Graph(inputs + known + inner, outputs: [source])
    return try Model(
      graph: part, parameters: parameters,
      activations: model.activations.filter { part.index(ofValue: $0.key) != nil })
  }

  /// What reaches the layer.
  ///
  /// - Parameter range: of the samples, at most `Calibration.batch`. Each is asked for once, in order.
  mutating func values(_ range: Range<Int>) throws -> [Float] {
    guard let session else {
      let width = graph.shape(of: source).count
      if let values = kept[source] { return Array(values[range.lowerBound * width..<range.upperBound * width]) }
      // One of the network's inputs, which each sample has one after the other.
      let pixels = try images.sliced(axis: 0, range).array(Float.self), stride = graph.inputShape.count
      let first = graph.inputs.prefix { $0 != source }.reduce(0) { $0 + graph.shape(of: $1).count }
      let values = range.indices.flatMap { index in
        let start = (index - range.lowerBound) * stride + first
        return pixels[start..<start + width]
      }
      return encoding.map { values.map($0.rounded) } ?? values
    }
    var found: [Float] = []
    let wanted = source
    try session.run(samples(range, session.plan.inputShape), decodes: true) { value, elements in
      if value == wanted { found = Array(elements) }
    }
    kept[source]?.append(contentsOf: found)
    return found
  }

  /// What the session takes: of each sample the network's own inputs, if they are needed, then values that are kept.
  private func samples(_ range: Range<Int>, _ shape: Shape) throws -> Tensor {
    var parts = starts.map { start in
      let width = graph.shape(of: start).count
      return (values: kept[start]![range.lowerBound * width..<range.upperBound * width], width: width)
    }
    if startsFromInputs {
      parts.insert((try images.sliced(axis: 0, range).array()[...], graph.inputShape.count), at: 0)
    }
    var samples: [Float] = []
    samples.reserveCapacity(range.count * shape.count)
    for index in 0..<range.count {
      for (values, width) in parts {
        let start = values.startIndex + index * width
        samples += values[start..<start + width]
      }
    }
    return Tensor(samples, shape.batched(range.count))
  }
}
