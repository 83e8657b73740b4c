import CPacked
import Diagnostics
import Kernels
import Synchronization
import Tensors

/// Elements that follow each other, perhaps of several tensors, and their coded bytes.
struct PackedStream {
  let coding: Int
  let elements: Int
  let bytes: [UInt8]

  /// Part of a tensor.
  private struct Part {
    let tensor: Int
    let first: Int
    let count: Int
  }

  /// Elements of a stream: few enough that many threads have something to do, and many for what its models learn.
  private static let mostElements = 1 << 20
  /// Elements below which static tables cost more than the time they save is worth.
  private static let fewestFast = 1 << 15

  /// Which elements make streams: whole rows of large tensors, several small tensors together. Depends on their numbers
  /// alone.
  private static func groups(_ tensors: [(layout: PackedTensor, values: Tensor)], isFast: Bool) -> [[Part]] {
    var groups: [[Part]] = [], open: [Part] = [], elements = 0
    func close() {
      if !open.isEmpty { groups.append(open) }
      open = []
      elements = 0
    }
    for (index, tensor) in tensors.enumerated() {
      let row = tensor.layout.rowCount
      let most = row >= mostElements ? mostElements : mostElements / row * row
      let isAlone = isFast && tensor.layout.count >= fewestFast || isConstant(tensor)
      var first = 0
      while first < tensor.layout.count {
        // Parts of a long row end where it does.
        let left = row > most ? min(most, row - first % row) : most
        let count = min(left, tensor.layout.count - first)
        if isAlone || elements + count > mostElements { close() }
        open.append(Part(tensor: index, first: first, count: count))
        elements += count
        first += count
        if isAlone { close() }
      }
    }
    close()
    return groups
  }

  /// Numbers that are worth a stream of their own when they are all alike.
  private static let fewestConstant = 256

  private static func isConstant(_ tensor: (layout: PackedTensor, values: Tensor)) -> Bool {
    guard tensor.layout.count >= fewestConstant else { return false }
    return tensor.values.withBytes { bytes in
      let size = tensor.layout.dtype.size
      return (size..<bytes.count).allSatisfy { bytes[$0] == bytes[$0 - size] }
    }
  }

  /// All elements of the tensors, each stream in the coding that makes it smallest.
  ///
  /// - Parameter tensors: contiguous.
  /// - Throws: `CompressError` when the running work is to stop.
  static func coded(
    _ tensors: [(layout: PackedTensor, values: Tensor)], _ options: PackedFormat.Options
  ) throws -> [PackedStream] {
    let groups = groups(tensors, isFast: options.isFast)
    let total = tensors.reduce(0) { $0 + $1.layout.count }
    let pool = try PackedFormat.pool(forElements: total, threads: options.threads)
    var streams = [[PackedStream]](repeating: [], count: groups.count)
    try withExtendedLifetime(tensors) {
      // A few for each thread at a time, so that how far it is can be told in between.
      var done = 0
      for run in stride(from: 0, to: groups.count, by: 2 * pool.threads) {
        let end = min(run + 2 * pool.threads, groups.count)
        streams.withUnsafeMutableBufferPointer { streams in
          pool.parallelFor(end - run) { streams[run + $0] = coded(groups[run + $0], of: tensors, options) }
        }
        try Cancellation.checkCurrent()
        done += streams[run..<end].joined().reduce(0) { $0 + $1.elements }
        options.progress(done, total)
      }
    }
    return Array(streams.joined())
  }

  /// Bytes of a stream beside those that are coded: its entry and its checksum, at most.
  private static let overhead = 1 + 7 + 7 + 4
  /// Elements below which a stream of their own is not worth trying.
  private static let fewestAlone = 256

  /// A group's parts in one stream, or in several where some of them take less alone: models that learn cost something
  /// where there is nothing to be learned.
  private static func coded(
    _ parts: [Part], of tensors: [(layout: PackedTensor, values: Tensor)], _ options: PackedFormat.Options
  ) -> [PackedStream] {
    let (whole, bits) = stream(parts, of: tensors, options)
    guard parts.count > 1 else { return [whole] }
    let saved = zip(parts, bits).map { part, bits in
      guard part.count >= fewestAlone else { return 0 }
      return Int(bits / 8) - stream([part], of: tensors, options, isAdaptive: false).stream.bytes.count - overhead
    }
    func cost(_ streams: [PackedStream]) -> Int { streams.reduce(0) { $0 + $1.bytes.count + overhead } }
    var best = [whole]
    let candidates = saved.indices.filter { saved[$0] > 0 }
    guard let most = candidates.max(by: { saved[$0] < saved[$1] }) else { return best }
    // The one that saves most, or all of them: models begin anew behind each.
    for apart in candidates.count > 1 ? [[most], candidates] : [candidates] {
      var runs: [[Part]] = [[]]
      for (index, part) in parts.enumerated() {
        if apart.contains(index) { runs += [[part], []] } else { runs[runs.count - 1].append(part) }
      }
      let streams = runs.filter { !$0.isEmpty }.map { stream($0, of: tensors, options).stream }
      if cost(streams) < cost(best) { best = streams }
    }
    return best
  }

  /// Parts as one stream in the coding that makes it smallest, and how many bits each of them takes.
  ///
  /// - Parameter isAdaptive: whether models that learn are tried; of several parts nothing else can be.
  private static func stream(
    _ parts: [Part], of tensors: [(layout: PackedTensor, values: Tensor)], _ options: PackedFormat.Options,
    isAdaptive: Bool = true
  ) -> (stream: PackedStream, bits: [UInt64]) {
    // Tensors that are contiguous and stay are where they are, and so are copies of their offsets.
    let offsets = parts.map { part -> UnsafeMutablePointer<Int16>? in
      let offsets = tensors[part.tensor].layout.offsets
      guard !offsets.isEmpty else { return nil }
      let copy = UnsafeMutablePointer<Int16>.allocate(capacity: offsets.count)
      copy.initialize(from: offsets, count: offsets.count)
      return copy
    }
    defer { for copy in offsets { copy?.deallocate() } }
    let pieces = zip(parts, offsets).map { part, offsets in
      let (layout, values) = tensors[part.tensor]
      let start = values.withBytes { UnsafeMutableRawPointer(mutating: $0.baseAddress!) }
      return layout.piece(
        start + part.first * layout.dtype.size, first: part.first, count: part.count, offsets: offsets)
    }
    let elements = parts.reduce(0) { $0 + $1.count }
    let isFast = options.isFast && parts.count == 1 && elements >= fewestFast
    // In the order of what opens fastest; of equal ones the first is taken.
    let simple = [cp_constant, cp_plain, cp_bits, cp_rans].map { Int32($0) }
    let codings = (parts.count == 1 ? simple : []) + (isFast || !isAdaptive ? [] : [Int32(cp_mixed)])
    let plain = parts.reduce(0) { $0 + $1.count * tensors[$1.tensor].layout.dtype.size }
    // Incompressible elements of several tensors have no plain form: adaptive models add next to nothing.
    let capacity = plain + plain / 8 + 256
    var best: PackedStream?
    var out = [UInt8](repeating: 0, count: capacity), bits = [UInt64](repeating: 0, count: parts.count), found = bits
    for coding in codings {
      let count = PackedFormat.withWorkspace(cp_workspace(coding, pieces, pieces.count)) {
        cp_encode(coding, pieces, pieces.count, $0, &out, min(capacity, best.map { $0.bytes.count } ?? capacity), &bits)
      }
      guard count > 0, count < best?.bytes.count ?? .max else { continue }
      best = PackedStream(coding: Int(coding), elements: elements, bytes: Array(out.prefix(count)))
      found = bits
      if coding == Int32(cp_constant) { break }
    }
    guard let best else { preconditionFailure("\(elements) elements take more than \(capacity) bytes") }
    return (best, found)
  }
}
