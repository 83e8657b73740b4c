import Diagnostics
import Network
import Tensors

// Functions of an element, of rows, and of two elements at the same place.
extension TFLiteImporter {
  mutating func function(_ node: TFLiteNode, _ function: Activation) throws {
    var value = try held(node, 0)
    value.name = try emit(.activation(function), [value.name], named: name(node))
    try give(node, value)
  }

  /// Along the last axis.
  mutating func overRows(_ node: TFLiteNode, _ function: Activation) throws {
    var value = try held(node, 0)
    if value.shape.rank == 0 { value = try unbatched(value) }
    value.name = try emit(.activation(function), [value.name], named: name(node))
    try give(node, value)
  }

  mutating func softmax(_ node: TFLiteNode) throws {
    let beta = try node.options(.softmax)?.float(TFLiteField.Softmax.beta, 0) ?? 0
    guard beta.isFinite, beta != 0 else { throw CompressError("beta is \(beta)", kind: .input) }
    guard beta != 1 else { return try overRows(node, .softmax) }
    var value = try held(node, 0)
    if value.shape.rank == 0 { value = try unbatched(value) }
    let factor = try held(TFLiteConstant(Tensor([beta])), named: name(node) + " beta", encoding: nil)
    let scaled = try emit(.mul(Mul()), [value.name, factor.name], named: name(node) + " scaled")
    value.name = try emit(.activation(.softmax), [scaled], named: name(node))
    try give(node, value)
  }

  mutating func reciprocalRoot(_ node: TFLiteNode) throws {
    var value = try held(node, 0)
    let root = try emit(.activation(.sqrt), [value.name], named: name(node) + " root")
    value.name = try emit(.activation(.reciprocal), [root], named: name(node))
    try give(node, value)
  }

  mutating func parametricReLU(_ node: TFLiteNode) throws {
    var value = try held(node, 0)
    let slope = try required(node, 1).floats()
    if slope.count == 1 { return try function(node, .leakyReLU(slope: slope.array(Float.self)[0])) }
    guard let channels = value.shape.dims.last, slope.count == channels, slope.shape.dims.last == channels else {
      // max(x, 0) + slope * min(x, 0)
      var above = value, below = value
      above.name = try emit(.activation(.relu), [value.name], named: name(node) + " above")
      below.name = try emit(.activation(.clip(low: -.infinity, high: 0)), [value.name], named: name(node) + " below")
      let sloped = try paired(
        .mul(Mul()), .held(below), .constant(TFLiteConstant(slope)), named: name(node) + " sloped")
      return try give(node, try paired(.add(Add()), .held(above), .held(sloped), named: name(node)))
    }
    let own = Parameter(try slope.reshaped([channels]).contiguous())
    value.name = try emit(.prelu(PReLU()), [value.name], named: name(node), [.slope: own])
    try give(node, value)
  }

  mutating func lengthNormalization(_ node: TFLiteNode) throws {
    let options = try node.options(.l2Norm)
    var value = try held(node, 0)
    if value.shape.rank == 0 { value = try unbatched(value) }
    let op = SampleNorm(.length, epsilon: 1e-6, hasScale: false, hasShift: false)
    value.name = try emit(.normalization(op), [value.name], named: name(node))
    try give(node, value, fused: try activation(options, TFLiteField.Arithmetic.activation))
  }

  // MARK: Pairs

  /// - Parameter type: of the options that hold what is fused; nil of an operator without.
  mutating func arithmetic(_ node: TFLiteNode, _ op: Operator, _ type: TFLiteOptions?) throws {
    let fused = try type.map { try activation(try node.options($0), TFLiteField.Arithmetic.activation) } ?? .none
    try give(node, try paired(op, try operand(node, 0), try operand(node, 1), named: name(node)), fused: fused)
  }

  mutating func squaredDifference(_ node: TFLiteNode) throws {
    var value = try paired(
      .binary(Binary(.sub)), try operand(node, 0), try operand(node, 1), named: name(node) + " difference")
    value.name = try emit(.mul(Mul()), [value.name, value.name], named: name(node))
    try give(node, value)
  }

  mutating func square(_ node: TFLiteNode) throws {
    var value = try held(node, 0)
    value.name = try emit(.mul(Mul()), [value.name, value.name], named: name(node))
    try give(node, value)
  }

  /// A constant in floats stays one, so that its axes may be fitted; one in integers becomes a value with its scale.
  private mutating func operand(_ node: TFLiteNode, _ index: Int) throws -> Value {
    if isConstant(node, index) {
      let known = try required(node, index)
      if known.isFloat || known.quantization == nil && isPlain(node.outputs[0]) {
        return .constant(TFLiteConstant(try known.floats()))
      }
      guard let tensor = node.input(index), try encoding(graph.tensors[tensor]) != nil else {
        throw CompressError("computes with integers together with what varies", kind: .input)
      }
      return .constant(known)
    }
    return .held(try held(node, index))
  }

  /// Two values, broadcast.
  private mutating func paired(_ op: Operator, _ a: Value, _ b: Value, named name: String) throws -> Held {
    switch (a, b) {
    case (.held(let a), .held(let b)): return try paired(op, a, b, named: name)
    case (.held(let a), .constant(let b)):
      let (value, other) = try fitted(a, b, named: name)
      return try paired(op, value, other, named: name)
    case (.constant(let a), .held(let b)):
      let (value, other) = try fitted(b, a, named: name)
      return try paired(op, other, value, named: name)
    case (.constant(let a), .constant(let b)):
      let first = try held(a, named: name + " constant", encoding: nil)
      return try paired(op, first, try held(b, named: name + " constant", encoding: nil), named: name)
    }
  }

  /// A constant without the leading axes of one element that the value has, or that stand for the batch.
  private mutating func fitted(
    _ value: Held, _ known: TFLiteConstant, named name: String
  ) throws -> (value: Held, constant: Held) {
    var value = value
    var dims = known.shape.dims
    if value.hasBatch, dims.count >= value.dims.count, dims.first != 1 || dims.count > value.dims.count {
      value = try unbatched(value)
    }
    if value.hasBatch, value.dims.count == 1 { value = try unbatched(value) }
    while value.hasBatch, dims.first == 1 { dims.removeFirst() }
    if dims.isEmpty { dims = [1] }
    if value.shape.rank == 0 { value.name = try reshape(value.name, [1], named: value.name + " reshaped") }
    let encoding = try Self.encoding(known.type, known.quantization, name)
    return (value, try held(try known.reshaped(Shape(dims)), named: name + " constant", encoding: encoding))
  }

  private mutating func paired(_ op: Operator, _ first: Held, _ second: Held, named name: String) throws -> Held {
    var a = first, b = second
    if a.hasBatch != b.hasBatch {
      // The one without takes part in every sample if its axes are aligned behind the batch.
      let plain = a.hasBatch ? b : a, other = a.hasBatch ? a : b
      if plain.dims.count == other.dims.count, plain.dims[0] == 1, batch == 1 {
        if a.hasBatch { b = try batched(b) } else { a = try batched(a) }
      } else if plain.dims.count >= other.dims.count {
        if a.hasBatch { a = try unbatched(a) } else { b = try unbatched(b) }
      }
    } else if a.hasBatch, a.dims.count != b.dims.count {
      guard batch == 1 else {
        throw CompressError("values of shapes \(a.dims) and \(b.dims), whose batches lie apart", kind: .input)
      }
      a = try unbatched(a)
      b = try unbatched(b)
    }
    let hasBatch = a.hasBatch || b.hasBatch
    return try emitHeld(op, [a.name, b.name], named: name, hasBatch: hasBatch)
  }
}
