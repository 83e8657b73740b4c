import Diagnostics
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

  /// A count that comes out of a record, and may be any number.
  public static func count(_ value: Double) -> String { countable(value).map(count) ?? significant(value) }

  /// Bytes that come out of a record.
  public static func bytes(_ value: Double) -> String { countable(value).map(bytes) ?? significant(value) + " B" }

  /// Multiply-accumulates that come out of a record.
  public static func scaled(_ value: Double) -> String { countable(value).map(scaled) ?? significant(value) }

  /// The whole number, where a `Double` has it to the last digit.
  private static func countable(_ value: Double) -> Int? { abs(value) <= 0x1p53 ? Int(saturating: value) : nil }

  /// With so many digits after the point, or four in all where that would be a line of digits.
  fileprivate static func fixed(_ value: Double, _ digits: Int) -> String {
    abs(value) < 1e15 ? String(format: "%.\(digits)f", value) : String(format: "%.4g", value)
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
    share.isFinite ? fixed(share * 100, digits) + " %" : "n/a"
  }

  /// `8.6 µs`, `12.40 ms`, `3.2 s`.
  public static func duration(_ seconds: Double) -> String {
    switch seconds {
    case _ where !seconds.isFinite: "n/a"
    case ..<(-100): fixed(seconds, 1) + " s"
    case ..<0.001: String(format: "%.1f µs", seconds * 1e6)
    case ..<1: String(format: "%.2f ms", seconds * 1e3)
    case ..<100: String(format: "%.1f s", seconds)
    default: clock(seconds)
    }
  }

  /// `0:07`, `12:30`, `1:02:05`.
  public static func clock(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "–" }
    let total = Int(saturating: seconds.rounded())
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

  /// `1.52×`: a ratio.
  public static func factor(_ ratio: Double, digits: Int = 2) -> String {
    ratio.isFinite ? fixed(ratio, ratio >= 100 ? 0 : digits) + "×" : "n/a"
  }

  /// A share as signed percentage points with a true minus: `+0.24`, `−0.20`.
  public static func points(_ share: Double, signed: Bool = true) -> String {
    guard share.isFinite else { return "n/a" }
    let text = fixed(abs(share) * 100, 2)
    return (!signed || text == "0.00" ? "" : share < 0 ? "−" : "+") + text
  }

  /// Four significant digits: `0.059`, `1.234e-08`.
  public static func significant(_ value: Double) -> String {
    guard value.isFinite else { return "n/a" }
    return value == 0 ? "0" : String(format: "%.4g", value)
  }

  /// `97.41 to 98.22 %`.
  public static func percents(_ interval: Interval) -> String {
    "\(fixed(interval.low * 100, 2)) to \(percent(interval.high))"
  }

  /// `−0.44 to +0.04`.
  public static func points(_ interval: Interval) -> String { "\(points(interval.low)) to \(points(interval.high))" }

  /// `1.49 to 1.55`.
  public static func factors(_ interval: Interval) -> String {
    "\(fixed(interval.low, 2)) to \(fixed(interval.high, 2))"
  }

  /// `10.2 to 10.4 µs`: an interval in milliseconds; the unit once where both ends share it.
  public static func milliseconds(_ interval: Interval) -> String {
    let low = duration(interval.low / 1e3), high = duration(interval.high / 1e3)
    let unit = high.drop { $0 != " " }
    return low.hasSuffix(unit) ? "\(low.dropLast(unit.count)) to \(high)" : "\(low) to \(high)"
  }
}

extension Double {
  /// With one digit after the point.
  var tenths: String { digits(1) }

  /// With so many digits after the point.
  func digits(_ count: Int) -> String { isFinite ? Formatting.fixed(self, count) : "n/a" }
}
