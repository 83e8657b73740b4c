import Runs
import Diagnostics
import GRDB

/// A condition on runs as people write it: `sparsity>=0.8`, `accuracy > 0.97`, `status=failed`, `script=*mnist_lab*`.
///
/// The name is a column of the list, a metric, `tag`, or else a param. `=` and `!=` on text know `*`.
public struct RunFilter: Sendable, Equatable {
  public enum Comparison: String, CaseIterable, Sendable {
    // The longer ones first: they are looked for in this order.
    case lessOrEqual = "<=", greaterOrEqual = ">=", notEqual = "!=", equal = "=", less = "<", greater = ">"
  }

  public let name: String
  public let comparison: Comparison
  public let value: String

  /// - Throws: `CompressError` when it is no condition.
  public init(_ text: String) throws {
    guard let start = text.firstIndex(where: { "<>=!".contains($0) }),
      let comparison = Comparison.allCases.first(where: { text[start...].hasPrefix($0.rawValue) })
    else { throw Self.error(text) }
    name = text[..<start].trimmed
    value = text[text.index(start, offsetBy: comparison.rawValue.count)...].trimmed
    self.comparison = comparison
    guard !name.isEmpty, !value.isEmpty else { throw Self.error(text) }
  }

  private init(name: String, comparison: Comparison, value: String) {
    self.name = name
    self.comparison = comparison
    self.value = value
  }

  private static func error(_ text: String) -> CompressError {
    CompressError(
      "\"\(text)\" is no condition", hint: "write name<=value, with one of < <= = != >= >; for example accuracy>=0.97")
  }

  /// What a name stands for.
  enum Subject {
    case number(column: String)
    case text(column: String)
    case param(String)
    case tag

    init(_ name: String) {
      if let metric = Metric(name: name) {
        self = .number(column: "v.\(metric.name)")
        return
      }
      self =
        switch name {
        case "id", "seed", "threads", "seconds", "sweep", "point": .number(column: "r.\(name)")
        case "status", "script", "uid", "folder", "name", "note": .text(column: "r.\(name)")
        case "tag": .tag
        case "variant": .text(column: "v.name")
        case _ where name.hasPrefix("param."): .param(String(name.dropFirst(6)))
        default: .param(name)
        }
    }

    /// What rows are sorted by.
    var sqlAndArguments: (sql: String, arguments: StatementArguments) {
      switch self {
      case .number(let column), .text(let column): (column, [])
      case .tag: ("(SELECT min(tag) FROM tags WHERE run = r.id)", [])
      case .param(let name): ("(SELECT value FROM params WHERE run = r.id AND name = ?)", [name])
      }
    }
  }

  var sql: (condition: String, arguments: StatementArguments) {
    get throws {
      switch Subject(name) {
      case .number(let column):
        guard let number = Double(value) else {
          throw CompressError("\(name)\(comparison.rawValue)\(value): \(name) is compared with a number")
        }
        return ("\(column) \(comparison.rawValue) ?", [number])
      case .text(let column): return try text(column)
      case .tag:
        // That no tag is so, not that another one is.
        let isNot = comparison == .notEqual
        let wanted = isNot ? RunFilter(name: name, comparison: .equal, value: value) : self
        let (condition, arguments) = try wanted.text("tag")
        return ("r.id \(isNot ? "NOT " : "")IN (SELECT run FROM tags WHERE \(condition))", arguments)
      case .param(let param):
        let condition: String, arguments: StatementArguments
        if let number = Double(value) {
          // Numbers among numbers: SQLite would put every text above them.
          (condition, arguments) = ("typeof(value) = 'real' AND value \(comparison.rawValue) ?", [number])
        } else if let bool = ["true": 1, "false": 0][value] {
          (condition, arguments) = ("typeof(value) = 'integer' AND value \(comparison.rawValue) ?", [bool])
        } else {
          let text = try text("value")
          (condition, arguments) = ("typeof(value) = 'text' AND \(text.condition)", text.arguments)
        }
        return ("r.id IN (SELECT run FROM params WHERE name = ? AND \(condition))", [param] + arguments)
      }
    }
  }

  private func text(_ column: String) throws -> (condition: String, arguments: StatementArguments) {
    guard value.contains("*") else { return ("\(column) \(comparison.rawValue) ?", [value]) }
    // GLOB knows ? and [ too; here they are themselves.
    let pattern = value.map { "?[".contains($0) ? "[\($0)]" : String($0) }.joined()
    switch comparison {
    case .equal: return ("\(column) GLOB ?", [pattern])
    case .notEqual: return ("\(column) NOT GLOB ?", [pattern])
    default: throw CompressError("\(name)\(comparison.rawValue)\(value): a * goes with = and != only")
    }
  }
}

extension Substring {
  var trimmed: String { String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
}
