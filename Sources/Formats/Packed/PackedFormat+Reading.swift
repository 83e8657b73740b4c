import CPacked
import Diagnostics
import Files
import Kernels
import Network
import Tensors

// Files come from anywhere: nothing in them is believed before it is checked.
extension PackedFormat {
  /// Reads a model.
  ///
  /// - Throws: `CompressError` with the path and the numbers when the file cannot be read, is truncated, damaged, of
  ///   another version, claims more than it can hold, or describes no valid model.
  public static func read(_ path: String) throws -> Model {
    let file = try MappedFile(path)
    return try atFile(path) { try file.withBytes { try opened($0, threads: nil).model } }
  }

  /// Reads a model from memory.
  ///
  /// - Throws: like `read(_:)`, without the path.
  public static func read(_ bytes: [UInt8]) throws -> Model { try read(bytes, threads: nil) }

  static func read(_ bytes: [UInt8], threads: Int?) throws -> Model {
    try bytes.withUnsafeBytes { try opened($0, threads: threads).model }
  }

  /// What each tensor of a packed file takes, in the file's order.
  ///
  /// - Throws: what `read` throws.
  public static func costs(_ path: String) throws -> [PackedCost] {
    let file = try MappedFile(path)
    return try atFile(path) {
      let content = try file.withBytes { try opened($0, threads: nil) }
      _ = try content.model
      return zip(zip(content.layouts, content.tensors), content.bits).map { PackedCost($0.0, $0.1, bits: $1) }
    }
  }

  /// What a packed file holds.
  private struct Content {
    let description: PackedDescription
    let layouts: [PackedTensor]
    let tensors: [Tensor]
    /// What each takes in the file.
    let bits: [Int]

    var model: Model { get throws { try description.model(tensors) } }
  }

  private static func opened(_ file: UnsafeRawBufferPointer, threads: Int?) throws -> Content {
    let bytes = file.bindMemory(to: UInt8.self).baseAddress
    var head = cp_head()
    switch Int(cp_open(bytes, file.count, &head)) {
    case cp_ok: break
    case cp_not_packed: throw CompressError("is no packed model file", kind: .input)
    case cp_wrong_version:
      throw CompressError(
        "has format version \(head.version); this program reads version \(CP_VERSION)", kind: .input)
    case cp_truncated: throw CompressError("is truncated: \(file.count) bytes", kind: .input)
    case cp_too_long: throw CompressError("has bytes after its end, of \(file.count)", kind: .input)
    case cp_damaged: throw damaged("the head")
    case cp_unknown_coding: throw CompressError("has a stream in a coding that is not known", kind: .input)
    default: throw CompressError("claims more than a file of \(file.count) bytes can hold", kind: .limit)
    }
    guard let bytes else { throw CompressError("is truncated: 0 bytes", kind: .input) }
    guard cp_is_intact(bytes, head.text_offset, head.text_coded) != 0 else { throw damaged("the description") }
    var text = [UInt8](repeating: 0, count: Int(head.text_size))
    withWorkspace(cp_text_workspace(text.count)) {
      cp_text_decode(&text, text.count, $0, bytes + Int(head.text_offset), Int(head.text_coded))
    }
    let description = try PackedDescription(json: text)
    let layouts = try description.layouts()
    var streams = [cp_stream](repeating: cp_stream(), count: Int(head.streams))
    cp_list_streams(bytes, &head, &streams)
    // The graph keeps the sum of its elements far below what an Int holds, and so does the head.
    let wanted = layouts.reduce(0) { $0 + $1.count }, there = streams.reduce(0) { $0 + Int($1.elements) }
    guard wanted == there else {
      throw CompressError("holds \(there) numbers; its description has \(wanted)", kind: .input)
    }
    let (tensors, bits) = try decoded(layouts, streams, bytes, threads)
    return Content(description: description, layouts: layouts, tensors: tensors, bits: bits)
  }

  private static func damaged(_ what: String) -> CompressError {
    CompressError("is damaged: the checksum of \(what) is another", kind: .input)
  }

  /// The tensors, and how many bits each takes.
  private static func decoded(
    _ layouts: [PackedTensor], _ streams: [cp_stream], _ bytes: UnsafePointer<UInt8>, _ threads: Int?
  ) throws -> (tensors: [Tensor], bits: [Int]) {
    // One piece of memory for all. Kernels may read up to a vector past the end of a tensor.
    let slack = 64
    var places: [Int] = [], end = 0
    for layout in layouts {
      places.append(end)
      end += (layout.count * layout.dtype.size + slack + slack - 1) / slack * slack
    }
    let memory = PackedMemory(end)
    let offsets = layouts.map { layout -> UnsafeMutablePointer<Int16>? in
      guard !layout.offsets.isEmpty else { return nil }
      let copy = UnsafeMutablePointer<Int16>.allocate(capacity: layout.offsets.count)
      copy.initialize(from: layout.offsets, count: layout.offsets.count)
      return copy
    }
    defer { for copy in offsets { copy?.deallocate() } }

    // Streams take the elements in turn.
    var pieces: [cp_piece] = [], owners: [Int] = [], ranges: [Range<Int>] = []
    var tensor = 0, first = 0
    for stream in streams {
      let start = pieces.count
      var left = Int(stream.elements)
      while left > 0 {
        let layout = layouts[tensor], count = min(left, layout.count - first)
        if count > 0 {
          let place = memory.start + places[tensor] + first * layout.dtype.size
          pieces.append(layout.piece(place, first: first, count: count, offsets: offsets[tensor]))
          owners.append(tensor)
          left -= count
          first += count
        }
        if first == layout.count {
          tensor += 1
          first = 0
        }
      }
      ranges.append(start..<pieces.count)
    }
    // One more, so that there is an address where a stream has none.
    pieces.append(cp_piece())
    var bits = [UInt64](repeating: 0, count: pieces.count)
    var outcomes = [PackedOutcome](repeating: .skipped, count: streams.count)
    let pool = try pool(forElements: layouts.reduce(0) { $0 + $1.count }, threads: threads)
    pieces.withUnsafeBufferPointer { pieces in
      bits.withUnsafeMutableBufferPointer { bits in
        outcomes.withUnsafeMutableBufferPointer { outcomes in
          pool.parallelFor(streams.count) { index in
            let stream = streams[index], range = ranges[index]
            guard cp_is_intact(bytes, stream.offset, stream.size) != 0 else {
              outcomes[index] = .damaged
              return
            }
            let own = pieces.baseAddress! + range.lowerBound
            let isFine = withWorkspace(cp_workspace(stream.coding, own, range.count)) {
              cp_decode(
                stream.coding, own, range.count, $0, bytes + Int(stream.offset), Int(stream.size),
                bits.baseAddress! + range.lowerBound)
            }
            outcomes[index] = isFine == 0 ? .impossible : .done
          }
        }
      }
    }
    try Cancellation.checkCurrent()
    for (index, outcome) in outcomes.enumerated() {
      switch outcome {
      case .done: break
      case .damaged: throw damaged("stream \(index + 1) of \(streams.count)")
      case .skipped, .impossible:
        throw CompressError(
          "stream \(index + 1) of \(streams.count) cannot be \(streams[index].elements) numbers", kind: .input)
      }
    }
    var sums = [Int](repeating: 0, count: layouts.count)
    for (owner, bits) in zip(owners, bits) { sums[owner] += Int(clamping: bits) }
    let tensors = try zip(layouts, places).map { layout, place in
      try Tensor(
        borrowing: UnsafeRawBufferPointer(start: memory.start + place, count: layout.count * layout.dtype.size),
        owner: memory, shape: layout.shape, dtype: layout.dtype)
    }
    return (tensors, sums)
  }
}

/// What came of a stream.
private enum PackedOutcome { case skipped, done, damaged, impossible }

/// What tensors of a packed file are in.
private final class PackedMemory {
  private var bytes: Tensor
  let start: UnsafeMutableRawPointer

  init(_ count: Int) {
    bytes = Tensor(zeros: [count], dtype: .uint8)
    // The tensor is this object's alone, and is never written through again: its bytes stay where they are.
    start = bytes.withMutable(UInt8.self) { UnsafeMutableRawPointer($0.baseAddress!) }
  }
}
