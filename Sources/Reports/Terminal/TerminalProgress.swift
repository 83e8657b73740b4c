import Diagnostics
import Foundation
import Pipeline

/// Draws progress on standard error: one line that is redrawn, with a bar and the time left, for work
/// that lasts over a second; a plain line at the end of each piece. When piped, only the plain lines.
public final class TerminalProgress: ProgressSink {
  private struct Piece {
    let label: String
    let total: Int
    let begin: Date
    var done = 0
    var detail = ""
    /// What was done already when this run first told, and when that was: work taken up where it was interrupted.
    var origin: (done: Int, time: Date)?
  }

  private let terminal: Terminal
  private var pieces: [Piece] = []
  private var lastDrawn = Date.distantPast
  private var hasLine = false

  public init(terminal: Terminal = Terminal(.errors)) { self.terminal = terminal }

  public func begin(_ label: String, total: Int) {
    pieces.append(Piece(label: label.escapedForTerminal, total: total, begin: Date()))
    if terminal.isInteractive { draw(pieces.last!, now: Date()) }
  }

  public func update(done: Int, detail: String) {
    guard !pieces.isEmpty else { return }
    let now = Date()
    pieces[pieces.count - 1].done = done
    pieces[pieces.count - 1].detail = detail.escapedForTerminal
    if pieces.last!.origin == nil { pieces[pieces.count - 1].origin = (done, now) }
    guard terminal.isInteractive, now.timeIntervalSince(lastDrawn) > 0.1 else { return }
    draw(pieces.last!, now: now)
  }

  public func end(detail: String) {
    guard let piece = pieces.popLast() else { return }
    clearLine()
    let seconds = Date().timeIntervalSince(piece.begin)
    let text = detail.isEmpty ? "" : "  \(detail.escapedForTerminal)"
    let indent = String(repeating: "  ", count: pieces.count)
    terminal.writeLine(
      "\(indent)\(terminal.styled("✓", .green)) \(piece.label)\(text)"
        + terminal.styled("  \(Formatting.duration(seconds))", .dim))
  }

  public func note(_ text: String) {
    clearLine()
    terminal.writeLine(terminal.styled("• ", .yellow) + text.escapedBlock)
  }

  /// Forgets pieces that will not end because an error is on its way out.
  public func abandon() {
    clearLine()
    pieces.removeAll()
  }

  private func draw(_ piece: Piece, now: Date) {
    lastDrawn = now
    let elapsed = now.timeIntervalSince(piece.begin)
    var line = "\(String(repeating: "  ", count: pieces.count - 1))\(piece.label)"
    if piece.total > 0 {
      let share = min(1, Double(piece.done) / Double(piece.total))
      line += " " + Self.bar(share, width: 20) + String(format: " %3.0f %%", share * 100)
      if elapsed > 1, let origin = piece.origin, piece.done > origin.done {
        let pace = now.timeIntervalSince(origin.time) / Double(piece.done - origin.done)
        line += "  \(Formatting.clock(pace * Double(piece.total - piece.done))) left"
      }
    } else if elapsed > 1 {
      line += "  \(Formatting.clock(elapsed))"
    }
    if !piece.detail.isEmpty { line += "  \(piece.detail)" }
    // Room for the "^C" that a terminal shows by itself: on a second row it would keep the first from being cleared.
    terminal.writeVerbatim("\r\u{1B}[2K" + String(line.prefix(max(20, terminal.width - 4))))
    hasLine = true
  }

  private func clearLine() {
    if hasLine { terminal.writeVerbatim("\r\u{1B}[2K") }
    hasLine = false
  }

  /// Eighths of a block, so that it moves smoothly.
  public static func bar(_ share: Double, width: Int) -> String {
    let eighths = Int(saturating: (min(max(share, 0), 1) * Double(width * 8)).rounded(.down))
    let full = String(repeating: "█", count: eighths / 8)
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    let bar = full + parts[eighths % 8]
    return "▕" + bar + String(repeating: " ", count: width - bar.count) + "▏"
  }
}
