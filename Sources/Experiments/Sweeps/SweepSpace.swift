import Diagnostics
import Foundation
import Reports
import Scripting
import Tensors

/// What is to be tried: axes, how they are combined, and with how many seeds.
public struct SweepSpace {
  public enum Sampling: Sendable, Equatable {
    /// Every combination; the first axis changes slowest.
    case grid
    /// So many points, each drawn by itself.
    case random(Int)
    /// So many points; of every axis each of as many equal parts is met once (McKay, Beckman and Conover 1979).
    case latin(Int)
  }

  public var axes: [SweepAxis] = []
  /// Params that stay as they are: what `--set` says.
  public var fixed: [(name: String, value: String)] = []
  /// Those of `fixed` that a sweep's file says.
  var fixedInFile: Set<String> = []
  public var sampling = Sampling.grid
  public var seeds: [UInt64] = [0]
  /// Which combinations are wanted, by all params and their values; nil: all of them.
  public var condition: (([String: ParamValue]) throws -> Bool)?

  public init() {}

  /// Random points that a condition refuses are drawn anew, so often at most for each.
  private static let mostTries = 1000

  /// - Parameters:
  ///   - declared: the script's params.
  ///   - seed: of what is drawn.
  /// - Throws: `CompressError` when an axis is none of the script's params, a value is none of its values, or nothing
  ///   is left.
  public func points(declared: [ParamDeclaration], seed: UInt64) throws -> [SweepDefinition.Point] {
    let axes = try axes.map { axis in (axis, try declaration(axis.name, from: axis.source, declared)) }
    if let twice = self.axes.indices.first(where: { at in self.axes[..<at].contains { $0.name == self.axes[at].name } })
    {
      throw CompressError("\"\(self.axes[twice].name)\" is swept over twice")
    }
    for setting in fixed {
      let source = fixedInFile.contains(setting.name) ? "set:" : "--set"
      _ = try declaration(setting.name, from: source, declared).parse(setting.value, from: source)
      if self.axes.contains(where: { $0.name == setting.name }) {
        throw CompressError("\"\(setting.name)\" is set and swept over as well")
      }
    }
    var combinations: [[SweepDefinition.Setting]] = []
    switch sampling {
    case .grid: combinations = try grid(axes).filter { try isWanted($0, declared) }
    case .latin(let count): combinations = try latin(axes, count, seed).filter { try isWanted($0, declared) }
    case .random(let count):
      var random = SeededRandom(seed: seed).stream("random points of a sweep")
      for number in 1...max(count, 1) {
        guard
          let drawn = try (0..<Self.mostTries).lazy.map({ _ in draw(axes, &random) }).first(where: {
            try isWanted($0, declared)
          })
        else {
          throw CompressError("no point \(number) in \(Self.mostTries) tries: the condition refuses nearly everything")
        }
        combinations.append(drawn)
      }
    }
    guard !combinations.isEmpty else { throw CompressError("the condition leaves no point of this sweep") }
    guard combinations.count * seeds.count <= SweepAxis.mostValues else {
      throw CompressError(
        "\(combinations.count) points with \(seeds.count) seeds are more than \(SweepAxis.mostValues)")
    }
    let runs = combinations.flatMap { settings in seeds.map { (settings, $0) } }
    return runs.enumerated().map { index, run in
      SweepDefinition.Point(number: index + 1, settings: run.0, seed: run.1)
    }
  }

  /// Sets a param, whatever was to be swept over or set before: what the command line says of a file's sweep.
  public mutating func fix(_ name: String, _ value: String) {
    axes.removeAll { $0.name == name }
    fixed.removeAll { $0.name == name }
    fixed.append((name, value))
    fixedInFile.remove(name)
  }

  /// Leaves one of each value that an axis lists more than once, however it is written, and one of each seed: the
  /// others would be the same run once more.
  ///
  /// - Returns: a sentence for each axis that had some.
  /// - Throws: `CompressError` when a value is none of its param.
  public mutating func dropRepeated(declared: [ParamDeclaration]) throws -> [String] {
    var sentences: [String] = []
    for (index, axis) in axes.enumerated() {
      guard case .list(let list) = axis.values else { continue }
      let param = try declaration(axis.name, from: axis.source, declared)
      var firsts: [ParamValue: String] = [:], kept: [String] = [], dropped: [String] = []
      for text in list {
        let value = try param.parse(text, from: axis.source)
        guard let first = firsts[value] else {
          firsts[value] = text
          kept.append(text)
          continue
        }
        dropped.append("\(text) is \(first)")
      }
      guard !dropped.isEmpty else { continue }
      axes[index] = SweepAxis(name: axis.name, values: .list(kept), source: axis.source)
      sentences.append(
        "\(axis.name): \(dropped.prefix(3).joined(separator: ", "))\(dropped.count > 3 ? " …" : ""); "
          + "\(kept.count) of \(list.count) values are different")
    }
    let different = seeds.reduce(into: [UInt64]()) { if !$0.contains($1) { $0.append($1) } }
    if different.count < seeds.count {
      sentences.append("\(different.count) of \(seeds.count) seeds are different")
      seeds = different
    }
    return sentences
  }

  private func declaration(
    _ name: String, from source: String, _ declared: [ParamDeclaration]
  ) throws -> ParamDeclaration {
    guard let found = declared.first(where: { $0.name == name }) else {
      guard !declared.isEmpty else { throw CompressError("the script declares no params to sweep over") }
      throw CompressError(
        "\(source) \(name.escapedForTerminal): the script has no param \"\(name.escapedForTerminal)\""
          + Suggestion.text(for: name, among: declared.map(\.name)))
    }
    return found
  }

  private func grid(_ axes: [(SweepAxis, ParamDeclaration)]) throws -> [[SweepDefinition.Setting]] {
    var combinations: [[SweepDefinition.Setting]] = [[]]
    for (axis, declaration) in axes {
      guard case .list(let values) = axis.values else {
        throw CompressError(
          "\"\(axis.name)\" is a range without a step: a grid cannot list it",
          hint: "give a step, or --random N, or --latin N")
      }
      for value in values { _ = try declaration.parse(value, from: axis.source) }
      guard combinations.count * values.count <= SweepAxis.mostValues else {
        throw CompressError("the grid has more than \(SweepAxis.mostValues) points")
      }
      combinations = combinations.flatMap { settings in
        values.map { settings + [SweepDefinition.Setting(name: axis.name, value: $0)] }
      }
    }
    return combinations
  }

  private func draw(
    _ axes: [(SweepAxis, ParamDeclaration)], _ random: inout SeededRandom
  ) -> [SweepDefinition.Setting] {
    axes.map { axis, declaration in
      SweepDefinition.Setting(
        name: axis.name, value: axis.value(at: random.uniform(), isInteger: declaration.isInteger))
    }
  }

  private func latin(
    _ axes: [(SweepAxis, ParamDeclaration)], _ count: Int, _ seed: UInt64
  ) throws -> [[SweepDefinition.Setting]] {
    let columns = axes.map { axis, declaration in
      var random = SeededRandom(seed: seed).stream("latin points of a sweep: \(axis.name)")
      return random.permutation(count).map { part in
        axis.value(at: (Double(part) + random.uniform()) / Double(count), isInteger: declaration.isInteger)
      }
    }
    return (0..<count).map { number in
      zip(axes, columns).map { SweepDefinition.Setting(name: $0.0.name, value: $1[number]) }
    }
  }

  private func isWanted(_ settings: [SweepDefinition.Setting], _ declared: [ParamDeclaration]) throws -> Bool {
    var values: [String: ParamValue] = [:]
    let given = Dictionary(
      fixed.map { ($0.name, $0.value) } + settings.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    for param in declared {
      let source = axes.first { $0.name == param.name }?.source ?? "--set"
      values[param.name] = try given[param.name].map { try param.parse($0, from: source) } ?? param.standard
    }
    return try condition?(values) ?? true
  }
}
