import Diagnostics
import Tensors

/// The nodes and weights of a file as they are added one after the other.
struct ONNXGraphWriter {
  enum Attribute {
    case integer(Int)
    case integers([Int])
    case float(Float)
    case text(String)
  }

  struct Node {
    var kind: String
    /// An empty name leaves an input out.
    var inputs: [String]
    var outputs: [String]
    var attributes: [(name: String, value: Attribute)]
  }

  /// A weight: what it is made of is made when it is written, so that no file is held in memory as a whole.
  struct Initializer {
    var name: String
    let element: ONNXElement
    let dims: [Int]
    /// A tensor with the bytes of the elements.
    let make: () throws -> Tensor

    var byteCount: Int { element.byteCount(dims.reduce(1, *)) }
  }

  enum Extent {
    case fixed(Int)
    case named(String)
  }

  /// An input or output.
  struct Value {
    let name: String
    let extents: [Extent]
    let element: ONNXElement
  }

  let version: Int
  var nodes: [Node] = []
  var initializers: [Initializer] = []
  var inputs: [Value] = []
  var outputs: [Value] = []
  private var names: Set<String> = []
  /// Numbers and lists that are there already.
  private var known: [String: String] = [:]

  init(version: Int) { self.version = version }

  // MARK: Names

  /// Keeps a name for what is to have just this one.
  ///
  /// - Returns: whether it was free.
  @discardableResult
  mutating func reserve(_ name: String) -> Bool { names.insert(name).inserted }

  /// A name that nothing has.
  mutating func unique(_ wanted: String) -> String {
    var name = wanted.isEmpty ? "value" : wanted, number = 2
    while !names.insert(name).inserted {
      name = "\(wanted) \(number)"
      number += 1
    }
    return name
  }

  /// Calls a value otherwise, wherever it is read.
  mutating func rename(_ old: String, to new: String) {
    for index in nodes.indices {
      for place in nodes[index].inputs.indices where nodes[index].inputs[place] == old {
        nodes[index].inputs[place] = new
      }
      for place in nodes[index].outputs.indices where nodes[index].outputs[place] == old {
        nodes[index].outputs[place] = new
      }
    }
  }

  // MARK: Nodes

  /// Adds a node with one output.
  ///
  /// - Parameter name: that of its output, which is taken; nil for the wanted name or one like it.
  /// - Returns: the name of the output.
  mutating func node(
    _ kind: String, _ inputs: [String], named wanted: String, _ attributes: [(String, Attribute)] = []
  ) -> String {
    let output = unique(wanted)
    nodes.append(Node(kind: kind, inputs: inputs, outputs: [output], attributes: attributes.map { ($0, $1) }))
    return output
  }

  // MARK: Constants

  mutating func initializer(
    _ wanted: String, _ element: ONNXElement, _ dims: [Int], _ make: @escaping () throws -> Tensor
  ) -> String {
    let name = unique(wanted)
    initializers.append(Initializer(name: name, element: element, dims: dims, make: make))
    return name
  }

  /// A list of integers; the same ones are there once.
  mutating func integers(_ values: [Int]) -> String {
    constant("integers \(values.map(String.init).joined(separator: " "))", .int64, [values.count]) {
      Tensor(values.map { Int64($0) })
    }
  }

  /// A number by itself.
  mutating func number(_ value: Float) -> String {
    constant("number \(value)", .float32, []) { Tensor([value], []) }
  }

  /// A zero point of a value by itself.
  mutating func zeroPoint(_ value: Int, _ element: ONNXElement) -> String {
    constant("\(element) \(value)", element, []) {
      // 16 bits as two bytes: tensors have no such type.
      element.bits == 16
        ? Tensor([UInt8(value & 255), UInt8(value >> 8 & 255)]) : Tensor([UInt8(truncatingIfNeeded: value)])
    }
  }

  mutating func floats(_ values: [Float], _ dims: [Int]? = nil, named wanted: String) -> String {
    initializer(wanted, .float32, dims ?? [values.count]) { Tensor(values) }
  }

  private mutating func constant(
    _ content: String, _ element: ONNXElement, _ dims: [Int], _ make: @escaping () -> Tensor
  ) -> String {
    if let name = known[content] { return name }
    let name = initializer(content, element, dims, make)
    known[content] = name
    return name
  }
}
