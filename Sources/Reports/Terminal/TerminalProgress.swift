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
  private let isQuiet: Bool
  private var pieces: [Piece] = []
  private var lastDrawn = Date.distantPast
  private var hasLine = false

  /// - Parameter isQuiet: notes alone are written.
  public init(terminal: Terminal = Terminal(.errors), isQuiet: Bool = false) {
    self.terminal = terminal
    self.isQuiet = isQuiet
  }

  public func begin(_ label: String, total: Int) {
    pieces.append(Piece(label: label.escapedForTerminal, total: total, begin: Date()))
    if terminal.isInteractive, !isQuiet { draw(pieces.last!, now: Date()) }
  }

  public func update(done: Int, detail: String) {
    guard !pieces.isEmpty else { return }
    let now = Date()
    pieces[pieces.count - 1].done = done
    pieces[pieces.count - 1].detail = detail.escapedForTerminal
    if pieces.last!.origin == nil { pieces[pieces.count - 1].origin = (done, now) }
    guard terminal.isInteractive, !isQuiet, now.timeIntervalSince(lastDrawn) > 0.1 else { return }
    draw(pieces.last!, now: now)
  }

  public func end(detail: String) {
    guard let piece = pieces.popLast() else { return }
    clearLine()
    guard !isQuiet else { return }
    let seconds = Date().timeIntervalSince(piece.begin)
    let text = detail.isEmpty ? "" : "  \(detail.escapedForTerminal)"
    let indent = String(repeating: "  ", count: pieces.count)
    terminal.write(
      indent
        + terminal.told(
          "✓ ", .green, text: "\(piece.label)\(text)" + terminal.styled("  \(Formatting.duration(seconds))", .dim),
          indent: indent.count))
  }

  public func note(_ text: String) {
    clearLine()
    terminal.write(terminal.told("• ", .yellow, text: text.escapedBlock))
  }

  public func show(_ text: String?) {
    guard pieces.isEmpty, terminal.isInteractive, !isQuiet else { return }
    clearLine()
    guard let text else { return }
    terminal.writeVerbatim(text.escapedForTerminal.prefix(max(20, terminal.width - 4)).description)
    hasLine = true
  }

  /// Forgets pieces that will not end because an error is on its way out.
  public func abandon() {
    clearLine()
    pieces.removeAll()
  }

  private func draw(_ piece: Piece, now: Date) {
    lastDrawn = now
    let line = line(piece, elapsed: now.timeIntervalSince(piece.begin), now: now)
    terminal.writeVerbatim("\r\u{1B}[2K" + line)
    hasLine = true
  }

  private func line(_ piece: Piece, elapsed: Double, now: Date) -> String {
    let label = String(repeating: "  ", count: pieces.count - 1) + piece.label
    var figures = ""
    var share: Double?
    if piece.total > 0 {
      let done = min(1, Double(piece.done) / Double(piece.total))
      share = done
      figures = String(format: " %3.0f %%", done * 100)
      if elapsed > 1, let origin = piece.origin, piece.done > origin.done {
        let pace = now.timeIntervalSince(origin.time) / Double(piece.done - origin.done)
        figures += "  \(Formatting.clock(pace * Double(piece.total - piece.done))) left"
      }
    } else if elapsed > 1 {
      figures = "  \(Formatting.clock(elapsed))"
    }
    if !piece.detail.isEmpty { figures += "  \(piece.detail)" }
    // Room for the "^C" that a terminal shows by itself: on a second row it would keep the first from being cleared.
    return Self.line(label, figures, share: share, within: max(20, terminal.width - 4))
  }

  /// What does not fit is given up in this order: the bar, the end of the label, the end of the figures.
  ///
  /// - Parameter share: how much is done; nil where that is unknown, and there is no bar.
  static func line(_ label: String, _ figures: String, share: Double?, within room: Int) -> String {
    var label = label, bar = ""
    if let share {
      let width = min(Self.widestBar, room - label.count - figures.count - 3)
      if width >= Self.narrowestBar { bar = " " + Self.bar(share, width: width) }
    }
    let over = label.count + bar.count + figures.count - room
    if over > 0, label.count > Self.shortestLabel {
      label = label.prefix(max(Self.shortestLabel, label.count - over) - 1) + "…"
    }
    return String((label + bar + figures).prefix(room))
  }

  /// Characters.
  private static let widestBar = 20, narrowestBar = 5, shortestLabel = 16

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
