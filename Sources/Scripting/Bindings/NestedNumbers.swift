import Diagnostics
import LuaHost
import Tensors

/// Lists of lists of numbers, such as `{{1, 2}, {3, 4}}`: all of one depth have the same length.
struct NestedNumbers {
  private(set) var values: [Float] = []
  private(set) var shape: Shape = []

  private static let mostAxes = 8

  /// - Parameter reserve: is told how many elements there will be, before they are gathered.
  /// - Returns: nil where something in it is neither a number nor a list.
  /// - Throws: `CompressError` naming the list that is longer or shorter than those beside it.
  init?(_ list: LuaTable, reserve: (Int) throws -> Void) throws {
    var dims: [Int] = [], level = list
    while dims.count < Self.mostAxes {
      dims.append(level.count)
      guard let inner = level[1].table else { break }
      level = inner
    }
    guard level[1].table == nil, !dims.contains(0) else { return nil }
    var count = 1
    for dim in dims {
      let (product, overflow) = count.multipliedReportingOverflow(by: dim)
      guard !overflow else { return nil }
      count = product
    }
    try reserve(count)
    guard try gather(list, dims[...], at: []) else { return nil }
    shape = Shape(dims)
  }

  private mutating func gather(_ list: LuaTable, _ dims: ArraySlice<Int>, at place: [Int]) throws -> Bool {
    guard let length = dims.first, list.count == length else {
      let path = place.map { "[\($0)]" }.joined()
      throw CompressError(
        "tensor.of: the list at \(path) has \(list.count) elements where the first beside it has \(dims.first ?? 0)")
    }
    guard dims.count > 1 else {
      guard let numbers = list.numbers else { return false }
      values += numbers.map { Float($0) }
      return true
    }
    for position in 1...length {
      guard let inner = list[position].table else { return false }
      guard try gather(inner, dims.dropFirst(), at: place + [position]) else { return false }
    }
    return true
  }
}
