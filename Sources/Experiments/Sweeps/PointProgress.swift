import Diagnostics
import Files
import Foundation
import Pipeline
import Reports

/// Tells what a worker is at, in a file of its point's folder that the sweep's view reads: a worker has no terminal.
/// Everything goes on to another sink as well.
public final class PointProgress: ProgressSink {
  private let next: any ProgressSink
  private let folder: HeldFolder?
  private let name: String
  private var labels: [(text: String, total: Int)] = []
  private var written = Date.distantPast

  /// Seconds between two writes.
  private static let pause = 0.5

  public init(_ point: Int, in folder: SweepFolder, next: any ProgressSink) {
    self.next = next
    self.folder = try? folder.held()
    name = SweepFolder.progressName(of: point)
  }

  public func begin(_ label: String, total: Int) {
    labels.append((label, total))
    next.begin(label, total: total)
    write(done: 0, detail: "")
  }

  public func update(done: Int, detail: String) {
    next.update(done: done, detail: detail)
    guard Date().timeIntervalSince(written) > Self.pause else { return }
    write(done: done, detail: detail)
  }

  public func end(detail: String) {
    _ = labels.popLast()
    next.end(detail: detail)
  }

  public func note(_ text: String) { next.note(text) }

  /// What is not written is not shown: no reason to fail.
  private func write(done: Int, detail: String) {
    guard let label = labels.last else { return }
    written = Date()
    let share = label.total > 0 ? " " + Formatting.percent(Double(done) / Double(label.total), digits: 0) : ""
    try? folder?.write(Array("\(label.text)\(share)  \(detail)".utf8), to: name)
  }
}
