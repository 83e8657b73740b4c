import Diagnostics
import Network
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// What is known while a model is read: chains that compute shapes, and arithmetic on weights.
extension ONNXImporter {
  /// What a node gives, where all it takes is known; nil where something varies, or the node is none of those that are
  /// folded.
  mutating func folded(_ node: ONNXNode) throws -> [ONNXConstant]? {
    guard node.domain.isEmpty else { return nil }
    if node.kind == "Constant" { return [try constantNode(node)] }
    var inputs: [ONNXConstant?] = []
    for name in node.inputs {
      guard !name.isEmpty else {
        inputs.append(nil)
        continue
      }
      guard case .constant(let constant)? = values[name] else { return nil }
      inputs.append(constant)
    }
    guard let first = inputs.first, let x = first else { return nil }
    func input(_ index: Int) throws -> ONNXConstant {
      guard index < inputs.count, let input = inputs[index] else {
        throw CompressError("has no input \(index + 1)", kind: .input)
      }
      return input
    }
    func list(_ attribute: String, _ index: Int) throws -> [Int64]? {
      if let integers = node.integers(attribute) { return integers }
      return index < inputs.count ? try inputs[index]?.integers() : nil
    }
    switch node.kind {
    case "Shape":
      let dims = x.shape.dims.map { Int64($0) }
      return [ONNXConstant(Self.shapeSlice(node, dims))]
    case "Size": return [ONNXConstant(.int64, [], [Int64(x.shape.count)])]
    case "Identity", "Dropout": return [x]
    case "Cast": return [try converted(x, to: ONNXElement(of: node))]
    case "CastLike": return [try converted(x, to: input(1).element)]
    case "ConstantOfShape":
      let dims = try x.indices()
      let shape = try ONNXConstant.checked(dims)
      try spend(shape.count)
      let value = try node.attributes["value"]?.tensor?.constant(files)
      guard value?.shape.count ?? 1 == 1 else { throw CompressError("a value of several elements", kind: .input) }
      guard let value, !value.element.isFloat else {
        return [ONNXConstant(value?.element ?? .float32, Tensor(repeating: value?.scalar ?? 0, shape))]
      }
      return [ONNXConstant(value.element, shape, Array(repeating: try value.integers().first ?? 0, count: shape.count))]
    case "Range":
      let numbers = try [input(0), input(1), input(2)].map { constant -> Double in
        if case .integers(let list) = constant.values, let value = list.first { return Double(value) }
        return Double(constant.scalar ?? .nan)
      }
      let count = max(0, ((numbers[1] - numbers[0]) / numbers[2]).rounded(.up))
      guard count.isFinite, count <= 0x1p26 else { throw CompressError("a range of \(count) numbers", kind: .input) }
      try spend(Int(count))
      let values = (0..<Int(count)).map { numbers[0] + Double($0) * numbers[2] }
      return [
        x.element.isFloat
          ? ONNXConstant(x.element, Tensor(values.map { Float($0) }, [values.count]))
          : ONNXConstant(
            x.element, [values.count],
            try values.map {
              guard abs($0) < 0x1p62 else { throw CompressError("\($0) does not fit an integer", kind: .input) }
              return Int64($0)
            })
      ]
    case "Reshape":
      let target = try Self.target(
        try input(1).integers(), of: x.shape.dims.map { Int64($0) }, allowsZero: node.flag("allowzero"))
      return [try x.reshaped(try Shape(checking: target.map { Int($0) }))]
    case "Flatten":
      let axis = try Self.flattenAxis(node, rank: x.shape.rank)
      let dims = x.shape.dims
      return [try x.reshaped([dims[..<axis].reduce(1, *), dims[axis...].reduce(1, *)])]
    case "Squeeze":
      let axes = try list("axes", 1).map { try Self.axes($0, rank: x.shape.rank) }
      let dims = x.shape.dims.enumerated().filter { axis, size in axes.map { !$0.contains(axis) } ?? (size != 1) }
      return [try x.reshaped(Shape(dims.map(\.element)))]
    case "Unsqueeze":
      let given = try list("axes", 1) ?? []
      let axes = try Self.axes(given, rank: x.shape.rank + given.count)
      return [try x.reshaped(Shape(Self.unsqueezed(x.shape.dims, axes)))]
    case "Transpose":
      let perm = try Self.permutation(node, rank: x.shape.rank)
      let strides = x.shape.strides
      return [try rearranged(x, perm.map { axis in (0..<x.shape[axis]).map { $0 * strides[axis] } })]
    case "Gather":
      let axis = try Self.axis(node.integer("axis", 0), rank: x.shape.rank)
      let indices = try input(1), extent = x.shape[axis], strides = x.shape.strides
      let places = try Self.wrapped(try indices.indices(), extent: extent)
      let result = try rearranged(
        x, (0..<x.shape.rank).map { a in (a == axis ? places : Array(0..<x.shape[a])).map { $0 * strides[a] } })
      return [
        try result.reshaped(Shape(x.shape.dims[..<axis] + indices.shape.dims + x.shape.dims[(axis + 1)...]))
      ]
    case "Slice":
      var result = x
      for cut in try slices(node, rank: x.shape.rank) {
        let strides = result.shape.strides
        let places = Self.places(cut, extent: result.shape[cut.axis])
        result = try rearranged(
          result,
          (0..<result.shape.rank).map { a in
            (a == cut.axis ? places : Array(0..<result.shape[a])).map { $0 * strides[a] }
          })
      }
      return [result]
    case "Split":
      let axis = try Self.axis(node.integer("axis", 0), rank: x.shape.rank)
      let strides = x.shape.strides
      var start = 0
      return try parts(node, extent: x.shape[axis]).map { size in
        defer { start += size }
        let range = start..<start + size
        return try rearranged(
          x, (0..<x.shape.rank).map { a in (a == axis ? Array(range) : Array(0..<x.shape[a])).map { $0 * strides[a] } })
      }
    case "Concat":
      return [try joined(inputs.compactMap { $0 }, along: Self.axis(node.integer("axis", 0), rank: x.shape.rank))]
    case "Expand":
      // To the batch, where that varies: from then on it is a value like others.
      if try input(1).integers().contains(ONNXConstant.batch) { return nil }
      let shape = try Shape.broadcast(x.shape, try Shape(checking: try input(1).indices()))
      return [try stretched(x, to: shape)]
    case "Where":
      let condition = x, yes = try input(1), no = try input(2)
      let shape = try Shape.broadcast(try Shape.broadcast(condition.shape, yes.shape), no.shape)
      let flags = try stretched(condition, to: shape).integers(), a = try stretched(yes, to: shape)
      let b = try stretched(no, to: shape)
      if case .integers(let p) = a.values, case .integers(let q) = b.values {
        return [ONNXConstant(yes.element, shape, flags.indices.map { flags[$0] != 0 ? p[$0] : q[$0] })]
      }
      let p = a.floats.array(Float.self), q = b.floats.array(Float.self)
      return [ONNXConstant(yes.element, Tensor(flags.indices.map { flags[$0] != 0 ? p[$0] : q[$0] }, shape))]
    case "ReduceProd", "ReduceSum", "ReduceMean", "ReduceMin", "ReduceMax":
      return try foldedReduction(node, x, try list("axes", 1)).map { [$0] }
    case "Add", "Sub", "Mul", "Div", "Mod", "Min", "Max", "Pow", "Equal", "Less", "Greater", "LessOrEqual",
      "GreaterOrEqual", "And", "Or", "Xor":
      guard inputs.count == 2 else { return nil }
      let kind = node.kind == "Mod" && node.flag("fmod") ? "Fmod" : node.kind
      return [try combined(kind, x, try aligned(node, try input(1), rank: x.shape.rank))]
    case "Not":
      return [ONNXConstant(.bool, x.shape, try x.integers().map { $0 == 0 ? 1 : 0 })]
    case let kind where Self.foldedFunctions[kind] != nil: return try applied(kind, x).map { [$0] }
    case "Clip":
      guard case .integers(let values) = x.values else { return nil }
      let low = inputs.count > 1 ? try inputs[1]?.integers().first : nil
      let high = inputs.count > 2 ? try inputs[2]?.integers().first : nil
      return [ONNXConstant(x.element, x.shape, values.map { min(max($0, low ?? .min), high ?? .max) })]
    case "Pad":
      guard !x.element.isFloat else { return nil }
      return [try padded(node, x)]
    case "GatherElements", "GatherND", "ScatterElements", "Scatter", "ScatterND":
      guard node.text("reduction", "none") == "none", node.integer("batch_dims", 0) == 0 else { return nil }
      return try [atPlaces(node, x, try input(1), inputs.count > 2 ? try input(2) : nil)]
    case "Tile": return [try repeated(x, try input(1).indices())]
    case "Trilu": return [try triangle(node, x, inputs.count > 1 ? try inputs[1]?.integers().first ?? 0 : 0)]
    case "CumSum": return [try accumulated(node, x, along: try input(1))]
    case "NonZero": return [try nonZero(x)]
    case "QuantizeLinear": return [try quantized(node, x, inputs)]
    case "DequantizeLinear": return try dequantized(node, x, inputs).map { [$0] }
    default: return nil
    }
  }

  private func constantNode(_ node: ONNXNode) throws -> ONNXConstant {
    if let tensor = node.attributes["value"]?.tensor { return try tensor.constant(files) }
    if let float = node.attributes["value_float"]?.float { return ONNXConstant(.float32, Tensor([float], [])) }
    if let integer = node.attributes["value_int"]?.integer { return ONNXConstant(.int64, [], [integer]) }
    if let list = node.attributes["value_floats"]?.floats { return ONNXConstant(.float32, Tensor(list)) }
    if let list = node.attributes["value_ints"]?.integers { return ONNXConstant(list) }
    throw CompressError("has no value that is read: a tensor or numbers", kind: .input)
  }

  func converted(_ x: ONNXConstant, to element: ONNXElement) throws -> ONNXConstant {
    if element.isFloat { return ONNXConstant(element, element.rounded(x.floats)) }
    switch x.values {
    case .integers(let integers):
      return ONNXConstant(element, x.shape, integers.map { $0 == ONNXConstant.batch ? $0 : element.wrapped($0) })
    case .floats(let tensor):
      return ONNXConstant(
        element, x.shape,
        try tensor.array(Float.self).map {
          guard abs($0) < 0x1p62 else { throw CompressError("\($0) does not fit an integer", kind: .input) }
          return element == .bool ? ($0 == 0 ? 0 : 1) : element.wrapped(Int64($0))
        })
    }
  }

  /// The elements at sums of offsets, one of each axis.
  mutating func rearranged(_ x: ONNXConstant, _ offsets: [[Int]]) throws -> ONNXConstant {
    let shape = try Shape(checking: offsets.map(\.count))
    try spend(shape.count)
    return x.taking(shape.count == 0 ? [] : Rearrangement(offsets).sources, shape)
  }

  private mutating func stretched(_ x: ONNXConstant, to shape: Shape) throws -> ONNXConstant {
    if x.shape == shape { return x }
    // Before there are indices of axes that somebody only claims.
    try spend(shape.count)
    let missing = shape.rank - x.shape.rank, strides = x.shape.strides
    return try rearranged(
      x,
      (0..<shape.rank).map { axis in
        (0..<shape[axis]).map { axis < missing || x.shape[axis - missing] == 1 ? 0 : $0 * strides[axis - missing] }
      })
  }

  private mutating func joined(_ parts: [ONNXConstant], along axis: Int) throws -> ONNXConstant {
    let first = parts[0]
    func rest(_ shape: Shape) -> [Int] { shape.dims.enumerated().filter { $0.offset != axis }.map(\.element) }
    guard parts.allSatisfy({ $0.shape.rank == first.shape.rank && rest($0.shape) == rest(first.shape) }) else {
      throw CompressError("cannot join shapes \(parts.map(\.shape))", kind: .input)
    }
    var dims = first.shape.dims
    dims[axis] = parts.reduce(0) { $0 + $1.shape[axis] }
    let shape = try Shape(checking: dims)
    try spend(shape.count)
    let outer = dims[..<axis].reduce(1, *), inner = dims[(axis + 1)...].reduce(1, *)
    if first.element.isFloat {
      let lists = parts.map { ($0.floats.array(Float.self), $0.shape[axis] * inner) }
      var all: [Float] = []
      for index in 0..<outer { for (list, size) in lists { all += list[index * size..<(index + 1) * size] } }
      return ONNXConstant(first.element, Tensor(all, shape))
    }
    let lists = try parts.map { (try $0.integers(), $0.shape[axis] * inner) }
    var all: [Int64] = []
    for index in 0..<outer { for (list, size) in lists { all += list[index * size..<(index + 1) * size] } }
    return ONNXConstant(first.element, shape, all)
  }

  private mutating func combined(_ kind: String, _ a: ONNXConstant, _ b: ONNXConstant) throws -> ONNXConstant {
    let shape = try Shape.broadcast(a.shape, b.shape)
    let isTruth = ["Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "And", "Or", "Xor"].contains(kind)
    let x = try stretched(a, to: shape), y = try stretched(b, to: shape)
    try spend(shape.count)
    if case .integers(let p) = x.values, case .integers(let q) = y.values {
      let values = try p.indices.map { try Self.arithmetic(kind, a.element, p[$0], q[$0]) }
      return ONNXConstant(isTruth ? .bool : a.element, shape, values)
    }
    let p = x.floats.array(Float.self), q = y.floats.array(Float.self)
    func all(_ body: (Float, Float) -> Float) -> Tensor { Tensor(p.indices.map { body(p[$0], q[$0]) }, shape) }
    func truth(_ body: (Float, Float) -> Bool) -> ONNXConstant {
      ONNXConstant(.bool, shape, p.indices.map { body(p[$0], q[$0]) ? 1 : 0 })
    }
    switch kind {
    case "Add": return ONNXConstant(a.element, all(+))
    case "Sub": return ONNXConstant(a.element, all(-))
    case "Mul": return ONNXConstant(a.element, all(*))
    case "Div": return ONNXConstant(a.element, all(/))
    case "Min": return ONNXConstant(a.element, all { $0 < $1 || $0.isNaN ? $0 : $1 })
    case "Max": return ONNXConstant(a.element, all { $0 > $1 || $0.isNaN ? $0 : $1 })
    case "Pow": return ONNXConstant(a.element, all(powf))
    case "Equal": return truth(==)
    case "Less": return truth(<)
    case "Greater": return truth(>)
    case "LessOrEqual": return truth(<=)
    case "GreaterOrEqual": return truth(>=)
    case "Fmod": return ONNXConstant(a.element, all(fmodf))
    default: throw CompressError("of floats is not folded", kind: .input)
    }
  }

  /// Two integers. The batch, where it varies, may be compared, and what leaves it alone may be done to it.
  static func arithmetic(_ kind: String, _ element: ONNXElement, _ a: Int64, _ b: Int64) throws -> Int64 {
    let isBatch = a == ONNXConstant.batch || b == ONNXConstant.batch
    switch kind {
    case "Equal": return a == b ? 1 : 0
    case "Mul" where isBatch && (a == 1 || b == 1): return ONNXConstant.batch
    case "Div" where isBatch && b == 1, "Sub" where isBatch && b == 0: return ONNXConstant.batch
    case "Add" where isBatch && (a == 0 || b == 0): return ONNXConstant.batch
    default: break
    }
    guard !isBatch else { throw CompressError("computes with the size of the batch, which varies", kind: .input) }
    let isUnsigned = element == .uint64
    switch kind {
    case "Add": return element.wrapped(a &+ b)
    case "Sub": return element.wrapped(a &- b)
    case "Mul": return element.wrapped(a &* b)
    case "Div", "Mod", "Fmod":
      guard b != 0 else { throw CompressError("divides \(a) by zero", kind: .input) }
      if isUnsigned {
        let (p, q) = (UInt64(bitPattern: a), UInt64(bitPattern: b))
        return Int64(bitPattern: kind == "Div" ? p / q : p % q)
      }
      // The quotient of the least integer and -1 wraps around.
      let quotient = a.dividedReportingOverflow(by: b).partialValue
      if kind == "Div" { return element.wrapped(quotient) }
      let rest = a.remainderReportingOverflow(dividingBy: b).partialValue
      // As C has it, with the sign of the dividend; otherwise with that of the divisor.
      if kind == "Fmod" { return rest }
      return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest
    case "Min": return isUnsigned ? Int64(bitPattern: min(UInt64(bitPattern: a), UInt64(bitPattern: b))) : min(a, b)
    case "Max": return isUnsigned ? Int64(bitPattern: max(UInt64(bitPattern: a), UInt64(bitPattern: b))) : max(a, b)
    case "Less": return isUnsigned ? (UInt64(bitPattern: a) < UInt64(bitPattern: b) ? 1 : 0) : (a < b ? 1 : 0)
    case "Greater": return isUnsigned ? (UInt64(bitPattern: a) > UInt64(bitPattern: b) ? 1 : 0) : (a > b ? 1 : 0)
    case "LessOrEqual": return isUnsigned ? (UInt64(bitPattern: a) <= UInt64(bitPattern: b) ? 1 : 0) : (a <= b ? 1 : 0)
    case "GreaterOrEqual":
      return isUnsigned ? (UInt64(bitPattern: a) >= UInt64(bitPattern: b) ? 1 : 0) : (a >= b ? 1 : 0)
    case "Xor": return (a != 0) != (b != 0) ? 1 : 0
    case "And": return a != 0 && b != 0 ? 1 : 0
    case "Or": return a != 0 || b != 0 ? 1 : 0
    default: throw CompressError("of integers is not folded", kind: .input)
    }
  }

  /// Functions of an element that are computed of constants.
  private static let foldedFunctions: [String: Activation] = [
    "Neg": .negative, "Abs": .absolute, "Sqrt": .sqrt, "Floor": .floor, "Ceil": .ceil, "Round": .round, "Sign": .sign,
    "Reciprocal": .reciprocal, "Exp": .exp, "Log": .log, "Sin": .sin, "Cos": .cos,
  ]

  private mutating func applied(_ kind: String, _ x: ONNXConstant) throws -> ONNXConstant? {
    try spend(x.shape.count)
    if case .integers(let values) = x.values {
      guard !values.contains(ONNXConstant.batch) else { return nil }
      switch kind {
      case "Sign": return ONNXConstant(x.element, x.shape, values.map { $0.signum() })
      case "Neg": return ONNXConstant(x.element, x.shape, values.map { x.element.wrapped(0 &- $0) })
      case "Abs": return ONNXConstant(x.element, x.shape, values.map { $0 < 0 ? 0 &- $0 : $0 })
      case "Floor", "Ceil", "Round": return x
      default: return nil
      }
    }
    guard let function = Self.foldedFunctions[kind]?.elementFunction else { return nil }
    return ONNXConstant(x.element, Tensor(x.floats.array(Float.self).map(function), x.shape))
  }

  /// Of integers, by any of the ways there are.
  private mutating func padded(_ node: ONNXNode, _ x: ONNXConstant) throws -> ONNXConstant {
    let pads = try padding(node, rank: x.shape.rank)
    let fill = try constant(node, 2)?.integers().first ?? 0
    var result = x
    for axis in 0..<x.shape.rank where pads.before[axis] != 0 || pads.after[axis] != 0 {
      try spend(4 * (abs(pads.before[axis]) + abs(pads.after[axis])))
      let places = try Self.paddedPlaces(
        node.text("mode", "constant"), extent: x.shape[axis], pads.before[axis], pads.after[axis])
      let strides = result.shape.strides
      let kept = try rearranged(
        result,
        (0..<result.shape.rank).map { a in
          (a == axis ? places.map { $0 ?? 0 } : Array(0..<result.shape[a])).map { $0 * strides[a] }
        })
      guard case .integers(var values) = kept.values else { return kept }
      let inner = kept.shape.dims[(axis + 1)...].reduce(1, *)
      for index in values.indices where places[index / inner % places.count] == nil { values[index] = fill }
      result = ONNXConstant(x.element, kept.shape, values)
    }
    return result
  }
}
