import Diagnostics
import Files
import LuaHost
import Reports
import Scripting
import Tensors

/// A sweep written down in Lua, beside the pipeline it sweeps:
///
///     return sweep {
///       script = "mnist_lab.lua",
///       grid   = { sparsity = range(0.5, 0.9, 0.1), strategy = { "global_magnitude", "local_magnitude" } },
///       seeds  = 3,
///       when   = function(p) return p.sparsity < 0.9 or p.strategy == "global_magnitude" end,
///     }
public final class SweepFile {
  /// The pipeline's path.
  public let script: String
  public private(set) var space = SweepSpace()
  /// The condition is a function of this state.
  private let state: LuaState

  /// Whether a file declares a sweep rather than a pipeline, as far as its text tells.
  public static func looksLikeSweep(_ path: String) throws -> Bool {
    try ScriptFile.read(path).split(separator: "\n").contains { line in
      line.drop { $0 == " " || $0 == "\t" }.hasPrefix("return sweep")
    }
  }

  /// - Throws: `CompressError` with the file and line of what is not right.
  public init(_ path: String, seed: UInt64, limits: LuaLimits) throws {
    let state = LuaState(limits: limits, seed: seed, random: { SeededRandom(seed: $0) }, print: { _ in })
    self.state = state
    var declared: LuaTable?
    state.define("sweep") { arguments in
      declared = try arguments.table(0)
      return [.table(declared!)]
    }
    state.define("range") { arguments in
      try arguments.atMost(3)
      let values = try SweepAxis.steps(arguments.number(0), arguments.number(1), arguments.number(2))
      guard case .list(let list) = values else { return [] }
      return [.table(try arguments.state.makeTable(list.map { .string($0) }))]
    }
    for (name, isLogarithmic) in [("between", false), ("log_between", true)] {
      state.define(name) { arguments in
        try arguments.atMost(2)
        let (from, to) = (try arguments.number(0), try arguments.number(1))
        _ = try SweepAxis.between(from, to, isLogarithmic: isLogarithmic)
        return [
          .table(
            try arguments.state.makeTable(fields: [
              "from": .number(from), "to": .number(to), "logarithmic": .bool(isLogarithmic),
            ]))
        ]
      }
    }
    let results = try state.call(try state.load(try ScriptFile.read(path), name: path))
    do {
      guard let declared, results.first?.table?.isSame(as: declared) == true else {
        throw CompressError("a sweep's file ends with: return sweep { … }")
      }
      let known = ["script", "grid", "set", "seeds", "random", "latin", "when"]
      for (key, _) in declared.pairs where !known.contains(key.string ?? "") {
        let name = key.string ?? "\(key.integer ?? 0)"
        throw CompressError(
          "a sweep has no field \"\(name.escapedForTerminal)\"" + Suggestion.text(for: name, among: known))
      }
      guard let name = declared["script"].string else { throw CompressError("a sweep names its script = \"NAME.lua\"") }
      script = try FileRoots.existing(name, under: [Folders.parent(of: path)])
      space.axes = try Self.axes(declared["grid"])
      space.fixed = try Self.table(declared["set"], "set").map { ($0.name, try Self.text($0.value, $0.name)) }
      space.fixedInFile = Set(space.fixed.map(\.name))
      space.seeds = try Self.seeds(declared["seeds"], seed)
      space.sampling = try Self.sampling(declared)
      if let condition = declared["when"].function {
        space.condition = { params in
          let table = try state.makeTable()
          for (name, value) in params { try table.set(name, value.lua) }
          return try state.call(condition, [.table(table)]).first?.isTrue ?? false
        }
      } else if !declared["when"].isNil {
        throw CompressError("when is a function of the params")
      }
    } catch let error as CompressError {
      throw error.at(script: path, line: nil)
    }
  }

  private static func table(_ value: LuaValue, _ field: String) throws -> [(name: String, value: LuaValue)] {
    if value.isNil { return [] }
    guard let table = value.table else { throw CompressError("\(field) is a table: name = …") }
    // Lua's order is no order.
    return try table.pairs.map { key, value in
      guard let name = key.string else { throw CompressError("\(field) has names: name = …") }
      return (name, value)
    }.sorted { $0.0 < $1.0 }
  }

  private static func axes(_ value: LuaValue) throws -> [SweepAxis] {
    func axis(_ name: String, _ values: SweepAxis.Values) -> SweepAxis {
      SweepAxis(name: name, values: values, source: "grid:")
    }
    return try table(value, "grid").map { name, value in
      guard let table = value.table else { return axis(name, .list([try text(value, name)])) }
      if let from = table["from"].number, let to = table["to"].number {
        return axis(name, .range(from, to, isLogarithmic: table["logarithmic"].isTrue))
      }
      let list = try table.array.map { try text($0, name) }
      guard !list.isEmpty else {
        throw CompressError(
          "\"\(name.escapedForTerminal)\" has no values",
          hint: "write { a, b }, range(from, to, step), between(from, to) or log_between(from, to)")
      }
      return axis(name, .list(list))
    }
  }

  private static func text(_ value: LuaValue, _ name: String) throws -> String {
    if let bool = value.bool { return String(bool) }
    if let integer = value.integer { return String(integer) }
    if let number = value.number, number.isFinite { return SweepAxis.text(number) }
    if let string = value.string { return string }
    throw CompressError("\"\(name.escapedForTerminal)\": a value is a number, a string, true or false")
  }

  private static func seeds(_ value: LuaValue, _ seed: UInt64) throws -> [UInt64] {
    if value.isNil { return [seed] }
    if let count = value.integer { return try SweepSpace.seeds(count, from: seed) }
    guard let list = value.table?.array, !list.isEmpty else {
      throw CompressError("seeds is a number of them, or a list")
    }
    return try list.map { item in
      guard let seed = item.integer, seed >= 0 else { throw CompressError("a seed is a whole number from 0 on") }
      return UInt64(seed)
    }
  }

  private static func sampling(_ declared: LuaTable) throws -> SweepSpace.Sampling {
    func count(_ name: String) throws -> Int? {
      if declared[name].isNil { return nil }
      guard let count = declared[name].integer, (1...SweepAxis.mostValues).contains(count) else {
        throw CompressError("\(name) is a number of points, 1 to \(SweepAxis.mostValues)")
      }
      return count
    }
    switch (try count("random"), try count("latin")) {
    case (nil, nil): return .grid
    case (let count?, nil): return .random(count)
    case (nil, let count?): return .latin(count)
    default: throw CompressError("random and latin: one of them")
    }
  }
}

extension SweepSpace {
  /// So many seeds, counted from one.
  public static func seeds(_ count: Int, from first: UInt64) throws -> [UInt64] {
    guard (1...10_000).contains(count), first <= UInt64.max - UInt64(count) else {
      throw CompressError("\(count) seeds: 1 to 10000")
    }
    return (0..<UInt64(count)).map { first + $0 }
  }
}
