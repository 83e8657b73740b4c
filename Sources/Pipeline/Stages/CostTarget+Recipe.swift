import Compression
import Diagnostics

extension CostTarget {
  /// For labels: `to 50 % of the MACs`.
  var text: String {
    switch self {
    case .channels(let share): "\((share * 100).formatted(1)) % of the filters"
    case .macs(let value): "to \(Self.text(value, "MACs"))"
    case .parameters(let value): "to \(Self.text(value, "parameters"))"
    }
  }

  private static func text(_ value: Double, _ unit: String) -> String {
    value > 1 ? "\(value.formatted(0)) \(unit)" : "\((value * 100).formatted(1)) % of the \(unit)"
  }

  var recipe: Recipe {
    switch self {
    case .channels(let value), .macs(let value), .parameters(let value):
      ["unit": .string(unit), "value": .number(value)]
    }
  }
}
