import Foundation

/// Numbers as people read them, the same everywhere: tables, progress, messages.
public enum Formatting {
  /// `1,234,567`.
  public static func count(_ value: Int) -> String {
    var digits = String(value.magnitude), groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return (value < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
  }

  /// `85,096 B`, `1.25 MB`: exact below 100 kB, decimal units above.
  public static func bytes(_ value: Int) -> String {
    if value < 100_000 { return count(value) + " B" }
    for (unit, size) in [("GB", 1e9), ("MB", 1e6)] where Double(value) >= size {
      return String(format: "%.2f %@", Double(value) / size, unit)
    }
    return String(format: "%.1f kB", Double(value) / 1e3)
  }

  /// A share as `94.55 %`.
  public static func percent(_ share: Double, digits: Int = 2) -> String {
    share.isFinite ? String(format: "%.\(digits)f %%", share * 100) : "n/a"
  }

  /// `8.6 µs`, `12.40 ms`, `3.2 s`.
  public static func duration(_ seconds: Double) -> String {
    switch seconds {
    case ..<0.001: String(format: "%.1f µs", seconds * 1e6)
    case ..<1: String(format: "%.2f ms", seconds * 1e3)
    case ..<100: String(format: "%.1f s", seconds)
    default: clock(seconds)
    }
  }

  /// `0:07`, `12:30`, `1:02:05`.
  public static func clock(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "–" }
    let total = Int(seconds.rounded())
    let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60)
    return hours > 0 ? String(format: "%d:%02d:%02d", hours, minutes, rest) : String(format: "%d:%02d", minutes, rest)
  }

  /// `93.1 k`, `4.09 G`: multiply-accumulates and the like.
  public static func scaled(_ value: Int) -> String {
    for (unit, size) in [("G", 1e9), ("M", 1e6), ("k", 1e3)] where Double(value) >= size {
      return String(format: "%.3g %@", Double(value) / size, unit)
    }
    return String(value)
  }
}
