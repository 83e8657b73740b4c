import Diagnostics
import LuaHost
import Network
import Tensors

// Networks with several inputs, outputs or ways: `local x = net.input { 32, 32, 3 }`, `local y = net.conv(16, 3)(x)`.
extension ScriptSession {
  func defineNetworkValues() throws {
    let value = LuaClass<NetworkValue>("Value", bytes: \.bytes)
    let pairs: [(LuaOperation, Operator)] = [
      (.add, .add(Add())), (.multiply, .mul(Mul())), (.subtract, .binary(Binary(.sub))),
      (.divide, .binary(Binary(.div))), (.power, .binary(Binary(.pow))),
    ]
    for (operation, op) in pairs {
      value.operation(operation, "(Value|number): Value") { [unowned self] arguments in
        let operands = try [operand(arguments, 0), operand(arguments, 1)]
        let block = try BlockObject(.layer(kind: op.spec.name) { _ in op }, origin: origin())
        return .object(try self.value(.output(block, of: operands)))
      }
    }
    value.operation(.negate, "Value") { [unowned self] arguments in
      let operand = try arguments.object(0, NetworkValue.self)
      let block = try BlockObject(.layer(kind: "neg") { _ in .activation(.negative) }, origin: origin())
      return .object(try self.value(.output(block, of: [operand])))
    }
    state.define(value)
  }

  func value(_ source: NetworkValue.Source, name: String? = nil) throws -> NetworkValue {
    madeValues += 1
    return try NetworkValue(source, name: name, serial: madeValues, origin: origin())
  }

  /// A value; of a number a constant.
  private func operand(_ arguments: LuaArguments, _ index: Int) throws -> NetworkValue {
    if let value = arguments[index].object(NetworkValue.self) { return value }
    guard let number = arguments[index].number else {
      throw arguments.mismatch(index, expected: "a Value or a number")
    }
    return try value(.constant(Constant([1]), Tensor([Float(number)], [1])))
  }

  var valueMembers: [LuaMember] {
    [
      LuaMember(
        "input", "(shape: integer[], options?: \(Self.layerSchema.name)): Value",
        "One of a network's inputs: height, width, channels of an image; or one number."
      ) { [unowned self] arguments in
        try arguments.atMost(2)
        let shape = try Shape(scriptDims: try arguments.table(0).numbers ?? [])
        let given = try Self.layerSchema.read(try arguments.optionalTable(1))
        return [.object(try value(.input(shape), name: given[NetKeys.name]))]
      },
      LuaMember(
        "constant", "(values: Tensor, options?: \(Self.constantSchema.name)): Value",
        "A value that is the same for every sample; training moves it where it is told to."
      ) { [unowned self] arguments in
        try arguments.atMost(2)
        let tensor = try arguments.object(0, TensorObject.self).tensor.converted(to: .float32)
        let given = try Self.constantSchema.read(try arguments.optionalTable(1))
        let constant = Constant(tensor.shape, isTrained: given[NetKeys.trained])
        _ = try constant.outputShapes([])
        return [.object(try value(.constant(constant, tensor), name: given[NetKeys.name]))]
      },
      LuaMember(
        "shared", "(block: Block): Block", "The block with the same parameters wherever it is used."
      ) { [unowned self] arguments in
        try arguments.atMost(1)
        return [.object(try BlockObject(.shared(try arguments.object(0, BlockObject.self)), origin: origin()))]
      },
    ]
  }
}
