import Diagnostics
import LuaHost
import Tensors

/// A tensor as scripts hold it: a value that never changes. Axes and indices count from 1.
final class TensorObject: NamedForScripts {
  static let scriptName = "Tensor"
  let tensor: Tensor

  init(_ tensor: Tensor) { self.tensor = tensor }
}

extension LuaState {
  /// More elements than any tensor a script makes should have: 2 GiB of float32.
  static let tensorElementLimit = 1 << 29

  func defineTensors() throws {
    let tensor = LuaClass<TensorObject>("Tensor", shared: { [$0.tensor.sharedMemory] })
    tensor.property("count", "integer", "elements") { .integer($0.tensor.count) }
    tensor.property("rank", "integer", "axes") { .integer($0.tensor.rank) }
    tensor.property("dtype", "string", "float32, float16 …") { .string($0.tensor.dtype.rawValue) }
    tensor.method("shape", "(): integer[]", "Its extents.") { [unowned self] tensor, _ in
      [.table(try list(tensor.tensor.shape.dims))]
    }
    defineElementwise(tensor)
    defineReductions(tensor)
    defineViews(tensor)
    defineSelection(tensor)
    definePositions(tensor)
    defineSingularValues(tensor)
    tensor.operation(.describe) { arguments in .string("\(try arguments.object(0, TensorObject.self).tensor)") }
    define(tensor)
    try defineTensorConstructors()
  }

  func list(_ values: [Int]) throws -> LuaTable { try makeTable(values.map { .integer($0) }) }

  /// Hands a tensor to the script, within its budget of native memory.
  func wrap(_ tensor: Tensor) throws -> [LuaValue] {
    try reserveNative(bytes: tensor.byteCount)
    return [.object(TensorObject(tensor))]
  }

  /// For a result or scratch of so many elements.
  private func reserveNative(elements: Int, of size: Int = 4) throws {
    let bytes = elements.multipliedReportingOverflow(by: size)
    try reserveNative(bytes: bytes.overflow ? .max : bytes.partialValue)
  }

  private func defineElementwise(_ tensor: LuaClass<TensorObject>) {
    for operation in UnaryOperation.allCases {
      tensor.method(operation.rawValue, "(): Tensor", "\(operation.rawValue) of each element.") {
        [unowned self] tensor, _ in
        try reserveNative(bytes: tensor.tensor.count * 4)
        return try wrap(tensor.tensor.applying(operation))
      }
    }
    for operation in BinaryOperation.allCases {
      // min and max are reductions here, as in NumPy.
      let name = [.min: "minimum", .max: "maximum"][operation] ?? operation.rawValue
      tensor.method(name, "(other: Tensor|number): Tensor", "\(operation.rawValue) of each pair of elements.") {
        [unowned self] tensor, arguments in
        try combine(operation, tensor.tensor, try operand(arguments, 0))
      }
    }
    for operation in LogicalOperation.allCases {
      // "and" and "or" are words of Lua: logical_and …
      tensor.method("logical_\(operation.rawValue)", "(other: Tensor): Tensor", "Of each pair of elements; 0 is false.")
      { [unowned self] tensor, arguments in
        let other = try arguments.object(0, TensorObject.self).tensor
        try reserveNative(elements: Shape.broadcast(tensor.tensor.shape, other.shape).count)
        return try wrap(tensor.tensor.applying(operation, other))
      }
    }
    tensor.method("logical_not", "(): Tensor", "1 where an element is 0.") { [unowned self] tensor, _ in
      try reserveNative(elements: tensor.tensor.count)
      return try wrap(tensor.tensor.negated())
    }
    tensor.method("clamp", "(low: number, high: number): Tensor", "Each element within bounds.") {
      [unowned self] tensor, arguments in
      try reserveNative(elements: tensor.tensor.count)
      return try wrap(tensor.tensor.clamped(Float(try arguments.number(0)), Float(try arguments.number(1))))
    }
    tensor.method("where", "(a: Tensor|number, b: Tensor|number): Tensor", "a where an element is not 0, else b.") {
      [unowned self] tensor, arguments in
      let a = try operand(arguments, 0), b = try operand(arguments, 1)
      try reserveNative(elements: Shape.broadcast(tensor.tensor.shape, Shape.broadcast(a.shape, b.shape)).count)
      return try wrap(Tensor.select(tensor.tensor, a, b))
    }
    tensor.method("to", "(dtype: string): Tensor", "Converted to another element type.") {
      [unowned self] tensor, arguments in
      let name = try arguments.string(0)
      guard let dtype = DType(rawValue: name) else {
        throw CompressError(
          "there is no element type \"\(name.escapedForTerminal)\""
            + Suggestion.text(for: name, among: DType.allCases.map(\.rawValue)))
      }
      try reserveNative(elements: tensor.tensor.count, of: dtype.size)
      return try wrap(tensor.tensor.converted(to: dtype))
    }
    let arithmetic: [(LuaOperation, BinaryOperation)] = [
      (.add, .add), (.subtract, .sub), (.multiply, .mul), (.divide, .div), (.power, .pow),
    ]
    for (symbol, operation) in arithmetic {
      tensor.operation(symbol, "(Tensor|number): Tensor") { [unowned self] arguments in
        try combine(operation, try operand(arguments, 0), try operand(arguments, 1))[0]
      }
    }
    tensor.operation(.negate, "Tensor") { [unowned self] arguments in
      try wrap(try arguments.object(0, TensorObject.self).tensor.applying(.neg))[0]
    }
    tensor.operation(.equal) { [unowned self] arguments in
      guard let a = arguments[0].object(TensorObject.self), let b = arguments[1].object(TensorObject.self) else {
        return false
      }
      // Of views with gaps the elements are copied to be compared.
      try reserveNative(elements: a.tensor.count, of: 8)
      return .bool(try a.tensor.isIdentical(to: b.tensor))
    }
  }

  private func combine(_ operation: BinaryOperation, _ a: Tensor, _ b: Tensor) throws -> [LuaValue] {
    try reserveNative(elements: Shape.broadcast(a.shape, b.shape).count)
    return try wrap(a.applying(operation, b))
  }

  private func operand(_ arguments: LuaArguments, _ index: Int) throws -> Tensor {
    if let tensor = arguments[index].object(TensorObject.self) { return tensor.tensor }
    guard let number = arguments[index].number else {
      throw arguments.mismatch(index, expected: "a Tensor or a number")
    }
    return Tensor(scalar: Float(number))
  }

  private func defineReductions(_ tensor: LuaClass<TensorObject>) {
    // t:sum() is a number; t:sum(axis) and t:sum({axis, …}) are tensors.
    for reduction in Reduction.allCases {
      // Indices count from 1.
      let shift = reduction == .argmin || reduction == .argmax ? 1 : 0
      tensor.method(
        reduction.rawValue, "(axes?: integer|integer[], keep?: boolean): number|Tensor",
        "Over all elements, or along axes."
      ) { [unowned self] tensor, arguments in
        try reserveNative(elements: tensor.tensor.count)
        guard !arguments[0].isNil else { return [.number(try tensor.tensor.value(reduction) + Double(shift))] }
        let axes: [Int]
        if let axis = arguments[0].integer {
          axes = [axis]
        } else {
          guard let list = arguments[0].table?.array.map(\.integer), !list.contains(nil) else {
            throw arguments.mismatch(0, expected: "an axis or a list of them")
          }
          axes = list.compactMap { $0 }
        }
        let reduced = try tensor.tensor.reduced(
          reduction, axes: try axes.map(fromOne), keepDims: try arguments.optionalBool(1) ?? false)
        return try wrap(shift == 0 ? reduced : reduced.integers(adding: shift))
      }
    }
  }

  private func defineViews(_ tensor: LuaClass<TensorObject>) {
    tensor.method(
      "reshape", "(...: integer|integer[]): Tensor", "The same elements in another shape; -1 is worked out."
    ) { [unowned self] tensor, arguments in
      if !tensor.tensor.isContiguous { try reserveNative(bytes: tensor.tensor.byteCount) }
      return try wrap(tensor.tensor.reshaped(try sizes(arguments)))
    }
    tensor.method("transpose", "(...: integer|integer[]): Tensor", "Axes in another order; reversed without one.") {
      [unowned self] tensor, arguments in
      guard arguments.count > 0 else { return try wrap(tensor.tensor.transposed()) }
      return try wrap(tensor.tensor.transposed(try sizes(arguments).map(fromOne)))
    }
    tensor.method(
      "slice", "(axis: integer, first: integer, last: integer): Tensor", "Positions first to last of an axis."
    ) { [unowned self] tensor, arguments in
      let first = try arguments.int(1), last = try arguments.int(2)
      guard first >= 1, last >= first - 1 else { throw CompressError("a slice goes from \(first) to \(last)") }
      return try wrap(tensor.tensor.sliced(axis: try fromOne(try arguments.int(0)), first - 1..<last))
    }
    tensor.method("select", "(axis: integer, index: integer): Tensor", "One position of an axis, which goes away.") {
      [unowned self] tensor, arguments in
      try wrap(tensor.tensor.selected(axis: try fromOne(try arguments.int(0)), try fromOne(try arguments.int(1))))
    }
    tensor.method("at", "(...: integer): number", "One element.") { [unowned self] tensor, arguments in
      guard arguments.count == tensor.tensor.rank else {
        throw CompressError(
          "at takes \(tensor.tensor.rank) indices for shape \(tensor.tensor.shape), got \(arguments.count)")
      }
      var element = tensor.tensor
      for index in 0..<arguments.count {
        element = try element.selected(axis: 0, try fromOne(try arguments.int(index)))
      }
      return [element.numbers[0]]
    }
    tensor.method("table", "(): number[]", "All elements, in order.") { [unowned self] tensor, _ in
      guard tensor.tensor.count <= 1 << 20 else {
        throw CompressError("\(tensor.tensor.count) elements are too many for a table")
      }
      return [.table(try makeTable(tensor.tensor.numbers))]
    }
  }

  private func defineSelection(_ tensor: LuaClass<TensorObject>) {
    tensor.method("kth_smallest", "(k: integer): number", "The k-th smallest element, from 1.") {
      [unowned self] tensor, arguments in
      try reserveNative(elements: tensor.tensor.count, of: 8)
      return [.number(Double(try tensor.tensor.kthSmallest(try arguments.int(0))))]
    }
    tensor.method("sort", "(descending?: boolean): Tensor", "All elements, sorted.") {
      [unowned self] tensor, arguments in
      try reserveNative(elements: tensor.tensor.count, of: 24)
      return try wrap(tensor.tensor.sorted(descending: try arguments.optionalBool(0) ?? false))
    }
    tensor.method("matmul", "(other: Tensor): Tensor", "The matrix product.") { [unowned self] tensor, arguments in
      let other = try arguments.object(0, TensorObject.self).tensor
      if tensor.tensor.rank == 2, other.rank == 2 {
        let (count, overflow) = tensor.tensor.shape[0].multipliedReportingOverflow(by: other.shape[1])
        guard !overflow, count <= Self.tensorElementLimit else {
          throw CompressError("the product would have \(count) elements")
        }
        try reserveNative(bytes: count * 4)
      }
      return try wrap(tensor.tensor.matmul(other))
    }
  }

  private func defineSingularValues(_ tensor: LuaClass<TensorObject>) {
    tensor.method(
      "singular_values", "(): Tensor", "Of the matrices in the last two axes, greatest first."
    ) { [unowned self] tensor, _ in try wrap(tensor.tensor.singularValues()) }
    tensor.method(
      "matrix_rank", "(tolerance?: number): Tensor",
      "Of the matrices in the last two axes: singular values above the tolerance times the greatest."
    ) { [unowned self] tensor, arguments in
      try wrap(tensor.tensor.matrixRanks(tolerance: try arguments.optionalNumber(0)))
    }
  }

  private func sizes(_ arguments: LuaArguments) throws -> [Int] {
    if let list = arguments[0].table?.array { return try list.map { try Self.size($0) } }
    return try arguments.values.map { try Self.size($0) }
  }

  private static func size(_ value: LuaValue) throws -> Int {
    guard let size = value.integer else { throw CompressError("sizes are integers, not \(value.typeName)") }
    return size
  }

  /// Positions count from 1 over all elements in row-major order; made here, they are int64 and exact for any tensor.
  private func definePositions(_ tensor: LuaClass<TensorObject>) {
    tensor.method("argsort", "(descending?: boolean): Tensor", "The positions of all elements, sorted by value.") {
      [unowned self] tensor, arguments in
      let tensor = tensor.tensor
      try reserveNative(elements: tensor.count, of: 40)
      let order = try tensor.reshaped([tensor.count]).argsorted(descending: try arguments.optionalBool(0) ?? false)
      return try wrap(order.integers(adding: 1))
    }
    tensor.method("take", "(positions: Tensor): Tensor", "The elements at positions, in the shape of these.") {
      [unowned self] tensor, arguments in
      let positions = try arguments.object(0, TensorObject.self).tensor
      try reserveNative(bytes: positions.count * 12)
      return try wrap(tensor.tensor.taking(positions.integers(adding: -1)))
    }
    tensor.method(
      "put", "(positions: Tensor, values: Tensor): Tensor", "The same tensor with other values at positions."
    ) { [unowned self] tensor, arguments in
      let positions = try arguments.object(0, TensorObject.self).tensor
      let values = try arguments.object(1, TensorObject.self).tensor
      try reserveNative(bytes: positions.count * 8 + tensor.tensor.count * 4)
      return try wrap(tensor.tensor.putting(values, at: positions.integers(adding: -1)))
    }
    tensor.method("cumsum", "(axis?: integer): Tensor", "Running sums over all elements in order, or along an axis.") {
      [unowned self] tensor, arguments in
      try reserveNative(bytes: tensor.tensor.count * 4)
      return try wrap(tensor.tensor.runningSums(axis: try arguments.optionalInt(0).map(fromOne)))
    }
  }

  /// Axes and indices count from 1 in Lua; negative ones from the end.
  private func fromOne(_ position: Int) throws -> Int {
    guard position != 0 else { throw CompressError("axes and indices count from 1") }
    return position > 0 ? position - 1 : position
  }

  private func defineTensorConstructors() throws {
    func shape(_ arguments: LuaArguments, _ index: Int) throws -> Shape {
      guard let dims = arguments[index].table?.array.map(\.integer), !dims.contains(nil) else {
        throw arguments.mismatch(index, expected: "a shape, such as {3, 4}")
      }
      let shape = try Shape(checking: dims.compactMap { $0 }, limit: Self.tensorElementLimit)
      try arguments.state.reserveNative(bytes: shape.count * 4)
      return shape
    }
    try define(
      library: "tensor",
      [
        LuaMember("zeros", "(shape: integer[]): Tensor", "All zero.") { [unowned self] arguments in
          try wrap(Tensor(zeros: try shape(arguments, 0)))
        },
        LuaMember("ones", "(shape: integer[]): Tensor", "All one.") { [unowned self] arguments in
          try wrap(Tensor(repeating: 1, try shape(arguments, 0)))
        },
        LuaMember("full", "(shape: integer[], value: number): Tensor", "All one value.") { [unowned self] arguments in
          try wrap(Tensor(repeating: Float(try arguments.number(1)), try shape(arguments, 0)))
        },
        LuaMember(
          "of", "(values: number[]|table): Tensor", "A list of numbers, or of such lists, all as long, as a tensor."
        ) { [unowned self] arguments in
          let list = try arguments.table(0)
          if let values = list.numbers {
            try reserveNative(bytes: values.count * 4)
            return try wrap(Tensor(values.map { Float($0) }))
          }
          let nested = try NestedNumbers(list) { [unowned self] in try reserveNative(bytes: $0 * 4) }
          guard let nested else { throw arguments.mismatch(0, expected: "a list of numbers, or of such lists") }
          return try wrap(Tensor(nested.values, nested.shape))
        },
        LuaMember("uniform", "(shape: integer[], seed: integer): Tensor", "Random, from 0 to 1.") {
          [unowned self] arguments in
          let size = try shape(arguments, 0)
          var random = SeededRandom(seed: UInt64(bitPattern: Int64(try arguments.int(1))))
          return try wrap(Tensor(uniform: size, 0, 1, using: &random))
        },
        LuaMember("normal", "(shape: integer[], seed: integer): Tensor", "Random, of mean 0 and variance 1.") {
          [unowned self] arguments in
          let size = try shape(arguments, 0)
          var random = SeededRandom(seed: UInt64(bitPattern: Int64(try arguments.int(1))))
          return try wrap(Tensor(normal: size, using: &random))
        },
      ])
  }
}

extension Tensor {
  /// The memory of its elements, which counts once however many views of it there are.
  var sharedMemory: SharedMemory { SharedMemory(storageOwner, bytes: storageByteCount) }

  /// All elements in order, integers exact.
  fileprivate var numbers: [LuaValue] {
    guard !dtype.isFloat else { return converted(to: .float32).array(Float.self).map { .number(Double($0)) } }
    return converted(to: .int64).array(Int64.self).map { .integer(Int($0)) }
  }
}
