import Diagnostics
import Network
import Tensors

/// Makes a graph of a script's blocks; what does not fit is an error with layer, shapes and the script's line.
struct BlockWriter {
  private var nodes: [Node]
  private var shapes: [String: Shape]
  private var counts: [String: Int] = [:]
  /// The layer added last.
  private var last = "input"

  /// - Throws: `CompressError` when something does not fit, with the place at which the script made it.
  static func graph(_ block: BlockObject, input: Shape) throws -> Graph {
    var writer = BlockWriter(nodes: [Node("input", .input(Input(input)))], shapes: ["input": input])
    try writer.write(block, prefix: "")
    return try Graph(writer.nodes, output: writer.last)
  }

  private init(nodes: [Node], shapes: [String: Shape]) {
    self.nodes = nodes
    self.shapes = shapes
  }

  private mutating func write(_ block: BlockObject, prefix: String) throws {
    switch block.content {
    case .layer(let kind, let make):
      try add(kind, name: block.name, prefix, [last], block) { try make($0[0]) }
    case .sequence(let blocks):
      for inner in blocks { try write(inner, prefix: prefix + (block.name.map { $0 + "." } ?? "")) }
    case .combined(let op, let branches):
      let prefix = prefix + (block.name.map { $0 + "." } ?? "")
      let outputs = try write(branches, prefix: prefix)
      last = outputs[0]
      for output in outputs.dropFirst() {
        try add(op.spec.kind, name: nil, prefix, [last, output], block) { shapes in
          if case .add = op, shapes[0] != shapes[1] { throw Self.mismatch(shapes[0], shapes[1]) }
          return op
        }
      }
    case .concatenation(let branches):
      let prefix = prefix + (block.name.map { $0 + "." } ?? "")
      let outputs = try write(branches, prefix: prefix)
      try add("concat", name: nil, prefix, outputs, block) { _ in .concat(Concat()) }
    }
  }

  /// Writes blocks that all start from the last layer; gives the names of their last ones.
  private mutating func write(_ branches: [BlockObject], prefix: String) throws -> [String] {
    let start = last
    return try branches.map { branch in
      last = start
      try write(branch, prefix: prefix)
      return last
    }
  }

  private mutating func add(
    _ kind: String, name: String?, _ prefix: String, _ inputs: [String], _ block: BlockObject,
    _ make: ([Shape]) throws -> Operator
  ) throws {
    let full: String
    if let name {
      full = prefix + name
    } else {
      counts[prefix + kind, default: 0] += 1
      full = "\(prefix)\(kind)_\(counts[prefix + kind]!)"
    }
    do {
      try atLayer(full) {
        guard shapes[full] == nil else {
          throw CompressError("two layers have this name", hint: "a block that is used twice needs none")
        }
        let given = inputs.map { shapes[$0]! }
        let op = try make(given)
        guard op.spec.arity.contains(inputs.count) else { throw CompressError("\(inputs.count) blocks side by side") }
        shapes[full] = try op.spec.outputShapes(given)[0]
        nodes.append(Node(full, op, inputs))
      }
    } catch let error as CompressError {
      throw block.origin.map { error.at(script: $0.script, line: $0.line) } ?? error
    }
    last = full
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
