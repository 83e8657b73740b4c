import Diagnostics
import Tensors

/// How a sparse tensor's elements lie, as the TACO compiler states it (Kjolstad et al. 2017): the dimensions, in an
/// order of their own, each either with all its indices or with those that are listed; blocks are dimensions behind the
/// others.
struct TFLiteSparsity {
  private enum Dimension {
    case dense(Int)
    case sparse(segments: [Int], indices: [Int])
  }

  private let order: [Int]
  private let blockMap: [Int]
  private let dimensions: [Dimension]

  init(_ table: FlatTable) throws {
    order = try (table.integers(TFLiteField.Sparsity.order, of: Int32.self) ?? []).map { Int($0) }
    blockMap = try (table.integers(TFLiteField.Sparsity.blockMap, of: Int32.self) ?? []).map { Int($0) }
    dimensions = try (table.tables(TFLiteField.Sparsity.dimensions) ?? []).map { dimension in
      func list(_ type: Int, _ field: Int) throws -> [Int] {
        let kind: UInt8 = try dimension.integer(type, 0)
        guard let vector = try dimension.table(field) else { return [] }
        switch kind {
        case 1: return try (vector.integers(0, of: Int32.self) ?? []).map { Int($0) }
        case 2: return try (vector.integers(0, of: UInt16.self) ?? []).map { Int($0) }
        case 3: return try (vector.integers(0, of: UInt8.self) ?? []).map { Int($0) }
        default: throw CompressError("indices of type \(kind) in a sparse tensor", kind: .input)
        }
      }
      let format: Int8 = try dimension.integer(TFLiteField.SparseDimension.format, 0)
      if format == 0 { return .dense(Int(try dimension.integer(TFLiteField.SparseDimension.denseSize, Int32(0)))) }
      guard format == 1 else { throw CompressError("a sparse tensor's format \(format)", kind: .input) }
      return .sparse(
        segments: try list(TFLiteField.SparseDimension.segmentsType, TFLiteField.SparseDimension.segments),
        indices: try list(TFLiteField.SparseDimension.indicesType, TFLiteField.SparseDimension.indices))
    }
  }

  /// Where in the dense tensor the elements that are stored lie, in their order.
  ///
  /// - Parameter count: elements that are stored.
  /// - Throws: `CompressError` when the description contradicts itself or the shape.
  func places(_ shape: Shape, count: Int) throws -> [Int] {
    let rank = shape.rank
    guard order.sorted() == Array(0..<rank + blockMap.count), dimensions.count == order.count,
      blockMap.allSatisfy({ (0..<rank).contains($0) }), Set(blockMap).count == blockMap.count
    else { throw CompressError("a sparse tensor of shape \(shape) with the dimensions \(order)", kind: .input) }
    var blocks = [Int](repeating: 1, count: rank)
    for (index, axis) in blockMap.enumerated() {
      let place = order.firstIndex(of: rank + index) ?? 0
      guard case .dense(let size) = dimensions[place], size > 0, shape[axis] % size == 0 else {
        throw CompressError("blocks of a sparse tensor of shape \(shape) along axis \(axis)", kind: .input)
      }
      blocks[axis] = size
    }
    let strides = shape.strides
    // How far one step along a dimension goes, and how many there are.
    let steps = order.map { $0 < rank ? strides[$0] * blocks[$0] : strides[blockMap[$0 - rank]] }
    let extents = order.map { $0 < rank ? shape[$0] / blocks[$0] : blocks[blockMap[$0 - rank]] }
    // Of each node of a level: its place so far. The last level's are the elements.
    var level = [0]
    for (index, dimension) in dimensions.enumerated() {
      var next: [Int] = []
      switch dimension {
      case .dense(let size):
        guard size == extents[index] else {
          throw CompressError("a sparse tensor's dimension of \(size) where there are \(extents[index])", kind: .input)
        }
        guard level.count * size <= max(shape.count, 1) else { throw Self.tooMany(shape) }
        next.reserveCapacity(level.count * size)
        for place in level { for i in 0..<size { next.append(place + i * steps[index]) } }
      case .sparse(let segments, let indices):
        guard segments.count == level.count + 1, segments.first == 0, segments.last == indices.count,
          zip(segments, segments.dropFirst()).allSatisfy(<=), indices.allSatisfy({ (0..<extents[index]).contains($0) })
        else { throw CompressError("a sparse tensor's indices contradict its segments", kind: .input) }
        guard indices.count <= max(shape.count, 1) else { throw Self.tooMany(shape) }
        for (node, place) in level.enumerated() {
          for i in segments[node]..<segments[node + 1] { next.append(place + indices[i] * steps[index]) }
        }
      }
      level = next
    }
    guard level.count == count else {
      throw CompressError("\(count) elements of a sparse tensor with places for \(level.count)", kind: .input)
    }
    return level
  }

  private static func tooMany(_ shape: Shape) -> CompressError {
    CompressError("a sparse tensor of shape \(shape) with more elements than that", kind: .input)
  }
}
