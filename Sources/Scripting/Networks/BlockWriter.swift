import Diagnostics
import Network
import Tensors

/// Makes a graph of a script's blocks; what does not fit is an error with layer, shapes and the script's line.
struct BlockWriter {
  private var nodes: [Node] = []
  private var shapes: [String: Shape] = [:]
  private var counts: [String: Int] = [:]
  private var constants: [String: Tensor] = [:]
  /// The values that the next block takes: one, unless a script gave it several.
  private var current: [String] = []
  /// The layers that shared blocks have made where they were used first.
  private var shared: [ObjectIdentifier: [String]] = [:]
  /// The layers whose parameters those to come have, and how many of them have come, while a shared block is written
  /// anew.
  private var owners: (names: [String], used: Int)?

  /// - Throws: `CompressError` when something does not fit, with the place at which the script made it.
  static func graph(_ block: BlockObject, input: Shape) throws -> Graph {
    var writer = BlockWriter()
    writer.append(Node("input", .input(Input(input))), input)
    try writer.write(block, prefix: "")
    return try Graph(writer.nodes, output: writer.current[0])
  }

  /// - Returns: the graph, and the values of its constants by layer.
  /// - Throws: `CompressError` when something does not fit, with the place at which the script made it.
  static func graph(
    inputs: [NetworkValue], outputs: [NetworkValue]
  ) throws -> (graph: Graph, constants: [String: Tensor]) {
    var writer = BlockWriter()
    var names: [ObjectIdentifier: String] = [:]
    for input in inputs {
      guard case .input(let shape) = input.source else {
        throw CompressError("net.model: inputs are made by net.input").at(input)
      }
      let id = ObjectIdentifier(input)
      guard names[id] == nil else { throw CompressError("net.model: one of the inputs is listed twice").at(input) }
      names[id] = try writer.append(input, kind: "input", .input(Input(shape)))
    }
    let values = NetworkValue.lineage(of: outputs)
    var layers = 0
    for value in values {
      if case .output(let block, _) = value.source { layers += block.count }
    }
    guard layers <= BlockObject.largest else {
      throw CompressError("net.model: \(layers) layers; the limit is \(BlockObject.largest)")
    }
    for value in values where names[ObjectIdentifier(value)] == nil {
      switch value.source {
      case .input: throw CompressError("net.model: an output is made of an input that is not among the inputs").at(value)
      case .constant(let constant, let tensor):
        let name = try writer.append(value, kind: "constant", .constant(constant))
        names[ObjectIdentifier(value)] = name
        writer.constants[name] = tensor
      case .output(let block, let inputs):
        writer.current = inputs.map { names[ObjectIdentifier($0)]! }
        try writer.write(block, prefix: "")
        guard writer.current.count == 1 else { throw CompressError("a block without layers gives several values").at(value) }
        names[ObjectIdentifier(value)] = writer.current[0]
      }
    }
    let graph = try Graph(writer.nodes, outputs: outputs.map { names[ObjectIdentifier($0)]! })
    return (graph, writer.constants)
  }

  private mutating func write(_ block: BlockObject, prefix: String) throws {
    let inner = prefix + (block.name.map { $0 + "." } ?? "")
    switch block.content {
    case .layer(let kind, let make): try add(kind, name: block.name, prefix, current, block, make)
    case .sequence(let blocks):
      for block in blocks { try write(block, prefix: inner) }
    case .combined(let op, let branches):
      let outputs = try write(branches, prefix: inner, block)
      current = [outputs[0]]
      for output in outputs.dropFirst() {
        try add(op.spec.kind, name: nil, inner, [current[0], output], block) { shapes in
          if case .add = op, shapes[0] != shapes[1] { throw Self.mismatch(shapes[0], shapes[1]) }
          return op
        }
      }
    case .concatenation(let branches):
      try add("concat", name: nil, inner, try write(branches, prefix: inner, block), block) { _ in .concat(Concat()) }
    case .shared(let block):
      let id = ObjectIdentifier(block), outer = owners
      if let names = shared[id] {
        owners = (names, 0)
        try write(block, prefix: prefix)
      } else {
        let first = nodes.count
        owners = nil
        try write(block, prefix: prefix)
        shared[id] = nodes[first...].map(\.name)
      }
      owners = outer
    }
  }

  /// Writes blocks that all start from the same values; gives the names of what they end in.
  private mutating func write(_ branches: [BlockObject], prefix: String, _ parent: BlockObject) throws -> [String] {
    let start = current
    return try branches.map { branch in
      current = start
      try write(branch, prefix: prefix)
      guard current.count == 1 else { throw CompressError("a branch without layers gives several values").at(parent) }
      return current[0]
    }
  }

  private mutating func add(
    _ kind: String, name: String?, _ prefix: String, _ inputs: [String], _ block: BlockObject,
    _ make: ([Shape]) throws -> Operator
  ) throws {
    let full = named(kind, name, prefix)
    do {
      try atLayer(full) {
        guard shapes[full] == nil else {
          throw CompressError("two layers have this name", hint: "a block that is used twice needs none")
        }
        let given = inputs.map { shapes[$0]! }
        let op = try make(given)
        guard op.spec.arity.contains(inputs.count) else {
          throw CompressError("\(kind) takes \(op.spec.arity.text) values, not \(inputs.count)")
        }
        let owner = try owner(of: op, given)
        append(Node(full, op, inputs, sharing: owner), try op.spec.outputShapes(given)[0])
      }
    } catch let error as CompressError { throw error.at(block) }
    current = [full]
  }

  /// The layer whose parameters the next one has, where it belongs to a shared block that stands elsewhere already.
  private mutating func owner(of op: Operator, _ inputs: [Shape]) throws -> String? {
    guard let (names, used) = owners else { return nil }
    guard used < names.count else { throw CompressError("a shared block has other layers here than where it was first") }
    owners = (names, used + 1)
    guard !op.spec.parameters(inputs).isEmpty else { return nil }
    // A shared block within one: its first use may itself have borrowed.
    return nodes.first { $0.name == names[used] }?.sharing ?? names[used]
  }

  private mutating func append(_ node: Node, _ shape: Shape) {
    nodes.append(node)
    shapes[node.name] = shape
    current = [node.name]
  }

  /// An input or a constant.
  private mutating func append(_ value: NetworkValue, kind: String, _ op: Operator) throws -> String {
    let name = value.name ?? (kind == "input" && shapes["input"] == nil ? "input" : named(kind, nil, ""))
    do {
      try atLayer(name) {
        guard shapes[name] == nil else { throw CompressError("two layers have this name") }
        append(Node(name, op), try op.spec.outputShapes([])[0])
      }
    } catch let error as CompressError { throw error.at(value) }
    return name
  }

  private mutating func named(_ kind: String, _ name: String?, _ prefix: String) -> String {
    if let name, owners == nil || shapes[prefix + name] == nil { return prefix + name }
    // The name is taken by the shared block's first place.
    let kind = name ?? kind
    if name != nil { counts[prefix + kind] = max(counts[prefix + kind] ?? 0, 1) }
    counts[prefix + kind, default: 0] += 1
    return "\(prefix)\(kind)_\(counts[prefix + kind]!)"
  }

  private static func mismatch(_ a: Shape, _ b: Shape) -> CompressError {
    var error = CompressError("cannot add outputs of shapes \(a) and \(b)")
    if a.rank == 3, b.rank == 3, a[0] > 0, b[0] >= a[0] {
      let stride = (b[0] + a[0] - 1) / a[0]
      error.hint = "shortcut = net.conv(\(a[2]), 1\(stride > 1 ? ", { stride = \(stride) }" : "")) makes them alike"
    }
    return error
  }
}

extension CompressError {
  fileprivate func at(_ block: BlockObject) -> CompressError {
    block.origin.map { at(script: $0.script, line: $0.line) } ?? self
  }

  fileprivate func at(_ value: NetworkValue) -> CompressError {
    value.origin.map { at(script: $0.script, line: $0.line) } ?? self
  }
}
