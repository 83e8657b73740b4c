/// Nested loops over the axes of a value, written in C; each operand moves by steps of its own. Axes over which all
/// operands move on evenly are one loop.
struct AxisLoops {
  /// How far an operand moves for each index of an axis, in elements.
  enum Move: Hashable {
    case step(Int)
    case places([Int])

    /// A list of places as a step, where it is one from zero on; what it begins with is taken off.
    init(_ places: [Int]) {
      let first = places.first ?? 0, step = places.count > 1 ? places[1] - first : 0
      self =
        places.indices.allSatisfy { places[$0] == first + $0 * step } ? .step(step) : .places(places.map { $0 - first })
    }
  }

  private var axes: [(count: Int, moves: [Move])] = []
  private let operands: Int

  init(operands: Int) { self.operands = operands }

  /// Adds an axis within those before.
  mutating func add(_ count: Int, _ moves: [Move]) {
    guard count != 1 else { return }
    if let outer = axes.last {
      let merged = zip(outer.moves, moves).allSatisfy { outer, inner in
        guard case .step(let a) = outer, case .step(let b) = inner else { return false }
        return a == b * count
      }
      if merged {
        axes[axes.count - 1] = (outer.count * count, moves)
        return
      }
    }
    axes.append((count, moves))
  }

  /// The loops around `body`, which is given what to add to each operand's place.
  ///
  /// - Parameter variable: the first letter of the loops' variables.
  func written(
    indent: String, variable: String = "i", in code: inout LayerCode,
    _ body: (_ places: [String], _ indent: String, _ code: inout LayerCode) -> [String]
  ) -> [String] {
    var lines: [String] = [], places = [[String]](repeating: [], count: operands), indent = indent
    for (depth, axis) in axes.enumerated() {
      let name = "\(variable)\(depth)"
      lines.append("\(indent)for (int32_t \(name) = 0; \(name) < \(axis.count); \(name)++) {")
      indent += "  "
      for (operand, move) in axis.moves.enumerated() {
        switch move {
        case .step(0): break
        case .step(1): places[operand].append(name)
        case .step(let step): places[operand].append("\(name) * \(step < 0 ? "(\(step))" : "\(step)")")
        case .places(let list): places[operand].append("\(code.table(list))[\(name)]")
        }
      }
    }
    lines += body(places.map { $0.isEmpty ? "0" : $0.joined(separator: " + ") }, indent, &code)
    for _ in axes {
      indent.removeLast(2)
      lines.append(indent + "}")
    }
    return lines
  }
}
