import Diagnostics

/// What a script says about the names in a file of weights; `*` stands for anything.
public struct NameRules: Sendable {
  /// Patterns of names that are left out.
  public var ignore: [String]
  /// Names, or patterns of them, and what they are called in the network. A `*` in the second stands for what the first
  /// `*` of the pattern stood for.
  public var rename: [(from: String, to: String)]

  public init(ignore: [String] = [], rename: [(from: String, to: String)] = []) {
    self.ignore = ignore
    // The longest pattern says most about a name: it is tried first.
    self.rename = rename.sorted { ($1.from.utf8.count, $0.from) < ($0.from.utf8.count, $1.from) }
  }
}

/// Which tensor of a file is which of a network.
///
/// Programs that train put names before the network's own (`module.`, `_orig_mod.`, `model.`), and beside its weights
/// counters, averages and the state of optimizers. The prefix under which the file has most of what the network wants
/// is dropped; what is known to be no weight of the network is passed over.
struct TensorNames {
  /// By the name in the file; what is passed over is not among them.
  private(set) var inNetwork: [String: String] = [:]
  private(set) var notes: [String] = []

  /// Prefixes end at one of the first dots of a name.
  private static let mostDots = 8
  private static let counters: Set = [
    "n_averaged", "num_updates", "initted", "decay", "step", "steps", "global_step", "epoch", "iteration",
  ]
  private static let averages: Set = [
    "ema", "model_ema", "ema_model", "ema_net", "state_dict_ema", "ema_state_dict", "averaged_model",
  ]
  private static let training: Set = [
    "optimizer", "optimizers", "optimizer_state", "optimizer_states", "optimizer_state_dict", "optim", "scheduler",
    "schedulers", "lr_scheduler", "lr_schedulers", "scaler", "grad_scaler", "AuxLogits",
  ]

  /// - Throws: `CompressError` when a rule matches no name, or when the file has the network's weights under several
  ///   prefixes.
  init(_ names: [String], wanted: Set<String>, _ rules: NameRules) throws {
    let renamed = try Self.renamed(names, rules)
    let rest = try Self.left(names, rules.ignore).filter { renamed[$0] == nil }
    let prefix = try Self.prefix(of: rest, wanted: wanted, renamed: renamed.values.count(where: wanted.contains))
    if !prefix.isEmpty {
      notes.append("\"\(prefix.escapedForTerminal.shortened(to: 80))\" before the names in the file is dropped")
    }
    inNetwork = renamed
    var passed: [String: Int] = [:]
    for name in rest {
      let inner = name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
      if wanted.contains(inner) && name.hasPrefix(prefix) {
        inNetwork[name] = inner
      } else if name.hasSuffix("num_batches_tracked") {
        continue
      } else if let group = Self.group(name) ?? Self.group(inner) {
        passed[group + ".*", default: 0] += 1
      } else if Self.isCounter(name) {
        passed[name, default: 0] += 1
      } else {
        // Without a place, for the message; a name outside the prefix must not be taken for one inside.
        inNetwork[name] = name.hasPrefix(prefix) ? inner : name
      }
    }
    if !passed.isEmpty {
      let list = passed.sorted { $0.key < $1.key }.prefix(6).map { name, count in
        "\"\(name.escapedForTerminal.shortened(to: 80))\"" + (count > 1 ? " (\(count))" : "")
      }
      notes.append("passed over, as no weights of the network: " + list.joined(separator: ", "))
    }
  }

  private static func isCounter(_ name: String) -> Bool {
    counters.contains(name.splitByBytes(at: ".").last!)
  }

  /// The first part of a name, when all under it is known to be no weight of the network.
  private static func group(_ name: String) -> String? {
    guard let dot = name.utf8.firstIndex(of: UInt8(ascii: ".")) else { return nil }
    let first = String(name[..<dot])
    return averages.contains(first) || training.contains(first) ? first : nil
  }

  private static func left(_ names: [String], _ ignore: [String]) throws -> [String] {
    let patterns = ignore.map(NamePattern.init)
    var used = [Bool](repeating: false, count: patterns.count), left: [String] = []
    for name in names {
      let matching = patterns.indices.filter { patterns[$0].matches(name) }
      for index in matching { used[index] = true }
      if matching.isEmpty { left.append(name) }
    }
    if let unused = used.firstIndex(of: false) { throw Self.unmatched("ignore", ignore[unused], names) }
    return left
  }

  private static func renamed(_ names: [String], _ rules: NameRules) throws -> [String: String] {
    if rules.rename.isEmpty { return [:] }
    let ignored = rules.ignore.map(NamePattern.init)
    let patterns = rules.rename.map { NamePattern($0.from) }
    var used = [Bool](repeating: false, count: patterns.count), renamed: [String: String] = [:]
    for name in names where !ignored.contains(where: { $0.matches(name) }) {
      for (index, pattern) in patterns.enumerated() where pattern.matches(name) {
        used[index] = true
        if renamed[name] == nil { renamed[name] = pattern.applied(to: name, giving: rules.rename[index].to) }
      }
    }
    if let unused = used.firstIndex(of: false) { throw Self.unmatched("rename", rules.rename[unused].from, names) }
    return renamed
  }

  private static func unmatched(_ option: String, _ pattern: String, _ names: [String]) -> CompressError {
    CompressError(
      "\(option): no tensor matches \"\(pattern.escapedForTerminal)\"" + Suggestion.text(for: pattern, among: names))
  }

  /// The text before a dot under which most of the wanted names are; empty where they are as they are, or are not.
  ///
  /// - Parameter renamed: how many of the wanted names were given by rules.
  private static func prefix(of names: [String], wanted: Set<String>, renamed: Int) throws -> String {
    var counts: [String: Int] = [:]
    for name in names {
      if wanted.contains(name) { counts["", default: 0] += 1 }
      var start = name.startIndex
      for _ in 0..<mostDots {
        guard let dot = name.utf8[start...].firstIndex(of: UInt8(ascii: ".")) else { break }
        start = name.utf8.index(after: dot)
        if wanted.contains(String(name[start...])) { counts[String(name[..<start]), default: 0] += 1 }
      }
    }
    guard let most = counts.values.max(), counts[""] != most else { return "" }
    let best = counts.filter { $0.value == most }.keys.sorted()
    let plain = best.filter { !$0.splitByBytes(at: ".").contains(where: averages.contains) }
    if let only = plain.count == 1 ? plain[0] : best.count == 1 ? best[0] : nil { return only }
    guard most + renamed >= wanted.count else { return best[0] }
    let list = best.prefix(4).map { "\"\($0.escapedForTerminal.shortened(to: 80))\"" }.joined(separator: ", ")
    throw CompressError(
      "has the network's weights \(best.count) times, under \(list)", kind: .input,
      hint: "ignore = { \"\(best.last!.escapedForTerminal.shortened(to: 80))*\" } leaves some out")
  }
}
