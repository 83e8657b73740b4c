import Diagnostics
import Foundation

/// One param and what it is swept over.
public struct SweepAxis: Sendable, Equatable {
  public enum Values: Sendable, Equatable {
    /// Values as `--set` takes them.
    case list([String])
    /// Anything from the first to the second number; to be sampled.
    case range(Double, Double, isLogarithmic: Bool)
  }

  public let name: String
  public let values: Values
  /// Where it stands, for messages: the option, or the field of a sweep's file.
  let source: String

  /// No sweep is meant to have more points; what would is a slip.
  static let mostValues = 100_000

  init(name: String, values: Values, source: String) {
    self.name = name
    self.values = values
    self.source = source
  }

  /// `k=v1,v2`, `k=from:to:step`, `k=from:to` and `k=from:to:log`.
  ///
  /// - Throws: `CompressError` when it is none of them.
  public init(_ text: String) throws {
    guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
      throw CompressError(
        "--grid \(text): write --grid name=v1,v2 or name=from:to:step",
        hint: "sampled: name=from:to or name=from:to:log")
    }
    name = String(text[..<equals])
    source = "--grid"
    let rest = String(text[text.index(after: equals)...])
    let parts = rest.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    let numbers = parts.map { Double($0) }
    do {
      switch (parts.count, numbers[0], numbers.count > 1 ? numbers[1] : nil) {
      case (2, let from?, let to?): values = try Self.between(from, to, isLogarithmic: false)
      case (3, let from?, let to?) where parts[2] == "log": values = try Self.between(from, to, isLogarithmic: true)
      case (3, let from?, let to?) where numbers[2] != nil: values = try Self.steps(from, to, numbers[2]!)
      default:
        let list = rest.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard !list.contains("") else { throw CompressError("a value is missing") }
        values = .list(list)
      }
    } catch let error as CompressError {
      throw CompressError("--grid \(text): \(error.message)")
    }
  }

  /// From a number to another by equal steps, both ends included where the last step meets the end.
  static func steps(_ from: Double, _ to: Double, _ step: Double) throws -> Values {
    guard from.isFinite, to.isFinite, from <= to, step.isFinite, step > 0 else {
      throw CompressError("from \(text(from)) to \(text(to)) by \(text(step)) leads nowhere: steps go up")
    }
    let count = ((to - from) / step + 1e-9).rounded(.down) + 1
    guard count <= Double(mostValues) else {
      throw CompressError("from \(text(from)) to \(text(to)) by \(text(step)) are more than \(mostValues) values")
    }
    return .list((0..<Int(saturating: count)).map { text(from + Double($0) * step) })
  }

  static func between(_ from: Double, _ to: Double, isLogarithmic: Bool) throws -> Values {
    guard from.isFinite, to.isFinite, from < to else {
      throw CompressError("from \(text(from)) to \(text(to)) is no range")
    }
    guard !isLogarithmic || from > 0 else {
      throw CompressError("from \(text(from)) to \(text(to)): a logarithmic range is above 0")
    }
    return .range(from, to, isLogarithmic: isLogarithmic)
  }

  /// Twelve digits: 0.1 added up three times is 0.3.
  static func text(_ number: Double) -> String { String(format: "%.12g", number) }

  /// The value at a share of the way through, for samples.
  ///
  /// - Parameter share: 0 to 1, 1 excluded.
  func value(at share: Double, isInteger: Bool) -> String {
    switch values {
    case .list(let list): return list[min(max(Int(saturating: share * Double(list.count)), 0), list.count - 1)]
    case .range(let from, let to, let isLogarithmic):
      let value = isLogarithmic ? exp(log(from) + share * (log(to) - log(from))) : from + share * (to - from)
      return isInteger ? Self.text(value.rounded()) : String(format: "%.6g", value)
    }
  }
}
