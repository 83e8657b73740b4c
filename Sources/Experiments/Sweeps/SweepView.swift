import Diagnostics
import Foundation
import Pipeline
import Reports
import Runs

/// Draws how a sweep goes on, on standard error: on a terminal a few lines that are redrawn, with what is at work, the
/// best so far and the time left; when piped, a line for each point that ended.
public final class SweepView: SweepObserver {
  private let terminal: Terminal
  private let folder: SweepFolder
  private let jobs: Int
  private let now: () -> Date
  private var total = 0
  private var title = ""
  private var running: [Int: (point: SweepDefinition.Point, since: Date)] = [:]
  private var done = 0
  private var failed = 0
  /// Seconds of the points that ended while this watched.
  private var spent: [Double] = []
  private var best: (point: SweepDefinition.Point, variant: RunRecord.Variant)?
  private var drawnLines = 0
  private var lastDrawn = Date.distantPast
  private var isWatching = false

  private static let mostRunning = 8

  public init(
    _ folder: SweepFolder, jobs: Int, terminal: Terminal = Terminal(.errors), now: @escaping () -> Date = Date.init
  ) {
    self.folder = folder
    self.jobs = jobs
    self.terminal = terminal
    self.now = now
  }

  public func begin(_ definition: SweepDefinition, points: [SweepDefinition.Point]) {
    title = (definition.script.split(separator: "/").last.map(String.init) ?? definition.script).escapedForTerminal
    // A search begins anew with every rung; what was best with less budget is not.
    (total, done, failed, spent, isWatching, best) = (points.count, 0, 0, [], false, nil)
  }

  public func started(_ point: SweepDefinition.Point) {
    isWatching = true
    running[point.number] = (point, now())
  }

  public func ended(_ point: SweepDefinition.Point, _ outcome: RunRecord) {
    if outcome.status == .failed { failed += 1 } else { done += 1 }
    if let variant = outcome.variants.last, let share = variant.share,
      best?.variant.share.map({ share > $0 }) ?? true
    {
      best = (point, variant)
    }
    guard let begin = running.removeValue(forKey: point.number) else { return }
    spent.append(now().timeIntervalSince(begin.since))
    let place = "\(done + failed)/\(total)"
    if outcome.status == .failed {
      let error = (outcome.error ?? "failed").escapedForTerminal.shortened(to: 300)
      line(terminal.told("✗ ", .red, text: "\(place)  \(point.shown)  \(error)"))
    } else if !terminal.isInteractive {
      let result = "\(Self.result(outcome.variants.last))  \(Formatting.duration(outcome.seconds))"
      line("✓ \(place)  \(point.shown)  \(result)\n")
    }
  }

  public func note(_ text: String) { line(terminal.told("• ", .yellow, text: text.escapedBlock)) }

  public func tick() {
    guard terminal.isInteractive, isWatching, now().timeIntervalSince(lastDrawn) > 0.2 else { return }
    draw()
  }

  /// Takes the drawing away; to be called when nothing more comes.
  public func close() {
    guard drawnLines > 0 else { return }
    terminal.writeVerbatim("\u{1B}[\(drawnLines)A\u{1B}[J")
    drawnLines = 0
  }

  /// - Parameter text: with the line's end.
  private func line(_ text: String) {
    close()
    terminal.write(text)
    lastDrawn = .distantPast
  }

  private func draw() {
    lastDrawn = now()
    let width = max(20, terminal.width - 1)
    let lines = drawing.map { $0.prefix(width) }
    let back = drawnLines > 0 ? "\u{1B}[\(drawnLines)A" : ""
    terminal.writeVerbatim(back + "\u{1B}[J" + lines.joined(separator: "\n") + "\n")
    drawnLines = lines.count
  }

  /// Plain text, a line each.
  var drawing: [String] {
    let share = Double(done + failed) / Double(max(total, 1))
    var first =
      "\(title) \(TerminalProgress.bar(share, width: 20)) \(done + failed) of \(total) points, \(running.count) running"
    if failed > 0 { first += ", \(failed) failed" }
    if let left = secondsLeft { first += "  \(Formatting.clock(left)) left" }
    var lines = [first]
    if let best { lines.append("  best: \(best.point.shown)  \(Self.result(best.variant))") }
    for (_, work) in running.sorted(by: { $0.key < $1.key }).prefix(Self.mostRunning) {
      let time = Formatting.clock(now().timeIntervalSince(work.since))
      lines.append("  ▸ \(work.point.shown)  \(time)  \(activity(of: work.point.number))")
    }
    if running.count > Self.mostRunning { lines.append("  and \(running.count - Self.mostRunning) more") }
    return lines
  }

  /// From the mean of what this watched.
  private var secondsLeft: Double? {
    guard !spent.isEmpty else { return nil }
    let mean = spent.reduce(0, +) / Double(spent.count)
    return mean * Double(total - done - failed) / Double(max(1, min(jobs, total - done - failed)))
  }

  /// What a worker is at, or the last line of its log.
  private func activity(of point: Int) -> String {
    if let progress = folder.progress(of: point) { return progress.escapedForTerminal }
    let text = folder.endOfLog(of: point, bytes: 400)
    return (text.split(separator: "\n").last.map(String.init) ?? "").escapedForTerminal
  }

  private static func result(_ variant: RunRecord.Variant?) -> String {
    guard let variant else { return "" }
    return
      "\(variant.name.escapedForTerminal) \(RunText.value(variant, variant.measure))"
      + "\(variant.measure == .agreement ? " agreement" : ""), \(RunText.value(variant, .gzipBytes)) gzip"
  }
}

extension SweepDefinition.Point {
  /// Without the credentials of addresses.
  var shown: String {
    let settings = Secrets.removed(from: text).escapedForTerminal.shortened(to: 300)
    return "\(number)\(settings.isEmpty ? "" : " \(settings)") seed=\(seed)"
  }
}
