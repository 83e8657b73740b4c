import Compression
import Devices
import Diagnostics
import Network

extension ModelMeasure {
  /// The fewest channels of least score without which a model keeps a limit; none where it does already.
  ///
  /// - Throws: `CompressError` when even removing all that may go does not.
  func choose(
    atMost most: Int, among selection: ChannelSelection, of model: Model, _ context: StageContext
  ) throws -> ChannelSelection.Choice {
    func value(_ count: Int) throws -> Double {
      try context.cancellation.check()
      return try self.value(of: model.removing(selection.removing(count).removal, of: selection.groups), context)
    }
    guard try self.value(of: model, context) > Double(most) else { return selection.removing(0) }
    guard selection.count > 0 else { throw selection.nothingToRemove }
    let least = try value(selection.count)
    guard least <= Double(most) else {
      throw CompressError(
        "\(rawValue): \(text(Double(most))) cannot be reached; \(selection.keeping), and then it is \(text(least))")
    }
    var low = 1, high = selection.count
    while low < high {
      let middle = (low + high) / 2
      if try value(middle) <= Double(most) { high = middle } else { low = middle + 1 }
    }
    return selection.removing(low)
  }
}

extension DeviceDescription {
  /// Networks of fewer channels that are looked at, from all channels to as few as may stay.
  private static let mostSteps = 512

  /// The channels of least score without which a model comes nearest to so many milliseconds by the table, among those
  /// networks whose layers are all in it.
  ///
  /// - Throws: `CompressError` when none of those is as fast; naming a layer that is not in the table, when that may be
  ///   why.
  func choose(
    _ wanted: Double, among selection: ChannelSelection, of model: Model, _ context: StageContext
  ) throws -> ChannelSelection.Choice {
    guard selection.count > 0 else { throw selection.nothingToRemove }
    let steps = min(selection.count, Self.mostSteps)
    var best: (choice: ChannelSelection.Choice, milliseconds: Double)?
    var known = 0, networks = 0, missing: [String] = [], seen: Set<[Int]> = [], least = Double.infinity
    for step in 0...steps {
      try context.cancellation.check()
      let choice = selection.removing(selection.count * step / steps)
      // Multiples make the same network of several numbers.
      let widths = selection.groups.groups.indices.map { choice.removal[$0]?.count ?? 0 }
      guard seen.insert(widths).inserted else { continue }
      networks += 1
      let found = try tableLatency(of: model.removing(choice.removal, of: selection.groups))
      guard found.missing.isEmpty else {
        if missing.isEmpty { missing = found.missing }
        continue
      }
      known += 1
      least = min(least, found.milliseconds)
      if best == nil || abs(found.milliseconds - wanted) < abs(best!.milliseconds - wanted) {
        best = (choice, found.milliseconds)
      }
    }
    guard let (found, milliseconds) = best, least <= wanted * 1.01 else {
      guard missing.isEmpty else { throw notInTable(missing) }
      throw CompressError(
        "latency_ms: \(wanted.formatted(4)) cannot be reached; \(selection.keeping), and then it is \(least.formatted(4))"
      )
    }
    var choice = found
    if known < networks || abs(milliseconds - wanted) > 0.01 * wanted {
      choice.note =
        "latency_ms: \(milliseconds.formatted(4)) where \(wanted.formatted(4)) was asked for; of \(networks) networks with "
        + "fewer filters the table of \"\(name)\" has all layers of \(known)"
    }
    return choice
  }

  /// What is to be said of a time that came from a table.
  func remarks(on found: TableLatency, decided what: String) -> [String] {
    guard let machine = table?.machine else { return [] }
    let threads = machine.threads == 1 ? "one thread" : "\(machine.threads) threads"
    var remarks = [
      "latency_ms: \(found.milliseconds.formatted(4)) by the latency table of \"\(name)\" (\(machine.name), \(machine.isa), "
        + "\(threads)), which decided \(what)"
    ]
    if !found.missingBeside.isEmpty {
      remarks.append(
        "not counted in it, since not in the table: \(found.missingBeside.prefix(5).joined(separator: "; "))"
          + (found.missingBeside.count > 5 ? " and \(found.missingBeside.count - 5) more" : ""))
    }
    return remarks
  }
}

extension LatencyTable {
  /// A name for its content: another table is another reason.
  var digest: String { get throws { Digest.of(try text()) } }
}

extension Recipe {
  /// A map with more in it.
  func adding(_ more: [String: Recipe]?) -> Recipe {
    guard case .map(let own) = self, let more else { return self }
    return .map(own.merging(more) { $1 })
  }
}
