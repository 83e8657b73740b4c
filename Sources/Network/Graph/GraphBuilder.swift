import Tensors

/// Writes a graph layer by layer; each call appends after `last` unless told otherwise:
///
///     var net = GraphBuilder(input: [28, 28, 1])
///     net.conv2d(filters: 12, kernel: 3)
///     net.activation(.relu)
///     net.maxPool(2)
///     net.flatten()
///     net.dense(10)
///     let graph = try net.graph()
///
/// Layers without a name are called after their kind and number: `conv2d_1`.
public struct GraphBuilder {
  private var nodes: [Node] = []
  private var counts: [String: Int] = [:]
  /// The layer added last.
  public private(set) var last = ""
  /// The network's outputs; empty for the layer added last.
  public var outputs: [String] = []

  public init(input shape: Shape) { add(.input(Input(shape)), [], name: "input") }

  /// - Throws: what `Graph.init` throws.
  public func graph() throws -> Graph { try Graph(nodes, outputs: outputs.isEmpty ? [last] : outputs) }

  /// - Parameter outputs: the network's, in their order.
  public func graph(outputs: [String]) throws -> Graph { try Graph(nodes, outputs: outputs) }

  @discardableResult
  public mutating func add(
    _ op: Operator, _ inputs: [String], name: String? = nil, outputs: [String]? = nil, sharing: String? = nil
  ) -> String {
    let kind = op.spec.name
    counts[kind, default: 0] += 1
    last = name ?? "\(kind)_\(counts[kind]!)"
    nodes.append(Node(last, op, inputs, outputs: outputs, sharing: sharing))
    return last
  }

  /// One more input of the network.
  @discardableResult
  public mutating func input(_ shape: Shape, name: String) -> String { add(.input(Input(shape)), [], name: name) }

  @discardableResult
  public mutating func constant(_ shape: Shape, isTrained: Bool = false, name: String? = nil) -> String {
    add(.constant(Constant(shape, isTrained: isTrained)), [], name: name)
  }

  @discardableResult
  public mutating func conv2d(
    filters: Int, kernel: Int, stride: Int = 1, padding: Padding = .valid, groups: Int = 1, bias: Bool = true,
    from: String? = nil, name: String? = nil
  ) -> String {
    let window = Window(Size2D(kernel), stride: Size2D(stride), padding: padding)
    return add(
      .conv2d(Conv2D(filters: filters, window: window, groups: groups, hasBias: bias)), [from ?? last], name: name)
  }

  @discardableResult
  public mutating func dense(_ units: Int, bias: Bool = true, from: String? = nil, name: String? = nil) -> String {
    add(.dense(Dense(units: units, hasBias: bias)), [from ?? last], name: name)
  }

  @discardableResult
  public mutating func batchNorm(_ spec: BatchNorm = BatchNorm(), from: String? = nil, name: String? = nil) -> String {
    add(.batchNorm(spec), [from ?? last], name: name)
  }

  @discardableResult
  public mutating func activation(_ function: Activation, from: String? = nil, name: String? = nil) -> String {
    add(.activation(function), [from ?? last], name: name)
  }

  @discardableResult
  public mutating func maxPool(
    _ size: Int, stride: Int? = nil, padding: Padding = .valid, from: String? = nil, name: String? = nil
  ) -> String {
    pool(.max, size, stride, padding, from, name)
  }

  @discardableResult
  public mutating func averagePool(
    _ size: Int, stride: Int? = nil, padding: Padding = .valid, countsPadding: Bool = false, from: String? = nil,
    name: String? = nil
  ) -> String {
    pool(.average, size, stride, padding, from, name, countsPadding: countsPadding)
  }

  private mutating func pool(
    _ reduction: Pool2D.Reduction, _ size: Int, _ stride: Int?, _ padding: Padding, _ from: String?, _ name: String?,
    countsPadding: Bool = false
  ) -> String {
    let window = Window(Size2D(size), stride: Size2D(stride ?? size), padding: padding)
    let pool = Pool2D(reduction, window: window, countsPadding: countsPadding)
    return add(.pool2d(pool), [from ?? last], name: name ?? numbered("\(reduction)_pool"))
  }

  @discardableResult
  public mutating func globalAveragePool(from: String? = nil, name: String? = nil) -> String {
    add(.globalPool(GlobalPool(.average)), [from ?? last], name: name)
  }

  @discardableResult
  public mutating func add(_ a: String, _ b: String, name: String? = nil) -> String {
    add(.add(Add()), [a, b], name: name)
  }

  @discardableResult
  public mutating func mul(_ a: String, _ b: String, name: String? = nil) -> String {
    add(.mul(Mul()), [a, b], name: name)
  }

  @discardableResult
  public mutating func concat(_ inputs: [String], axis: Int? = nil, name: String? = nil) -> String {
    add(.concat(Concat(axis: axis)), inputs, name: name)
  }

  @discardableResult
  public mutating func flatten(from: String? = nil, name: String? = nil) -> String {
    add(.flatten(Flatten()), [from ?? last], name: name)
  }

  @discardableResult
  public mutating func reshape(_ shape: Shape, from: String? = nil, name: String? = nil) -> String {
    add(.reshape(Reshape(shape)), [from ?? last], name: name)
  }

  @discardableResult
  public mutating func pad(before: [Int], after: [Int], from: String? = nil, name: String? = nil) -> String {
    add(.pad(Pad(before: before, after: after)), [from ?? last], name: name)
  }

  @discardableResult
  public mutating func dropout(_ rate: Float, from: String? = nil, name: String? = nil) -> String {
    add(.dropout(Dropout(rate: rate)), [from ?? last], name: name)
  }

  private mutating func numbered(_ kind: String) -> String {
    counts[kind, default: 0] += 1
    return "\(kind)_\(counts[kind]!)"
  }
}
