import Diagnostics
import Experiments
import Foundation
import Reports
import Scripting

/// A sweep's file as `check` and `plan` show it: what it would run, without running it.
struct SweepPreview {
  /// Its points, in a line or two.
  let text: String
  /// The pipeline with the params of the first point.
  let first: ScriptSession.Options

  /// - Returns: nil of a file that declares no sweep.
  /// - Throws: `CompressError` when a point does not fit the pipeline's params.
  init?(_ options: ScriptOptions) throws {
    guard try SweepFile.looksLikeSweep(options.script) else { return nil }
    let file = try SweepFile(options.script, seed: options.seed, limits: options.limits.limits())
    var session = try options.rehearsalOptions()
    session.script = file.script
    var space = file.space
    for setting in session.settings { space.fix(setting.name, setting.value) }
    session.settings = []
    let declared = try ScriptSession.declarations(of: session)
    var text = ""
    for sentence in try space.dropRepeated(declared: declared) { text += "note: \(sentence)\n" }
    let points = try space.points(declared: declared, seed: options.seed)
    let axes = space.axes.map(\.name).joined(separator: ", ")
    let seeds = space.seeds.count
    text += "\(Formatting.count(points.count)) \(points.count == 1 ? "point" : "points") of \(file.script)"
    text += axes.isEmpty ? "" : " over \(axes)"
    text += seeds == 1 ? "" : ", with \(seeds) seeds each"
    text +=
      "; the first: \(points[0].text.isEmpty ? "all params as they are" : points[0].text), seed \(points[0].seed)\n"
    self.text = text.escapedLines
    session.settings = space.fixed + points[0].settings.map { ($0.name, $0.value) }
    session.seed = points[0].seed
    first = session
  }
}
