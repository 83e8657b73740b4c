import Diagnostics

extension ONNXImporter {
  /// Nodes that are left out, since nobody here knows their operators, or since they take what such ones give: decoding
  /// of boxes, suppression of overlapping ones.
  struct Tail {
    /// What they would give.
    private(set) var values: Set<String> = []
    /// What of the network they take, in the order of the file.
    private(set) var taken: [String] = []
    private var kinds: [String: Int] = [:]

    fileprivate mutating func add(_ node: ONNXNode, taking inputs: [String]) {
      values.formUnion(node.outputs.filter { !$0.isEmpty })
      for input in inputs where !taken.contains(input) { taken.append(input) }
      kinds[node.kind, default: 0] += 1
    }

    /// - Parameter outputs: the network's.
    func notes(_ outputs: [String]) -> [String] {
      guard !kinds.isEmpty else { return [] }
      func list(_ names: [String]) -> String {
        names.prefix(12).map { $0.escapedForTerminal.shortened(to: 80) }.joined(separator: ", ")
          + (names.count > 12 ? ", and \(names.count - 12) more" : "")
      }
      let count = kinds.values.reduce(0, +)
      return [
        "\(count) nodes are left out, of operators that are not known or behind them: "
          + list(kinds.sorted { $0.key < $1.key }.map { $1 > 1 ? "\($0) (\($1))" : $0 }),
        "the network's outputs are now \(list(outputs))",
      ]
    }
  }

  /// What a node takes becomes an output of the network, where it is no input and not known.
  mutating func leaveOut(_ node: ONNXNode) {
    let taken = node.inputs.filter { name in
      guard case .held(let held)? = values[name] else { return false }
      return !layers[held.name].op.isInput
    }
    tail.add(node, taking: taken)
  }
}
