import Diagnostics
import Network
import Tensors

/// The layers of a network that the reader of a foreign file adds one after the other, each checked as it comes.
struct ImportedLayers {
  var nodes: [Node] = []
  /// Of each layer in `nodes`.
  private(set) var positions: [String: Int] = [:]
  private(set) var shapes: [String: Shape] = [:]
  var parameters: [String: [ParameterRole: Parameter]] = [:]
  /// How many layers would have had a name.
  private var numbers: [String: Int] = [:]

  /// Bytes of a name; numbers behind it have room below what a layer's name may have.
  static let longestName = 480

  /// The node of a layer.
  ///
  /// - Precondition: there is such a layer.
  subscript(name: String) -> Node { nodes[positions[name]!] }

  /// Adds a layer.
  ///
  /// - Parameters:
  ///   - wanted: its name; where another one has it, a number is put behind it.
  ///   - own: its parameters; none of one that is `sharing` another layer's.
  /// - Returns: its name.
  /// - Throws: `CompressError` when the inputs or the parameters do not fit, or it gives more than 2^31 elements.
  mutating func add(
    _ op: Operator, _ inputs: [String], named wanted: String, _ own: [ParameterRole: Parameter] = [:],
    sharing owner: String? = nil
  ) throws -> String {
    let given = inputs.map { shapes[$0]! }
    guard op.spec.arity.contains(given.count) else {
      throw CompressError("\(op.spec.kind) takes \(op.spec.arity.text) inputs, not \(given.count)", kind: .input)
    }
    let shape = try op.spec.outputShapes(given)[0]
    guard shape.count <= Int(Int32.max) else {
      throw CompressError("gives a value of shape \(shape), of more than \(Int32.max) elements", kind: .limit)
    }
    for spec in op.spec.parameters(given) where owner == nil && own[spec.role]?.shape != spec.shape {
      throw CompressError(
        "its \(spec.role.rawValue) has shape \(own[spec.role]?.shape ?? []), expected \(spec.shape)", kind: .input)
    }
    let name = unique(wanted)
    shapes[name] = shape
    positions[name] = nodes.count
    nodes.append(Node(name, op, inputs, sharing: owner))
    if !own.isEmpty { parameters[name] = own }
    return name
  }

  /// Puts layers without parameters in the place of one; the last of them has its name and gives a value of its shape.
  ///
  /// - Precondition: what they read is there before that place.
  mutating func replace(_ place: String, by steps: [Node]) throws {
    var names: [String: String] = [:], fresh: [Node] = []
    for step in steps {
      let inputs = step.inputs.map { names[$0] ?? $0 }
      let name = step.name == place ? place : unique(step.name)
      names[step.name] = name
      fresh.append(Node(name, step.op, inputs))
      shapes[name] = try step.op.spec.outputShapes(inputs.map { shapes[$0]! })[0]
    }
    nodes.replaceSubrange(positions[place]!...positions[place]!, with: fresh)
    for (position, node) in nodes.enumerated() { positions[node.name] = position }
  }

  /// Those that some values need, with the layers whose parameters they share, and all inputs.
  func needed(for ends: [String]) -> [Node] {
    var wanted = Set(ends), kept: [Node] = []
    for node in nodes.reversed() where wanted.contains(node.name) || node.op.isInput {
      kept.append(node)
      wanted.formUnion(node.inputs)
      if let owner = node.sharing { wanted.insert(owner) }
    }
    return kept.reversed()
  }

  /// A name that no layer has.
  private mutating func unique(_ wanted: String) -> String {
    var name = wanted.isEmpty ? "value" : wanted
    if name.utf8.count > Self.longestName { name = String(name.prefix(Self.longestName)) }
    while name.utf8.count > Self.longestName { name.removeLast() }
    guard shapes[name] != nil else { return name }
    var free: String
    repeat {
      numbers[name, default: 1] += 1
      free = "\(name) \(numbers[name]!)"
    } while shapes[free] != nil
    return free
  }
}
