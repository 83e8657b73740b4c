import Diagnostics

/// Numbers as a line of little bars, the least at the bottom: `▁▂▄▇█`.
public enum Sparkline {
  public static func text(_ values: [Double]) -> String {
    let bars = Array("▁▂▃▄▅▆▇█")
    let finite = values.filter(\.isFinite)
    guard let low = finite.min(), let high = finite.max() else { return "" }
    return String(
      values.map { value in
        guard value.isFinite else { return " " }
        guard high > low else { return bars[0] }
        // Halves, because the difference of two finite numbers need not be one.
        let share = (value / 2 - low / 2) / (high / 2 - low / 2)
        return bars[min(max(Int(saturating: (share * Double(bars.count - 1)).rounded()), 0), bars.count - 1)]
      })
  }
}
