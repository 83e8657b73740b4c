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
        return bars[Int(((value - low) / (high - low) * Double(bars.count - 1)).rounded())]
      })
  }
}
