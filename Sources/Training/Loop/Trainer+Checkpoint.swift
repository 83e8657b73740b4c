import Diagnostics
import Foundation
import Kernels
import Tensors

// A checkpoint: eight bytes of length, a JSON header of that length, then the buffers it lists one after the other,
// floats and masks as they lie in memory (little-endian).
extension Trainer {
  private struct Header: Codable {
    static let format = 2

    var format: Int
    var state: TrainingState
    /// Of each parameter, in order: what follows of it.
    var parameters: [Entry]
    var hasAverage: Bool
    var hasBest: Bool
    var bestMasks: [Bool]

    struct Entry: Codable, Equatable {
      var layer: String
      var role: String
      var count: Int
      var states: Int
      var isMasked: Bool
      var isGathered: Bool
    }
  }

  /// Writes all that the training needs to go on from here.
  ///
  /// - Throws: what `write` throws.
  public func write(to write: (UnsafeRawBufferPointer) throws -> Void) throws {
    let header = Header(
      format: Header.format, state: state,
      parameters: entries(masked: { $0.mask != nil }, gathering: { $0.gathered != nil }), hasAverage: average != nil,
      hasBest: best != nil, bestMasks: best?.masks.map { $0 != nil } ?? [])
    let text = try JSONEncoder().encode(header)
    try withUnsafeBytes(of: UInt64(text.count).littleEndian, write)
    try text.withUnsafeBytes(write)
    for parameter in weights.parameters {
      for buffer in [parameter.values] + parameter.state { try write(UnsafeRawBufferPointer(buffer.elements)) }
      try parameter.gathered?.withBytes(write)
      try parameter.mask?.withBytes(write)
    }
    for buffer in (average?.sums ?? []) + (best?.values ?? []) { try write(UnsafeRawBufferPointer(buffer.elements)) }
    for mask in best?.masks ?? [] { try mask?.withBytes(write) }
  }

  /// Goes on from where `write(to:)` was called by a trainer of the same model, options and data.
  ///
  /// - Throws: `CompressError` when the bytes are no checkpoint of such a trainer; this one is then of no more use.
  public func restore(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes[...]
    func take(_ count: Int) throws -> UnsafeRawBufferPointer {
      guard count >= 0, count <= rest.count else {
        throw CompressError("the checkpoint ends after \(bytes.count) bytes", kind: .input)
      }
      defer { rest = rest.dropFirst(count) }
      return UnsafeRawBufferPointer(rebasing: rest.prefix(count))
    }
    func fill(_ buffer: FloatBuffer) throws {
      UnsafeMutableRawBufferPointer(start: buffer.base, count: buffer.count * 4).copyMemory(
        from: try take(buffer.count * 4))
    }
    func mask(of parameter: TrainableParameter) throws -> Tensor {
      Tensor(Array(try take(parameter.shape.count)), parameter.shape)
    }
    let length = try take(8).loadUnaligned(as: UInt64.self).littleEndian
    let text = try take(Int(clamping: length))
    guard let header = try? JSONDecoder().decode(Header.self, from: Data(text)), header.format == Header.format,
      header.parameters == entries(like: header),
      header.hasAverage == (average != nil), !header.hasBest || header.bestMasks.count == weights.parameters.count
    else { throw CompressError("the checkpoint is of another training", kind: .input) }
    for (parameter, entry) in zip(weights.parameters, header.parameters) {
      for buffer in [parameter.values] + parameter.state { try fill(buffer) }
      if entry.isGathered {
        let bytes = try take(parameter.shape.count * MemoryLayout<Float>.stride)
        try parameter.gather(Tensor(copying: bytes, shape: parameter.shape, dtype: .float32))
      }
      try parameter.setMask(entry.isMasked ? try mask(of: parameter) : nil)
    }
    for sum in average?.sums ?? [] { try fill(sum) }
    if header.hasBest {
      let best = try BestWeights(weights)
      for values in best.values { try fill(values) }
      best.masks = try zip(weights.parameters, header.bestMasks).map { try $1 ? mask(of: $0) : nil }
      self.best = best
    }
    guard rest.isEmpty else { throw CompressError("the checkpoint has \(rest.count) bytes too many", kind: .input) }
    state = header.state
  }

  private func entries(
    masked: (TrainableParameter) -> Bool, gathering: (TrainableParameter) -> Bool
  ) -> [Header.Entry] {
    weights.parameters.map {
      Header.Entry(
        layer: $0.layer, role: $0.role.rawValue, count: $0.values.count, states: $0.state.count, isMasked: masked($0),
        isGathered: gathering($0))
    }
  }

  /// What a header of this training says, with the masks that hooks may have set or removed since the beginning, and
  /// what they have gathered, as the given one has them.
  private func entries(like header: Header) -> [Header.Entry] {
    let known = Dictionary(
      zip(weights.parameters, header.parameters).map { (ObjectIdentifier($0), $1) },
      uniquingKeysWith: { first, _ in first })
    return entries(
      masked: { known[ObjectIdentifier($0)]?.isMasked ?? false },
      gathering: { known[ObjectIdentifier($0)]?.isGathered ?? false })
  }
}
