import Diagnostics
import Network
import Tensors

extension SafeTensorsFile {
  /// The network with the file's weights, as float32; docs/safetensors.md says which tensor goes where.
  ///
  /// - Throws: one `CompressError` that names every tensor that is missing, has no place or another shape.
  public func model(_ graph: Graph) throws -> Model {
    var parameters: [String: [ParameterRole: Parameter]] = [:]
    for (place, entry) in try match(graph) {
      let tensor = try atLayer(place.layer) { try place.imported(floats(entry)) }
      parameters[place.layer, default: [:]][place.role] = Parameter(tensor)
    }
    return try Model(graph: graph, parameters: parameters)
  }

  /// Checks names and shapes without reading a value.
  ///
  /// - Throws: what `model(_:)` throws.
  public func check(_ graph: Graph) throws { _ = try match(graph) }

  /// What files carry beside weights: counters, and the second head that Inception is only trained with.
  private static func isIgnored(_ name: String) -> Bool {
    name.hasSuffix("num_batches_tracked") || name.hasPrefix("AuxLogits.")
  }

  /// Of each kind of problem.
  private static let shown = 6

  private func match(_ graph: Graph) throws -> [(WeightNames.Place, Entry)] {
    // Models trained on several devices have this before every name.
    let wrapper = "module."
    let isWrapped = !entries.isEmpty && entries.allSatisfy { $0.name.hasPrefix(wrapper) }
    var found: [String: Entry] = [:]
    for entry in entries {
      let name = isWrapped ? String(entry.name.dropFirst(wrapper.count)) : entry.name
      if !Self.isIgnored(name) { found[name] = entry }
    }
    let places = WeightNames(graph).places
    let wanted = Set(places.map(\.name))
    let extra = found.keys.filter { !wanted.contains($0) }.sorted()
    // Looking for the nearest name takes time: not for each of a million.
    let candidates = extra.prefix(1000)
    var missing: [String] = [], misshaped: [String] = []
    var matches: [(WeightNames.Place, Entry)] = []
    for place in places {
      guard let entry = found[place.name] else {
        let nearest = missing.count < Self.shown ? Suggestion.nearest(to: place.name, among: candidates) : nil
        let near = nearest.map { "; \"\($0.escapedForTerminal)\" is there" }
        missing.append("\"\(place.name.escapedForTerminal)\" \(place.shape)\(near ?? "")")
        continue
      }
      guard entry.shape == place.shape else {
        misshaped.append("\"\(place.name.escapedForTerminal)\" is \(entry.shape), the network takes \(place.shape)")
        continue
      }
      matches.append((place, entry))
    }
    let superfluous = extra.map { "\"\($0.escapedForTerminal)\" \(found[$0]!.shape)" }
    let problems = [("missing", missing), ("of another shape", misshaped), ("without a place", superfluous)]
      .filter { !$0.1.isEmpty }.map { "\n  \($0.1.count) \($0.0): " + Self.list($0.1) }
    guard problems.isEmpty else {
      throw CompressError(
        "its \(found.count) tensors are not the \(places.count) of the network:" + problems.joined(), kind: .input)
    }
    return matches
  }

  private static func list(_ items: [String]) -> String {
    items.prefix(shown).joined(separator: ", ") + (items.count > shown ? ", and \(items.count - shown) more" : "")
  }
}
