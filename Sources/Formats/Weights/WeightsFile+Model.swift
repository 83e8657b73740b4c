import Diagnostics
import Network
import Tensors

extension WeightsFile {
  /// The network with the file's weights, as float32; docs/safetensors.md says which tensor goes where.
  ///
  /// - Throws: one `CompressError` that names every tensor that is missing, has no place or another shape; naming the
  ///   layer, where the network holds a flattened image in an order that no order of its weights makes up for.
  public func model(_ graph: Graph, rules: NameRules = NameRules()) throws -> Model {
    var parameters: [String: [ParameterRole: Parameter]] = [:]
    for (place, entry) in try match(graph, rules).tensors {
      let tensor = try atLayer(place.layer) { try place.imported(floats(entry)) }
      parameters[place.layer, default: [:]][place.role] = Parameter(tensor)
    }
    return try Model(graph: graph, parameters: parameters)
  }

  /// Checks names and shapes without reading a value.
  ///
  /// - Returns: sentences on names that were taken for others, and on tensors that were passed over.
  /// - Throws: what `model(_:rules:)` throws.
  @discardableResult
  public func check(_ graph: Graph, rules: NameRules = NameRules()) throws -> [String] {
    try match(graph, rules).notes
  }

  private func match(_ graph: Graph, _ rules: NameRules) throws -> WeightMatch {
    let places = try WeightNames(graph).places
    let wanted = Set(places.map(\.name))
    let names = try TensorNames(entries.map(\.name), wanted: wanted, rules)
    var found: [String: TensorEntry] = [:]
    for entry in entries {
      guard let name = names.inNetwork[entry.name] else { continue }
      if let other = found.updateValue(entry, forKey: name) {
        throw CompressError(
          "tensors \"\(other.name.escapedForTerminal)\" and \"\(entry.name.escapedForTerminal)\" would both be "
            + "\"\(name.escapedForTerminal)\"", kind: .input)
      }
    }
    let extra = found.keys.filter { !wanted.contains($0) }.sorted()
    // Looking for the nearest name takes time: not for each of a million.
    let candidates = extra.prefix(1000)
    var missing: [String] = [], misshaped: [String] = []
    var match = WeightMatch(notes: names.notes)
    for place in places {
      guard let entry = found[place.name] else {
        let nearest = missing.count < WeightMatch.shown ? Suggestion.nearest(to: place.name, among: candidates) : nil
        let near = nearest.map { "; \"\(found[$0]!.name.escapedForTerminal)\" is there" }
        missing.append("\"\(place.name.escapedForTerminal)\" \(place.shape)\(near ?? "")")
        continue
      }
      guard entry.shape == place.shape else {
        misshaped.append("\"\(place.name.escapedForTerminal)\" is \(entry.shape), the network takes \(place.shape)")
        continue
      }
      match.tensors.append((place, entry))
    }
    let superfluous = extra.map { "\"\(found[$0]!.name.escapedForTerminal)\" \(found[$0]!.shape)" }
    let problems = [("missing", missing), ("of another shape", misshaped), ("without a place", superfluous)]
      .filter { !$0.1.isEmpty }.map { "\n  \($0.1.count) \($0.0): " + WeightMatch.list($0.1) }
    guard problems.isEmpty else {
      throw CompressError(
        "its \(found.count) tensors are not the \(places.count) of the network:" + problems.joined(), kind: .input,
        hint: superfluous.isEmpty
          ? nil
          : "rename = { [\"name in the file\"] = \"name in the network\" }, ignore = { \"name\" }; * stands for anything"
      )
    }
    return match
  }
}

/// Which of a file's tensors is which of a network's.
private struct WeightMatch {
  var tensors: [(WeightNames.Place, TensorEntry)] = []
  var notes: [String] = []

  /// Of each kind of problem.
  static let shown = 6

  static func list(_ items: [String]) -> String {
    items.prefix(shown).joined(separator: ", ") + (items.count > shown ? ", and \(items.count - shown) more" : "")
  }
}
