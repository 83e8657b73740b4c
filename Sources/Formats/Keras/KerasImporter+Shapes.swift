import Diagnostics
import Network
import Tensors

// Several values as one, and other shapes.
extension KerasImporter {
  mutating func merge(_ call: KerasCall) throws -> String {
    let values = try call.operands.map { try Self.value($0) }, kind = call.layer.kind
    guard values.count >= 2, kind != "Subtract" || values.count == 2 else {
      throw CompressError("takes two values\(kind == "Subtract" ? "" : " or more"), not \(values.count)", kind: .input)
    }
    let op: Operator
    switch kind {
    case "Add", "Average": op = .add(Add())
    case "Multiply": op = .mul(Mul())
    case "Subtract": op = .binary(Binary(.sub))
    case "Maximum": op = .binary(Binary(.maximum))
    default: op = .binary(Binary(.minimum))
    }
    var value = values[0]
    for (index, next) in values.enumerated().dropFirst() {
      let isLast = index == values.count - 1 && kind != "Average"
      value = try emit(op, [value, next], named: isLast ? call.name : "\(call.name)/\(index)")
    }
    guard kind == "Average" else { return value }
    return try scaled(value, by: [1 / Float(values.count)], plus: [0], named: call.name)
  }

  mutating func concatenation(_ call: KerasCall) throws -> String {
    let values = try call.operands.map { try Self.value($0) }
    guard let first = values.first else { throw CompressError("takes no value", kind: .input) }
    if values.count == 1 { return first }
    let rank = shape(first).rank, given = try call.layer.integer("axis", -1)
    guard let axis = call.axis(given, rank: rank) else {
      throw CompressError("joins along axis \(given)", kind: .input)
    }
    return try emit(.concat(Concat(axis: axis == rank - 1 ? nil : axis)), values, named: call.name)
  }

  // MARK: Shapes

  mutating func reshape(_ call: KerasCall) throws -> String {
    let input = try call.single(), count = shape(input).count
    let target = call.layer.config["target_shape"]?.list?.map(\.integer) ?? []
    guard !target.isEmpty, target.allSatisfy({ $0 != nil }), target.count(where: { $0 == -1 }) <= 1 else {
      throw call.layer.wrong("target_shape")
    }
    var dims = target.map { $0! }
    if let free = dims.firstIndex(of: -1) {
      let others = try Shape(checking: dims.enumerated().filter { $0.offset != free }.map(\.element)).count
      guard others > 0, count % others == 0 else { throw call.layer.wrong("target_shape") }
      dims[free] = count / others
    }
    return try emit(.reshape(Reshape(try Shape(checking: dims))), [input], named: call.name)
  }

  mutating func permute(_ call: KerasCall) throws -> String {
    let axes = call.layer.config["dims"]?.list?.map(\.integer) ?? []
    guard !axes.isEmpty, axes.allSatisfy({ $0 != nil && $0! > 0 }) else { throw call.layer.wrong("dims") }
    return try emit(.transpose(Transpose(axes.map { $0! - 1 })), [try call.single()], named: call.name)
  }
}
