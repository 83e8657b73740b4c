import Diagnostics
import Network
import Tensors

/// What a file says of its inputs, and which of their axes is the batch.
extension ONNXImporter {
  /// The extents of an input as the file and the options have them.
  func extents(_ input: ONNXValueMessage) throws -> [ONNXValueMessage.Extent] {
    let shown = Self.shown(input)
    var extents: [ONNXValueMessage.Extent]? = input.shape
    if let given = options.inputShapes[input.name] {
      if let extents, extents.count != given.count {
        throw CompressError("\(shown) has \(extents.count) axes, not \(given.count)")
      }
      for (axis, extent) in (extents ?? []).enumerated() {
        if case .fixed(let size) = extent, size != given[axis] {
          throw CompressError("\(shown) has \(size) elements along axis \(axis), not \(given[axis])")
        }
      }
      extents = given.map { .fixed($0) }
    }
    guard var extents else { throw CompressError("\(shown) has no shape", kind: .input) }
    if options.isBatchOne, case .dynamic? = extents.first { extents[0] = .fixed(1) }
    return extents
  }

  static func shown(_ input: ONNXValueMessage) -> String {
    "input \"\(input.name.escapedForTerminal.shortened(to: 120))\""
  }

  /// Which inputs have the batch as their first axis: all of them, where all agree on its size. Otherwise the batch is
  /// one sample: inputs have it whose first axis has one element or varies, and the others are taken as they are.
  mutating func findBatch(_ inputs: [ONNXValueMessage]) throws -> [Bool] {
    if let name = options.inputShapes.keys.sorted().first(where: { name in !inputs.contains { $0.name == name } }) {
      throw CompressError(
        "has no input \"\(name.escapedForTerminal.shortened(to: 80))\""
          + Suggestion.text(for: name, among: inputs.map(\.name)))
    }
    guard options.hasBatch else { return inputs.map { _ in false } }
    let shapes = try inputs.map(extents)
    var sizes: Set<Int> = []
    for shape in shapes { if case .fixed(let size)? = shape.first { sizes.insert(size) } }
    if sizes.count <= 1, shapes.allSatisfy({ !$0.isEmpty }) {
      batch = sizes.first
      if let batch, batch > 1 << 16 {
        throw CompressError("the inputs fix a batch of \(batch) samples; at most 65536 are taken", kind: .limit)
      }
      if batch == 0 { throw CompressError("\(Self.shown(inputs[0])) is empty: it has no samples", kind: .input) }
      return inputs.map { _ in true }
    }
    batch = 1
    return shapes.map { shape in
      if case .fixed(let size)? = shape.first, size != 1 { return false }
      return shape.count > 1
    }
  }

  mutating func input(_ input: ONNXValueMessage, hasBatch: Bool) throws -> Held {
    let shown = Self.shown(input), element = try ONNXElement(checking: input.element)
    if element != .float32 { elements[input.name] = element }
    var extents = try extents(input)
    if hasBatch { extents.removeFirst() }
    let dynamic = extents.enumerated().compactMap { axis, extent -> String? in
      guard case .dynamic(let name) = extent else { return nil }
      return "\(axis + (hasBatch ? 1 : 0))" + (name.isEmpty ? "" : " (\(name.escapedForTerminal))")
    }
    guard dynamic.isEmpty else {
      throw CompressError(
        "the extent of \(shown) varies along axis " + dynamic.joined(separator: ", ")
          + "; only the batch may vary", kind: .input,
        hint: "its shape can be given: --input \(input.name.escapedForTerminal.shortened(to: 40))=1x3x224x224, say")
    }
    let dims = extents.compactMap { if case .fixed(let size) = $0 { size } else { nil } }
    guard dims.allSatisfy({ $0 > 0 }) else { throw CompressError("\(shown) is empty: shape \(dims)", kind: .input) }
    _ = try Shape(checking: dims)
    // Images are held with their channels last, which is how the file has them where all it does is to transpose them.
    let readers = (readers[input.name] ?? []).map { nodes[$0] }
    let isChannelsLast =
      !readers.isEmpty
      && readers.allSatisfy {
        $0.kind == "Transpose" && $0.attributes["perm"]?.integers == [0, 3, 1, 2]
      }
    let order = dims.count == 3 && hasBatch && !isChannelsLast ? [1, 2, 0] : Array(dims.indices)
    let held = Held("", dims, order: order, hasBatch: hasBatch)
    let name = try emit(.input(Input(held.shape)), [], named: input.name)
    return Held(name, dims, order: order, hasBatch: hasBatch)
  }
}
