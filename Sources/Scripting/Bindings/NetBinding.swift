import Diagnostics
import LuaHost
import Network
import Tensors

extension ScriptSession {
  /// `net.conv(16, 3)`, `net.residual { … }`, `net.model { input = {32, 32, 3}, … }`: networks of one's own.
  func defineNetworks() throws {
    let block = LuaClass<BlockObject>("Block", bytes: \.bytes)
    block.operation(.call, "(...: Value): Value") { [unowned self] arguments in
      let block = try arguments.object(0, BlockObject.self)
      let inputs = try (1..<max(arguments.count, 1)).map { try arguments.object($0, NetworkValue.self) }
      guard !inputs.isEmpty else { throw CompressError("a block is called with the values it takes") }
      return .object(try value(.output(block, of: inputs)))
    }
    state.define(block)
    try defineNetworkValues()
    try state.define(library: "net",
      layers + functions + normalizations + movers + containers + valueMembers + [networkMember])
  }

  // MARK: Layers

  private var layers: [LuaMember] {
    [
      layer(
        "conv", "filters: integer, kernel: integer|integer[]", Self.convSchema,
        "A convolution; padding is \"same\" unless told otherwise."
      ) { arguments, given in
        let filters = try arguments.int(0), kernel = try arguments.size(1)
        let window = try given.window(kernel, padding: .same), groups = given[NetKeys.groups]
        let hasBias = given[NetKeys.bias]
        return { _ in .conv2d(Conv2D(filters: filters, window: window, groups: groups, hasBias: hasBias)) }
      },
      layer(
        "conv_transposed", "filters: integer, kernel: integer|integer[]", Self.transposedSchema,
        "A transposed convolution; the padding is PyTorch's: it takes away from the borders."
      ) { arguments, given in
        let conv = try Conv2D(
          transposed: arguments.int(0), kernel: arguments.size(1), stride: given.size(NetKeys.stride) ?? Size2D(1),
          padding: given.size(NetKeys.cropping) ?? Size2D(0),
          outputPadding: given.size(NetKeys.outputPadding) ?? Size2D(0), groups: given[NetKeys.groups],
          hasBias: given[NetKeys.bias])
        return { _ in .conv2d(conv) }
      },
      layer(
        "depthwise", "kernel: integer|integer[]", Self.depthwiseSchema,
        "A convolution of each channel by itself; padding is \"same\" unless told otherwise."
      ) { arguments, given in
        let window = try given.window(try arguments.size(0), padding: .same), hasBias = given[NetKeys.bias]
        let multiplier = given[NetKeys.multiplier]
        return { inputs in
          let input = inputs[0]
          guard input.rank == 3 else { throw CompressError("expects an image [height, width, channels], got \(input)") }
          return .conv2d(
            Conv2D(filters: input[2] * multiplier, window: window, groups: input[2], hasBias: hasBias))
        }
      },
      layer("dense", "units: integer", Self.denseSchema, "A fully connected layer over the last axis: of an image every pixel by itself, so flatten it first.") {
        arguments, given in
        let units = try arguments.int(0), hasBias = given[NetKeys.bias]
        return { _ in .dense(Dense(units: units, hasBias: hasBias)) }
      },
      layer("batch_norm", "", Self.batchNormSchema, "Batch normalization over the channels.") { _, given in
        let norm = BatchNorm(epsilon: Float(given[NetKeys.epsilon]), momentum: Float(given[NetKeys.momentum]))
        return { _ in .batchNorm(norm) }
      },
      layer("max_pool", "size: integer|integer[]", Self.poolSchema, "The greatest value under a window.") {
        arguments, given in
        let size = try arguments.size(0)
        let pool = Pool2D(.max, window: try given.window(size, padding: .valid, stride: size, dilates: false))
        return { _ in .pool2d(pool) }
      },
      layer("average_pool", "size: integer|integer[]", Self.averagePoolSchema, "The mean under a window.") {
        arguments, given in
        let size = try arguments.size(0)
        let window = try given.window(size, padding: .valid, stride: size, dilates: false)
        let pool = Pool2D(.average, window: window, countsPadding: given[NetKeys.countsPadding])
        return { _ in .pool2d(pool) }
      },
      layer("global_average_pool", "", Self.layerSchema, "The mean of each channel: an image becomes a vector.") {
        _, _ in { _ in .globalPool(GlobalPool(.average)) }
      },
      layer("global_max_pool", "", Self.layerSchema, "The greatest value of each channel.") { _, _ in
        { _ in .globalPool(GlobalPool(.max)) }
      },
      layer("flatten", "", Self.layerSchema, "An image as a vector.") { _, _ in { _ in .flatten(Flatten()) } },
      layer("dropout", "rate: number", Self.layerSchema, "Zeros in place of a share of the values while training.") {
        arguments, _ in
        let rate = Float(try arguments.number(0))
        return { _ in .dropout(Dropout(rate: rate)) }
      },
      layer(
        "pad", "before: integer[], after: integer[]", Self.layerSchema,
        "Zeros before and after each axis: height, width, channels."
      ) { arguments, _ in
        let pad = Pad(before: try arguments.integers(0), after: try arguments.integers(1))
        return { _ in .pad(pad) }
      },
    ]
  }

  /// - Parameter parameters: what comes before the table of options, as an editor shows it.
  func layer(
    _ name: String, _ parameters: String, _ schema: OptionSchema, _ help: String,
    _ make: @escaping (LuaArguments, OptionValues) throws -> ([Shape]) throws -> Operator
  ) -> LuaMember {
    let positions = parameters.isEmpty ? 0 : parameters.count { $0 == ":" }
    let type = "(\(parameters)\(parameters.isEmpty ? "" : ", ")options?: \(schema.name)): Block"
    return LuaMember(name, type, help) { [unowned self] arguments in
      try arguments.atMost(positions + 1)
      let given = try schema.read(try arguments.optionalTable(positions))
      let op = try make(arguments, given)
      return [
        .object(try BlockObject(.layer(kind: name, op), name: given[NetKeys.name], origin: origin()))
      ]
    }
  }

  // MARK: Blocks of blocks

  private var containers: [LuaMember] {
    func container(
      _ name: String, _ schema: OptionSchema, _ help: String,
      _ make: @escaping ([BlockObject], OptionValues) throws -> BlockObject.Content
    ) -> LuaMember {
      LuaMember(name, "(blocks: \(schema.name)): Block", help) { [unowned self] arguments in
        try arguments.atMost(1)
        let table = try arguments.table(0)
        let given = try schema.read(table, positional: true)
        let content = try make(try blocks(table, of: "net.\(name)"), given)
        return [.object(try BlockObject(content, name: given[NetKeys.prefix], origin: origin()))]
      }
    }
    return [
      container("sequential", Self.containerSchema, "Blocks one after the other.") { blocks, _ in .sequence(blocks) },
      container(
        "residual", Self.residualSchema,
        "Blocks one after the other, and their output plus the input, which the shortcut may change on its way."
      ) { [unowned self] blocks, given in
        let branch = try BlockObject(.sequence(blocks), origin: origin())
        let shortcut = try (given[NetKeys.shortcut] ?? nil) ?? BlockObject(.sequence([]), origin: origin())
        return .combined(.add(Add()), [branch, shortcut])
      },
      container(
        "add", Self.containerSchema, "Blocks side by side on the same input; their outputs are added."
      ) { blocks, _ in
        guard blocks.count >= 2 else { throw CompressError("net.add: \(blocks.count) blocks; two are the least") }
        return .combined(.add(Add()), blocks)
      },
      container(
        "gate", Self.containerSchema,
        "The input times what blocks make of it, one after the other: squeeze-and-excitation. What they give is broadcast."
      ) { [unowned self] blocks, _ in
        let origin = origin()
        return .combined(
          .mul(Mul()),
          [try BlockObject(.sequence([]), origin: origin), try BlockObject(.sequence(blocks), origin: origin)])
      },
      concat,
    ]
  }

  private var concat: LuaMember {
    let type = "(blocks: \(Self.containerSchema.name)): Block"
    return LuaMember(
      "concat", type, "Blocks side by side, or values, joined along their channels."
    ) { [unowned self] arguments in
      try arguments.atMost(1)
      let table = try arguments.table(0)
      let given = try Self.containerSchema.read(table, positional: true)
      let values = table.array.compactMap { $0.object(NetworkValue.self) }
      if !values.isEmpty, values.count == table.array.count {
        let block = try BlockObject(
          .layer(kind: "concat") { _ in .concat(Concat()) }, name: given[NetKeys.name], origin: origin())
        return [.object(try value(.output(block, of: values)))]
      }
      let blocks = try blocks(table, of: "net.concat")
      guard blocks.count >= 2 else { throw CompressError("net.concat: \(blocks.count) blocks; two are the least") }
      return [.object(try BlockObject(.concatenation(blocks), name: given[NetKeys.name], origin: origin()))]
    }
  }

  /// The list part of a table. `false` is left out, so that `condition and net.relu()` works.
  private func blocks(_ table: LuaTable, of function: String) throws -> [BlockObject] {
    let last = table.pairs.compactMap(\.key.integer).max() ?? 0
    guard last <= 1 << 14 else { throw CompressError("\(function): item \(last) of a list is too many") }
    return try (0..<last).compactMap { index in
      let value = table[index + 1]
      if value.bool == false { return nil }
      if let block = value.object(BlockObject.self) { return block }
      let isFunction = value.function != nil
      throw CompressError(
        "\(function): item \(index + 1) must be a block, as net.relu(), not \(state.describe(value))"
          + (isFunction ? "; it must be called" : ""))
    }
  }

  private var networkMember: LuaMember {
    LuaMember(
      "model", "(definition: \(NetworkKeys.schema.name)): Model", "A network of blocks one after the other, untrained."
    ) { [unowned self] arguments in
      try arguments.atMost(1)
      let table = try arguments.table(0)
      let given = try NetworkKeys.schema.read(table, positional: true)
      let (network, constants) = try network(table, given)
      let initialization = Initialization(
        convolution: given[NetworkKeys.convolution], dense: given[NetworkKeys.dense])
      return [
        .object(
          try untrained(
            given[NetworkKeys.name], network, initialization, constants: constants, given[NetworkKeys.seed]))
      ]
    }
  }

  /// Of blocks one after the other, or of values.
  private func network(
    _ table: LuaTable, _ given: OptionValues
  ) throws -> (graph: Graph, constants: [String: Tensor]) {
    if let outputs = given[NetworkKeys.outputs] {
      guard given[NetworkKeys.input] == nil, table.count == 0 else {
        throw CompressError(
          "net.model: outputs are made of values, without blocks in a row",
          hint: "inputs = { net.input { 32, 32, 3 } }, outputs = { … }")
      }
      guard let inputs = given[NetworkKeys.inputs], !inputs.isEmpty, !outputs.isEmpty else {
        throw CompressError("net.model: inputs and outputs are lists of at least one value")
      }
      return try BlockWriter.graph(inputs: inputs, outputs: outputs)
    }
    guard let dims = given[NetworkKeys.input], given[NetworkKeys.inputs] == nil else {
      throw CompressError(
        "net.model: input is missing",
        hint: "input = {32, 32, 3} and blocks in a row, or inputs and outputs that are values")
    }
    let block = try BlockObject(.sequence(try blocks(table, of: "net.model")), origin: origin())
    return (try BlockWriter.graph(block, input: try Shape(scriptDims: dims)), [:])
  }
}

extension LuaArguments {
  /// A height and width: one number for both, or two.
  func size(_ index: Int) throws -> Size2D {
    if let both = self[index].integer { return Size2D(both) }
    let list = (self[index].table?.numbers)?.compactMap { Int(exactly: $0) } ?? []
    guard list.count == 2 else { throw mismatch(index, expected: "a size: 3, or {3, 1} for height and width") }
    return Size2D(list[0], list[1])
  }

  func integers(_ index: Int) throws -> [Int] {
    let numbers = try table(index).numbers ?? []
    let integers = numbers.compactMap { Int(exactly: $0) }
    guard integers.count == numbers.count, !integers.isEmpty else {
      throw mismatch(index, expected: "a list of integers")
    }
    return integers
  }
}

extension OptionValues {
  /// - Parameter dilates: whether the layer has a dilation.
  fileprivate func window(
    _ size: Size2D, padding: Padding, stride: Size2D = Size2D(1), dilates: Bool = true
  ) throws -> Window {
    Window(
      size, stride: try self.size(NetKeys.stride) ?? stride, padding: try self.padding(NetKeys.padding) ?? padding,
      dilation: dilates ? try self.size(NetKeys.dilation) ?? Size2D(1) : Size2D(1))
  }

  private func integers(_ key: OptionKey<OptionValue?>) throws -> [Int]? {
    switch self[key] {
    case .integer(let value): return [value]
    case .numbers(let values):
      let integers = values.compactMap { Int(exactly: $0) }
      guard integers.count == values.count else { throw CompressError("option \"\(key.name)\" takes integers") }
      return integers
    default: return nil
    }
  }

  fileprivate func size(_ key: OptionKey<OptionValue?>) throws -> Size2D? {
    guard let values = try integers(key) else { return nil }
    switch values.count {
    case 1: return Size2D(values[0])
    case 2: return Size2D(values[0], values[1])
    default: throw CompressError("option \"\(key.name)\" takes one number, or height and width, not \(values.count)")
    }
  }

  private func padding(_ key: OptionKey<OptionValue?>) throws -> Padding? {
    if let name = self[key]?.string { return name == "same" ? .same : .valid }
    guard let values = try integers(key) else { return nil }
    switch values.count {
    case 1: return .explicit(top: values[0], left: values[0], bottom: values[0], right: values[0])
    case 2: return .explicit(top: values[0], left: values[1], bottom: values[0], right: values[1])
    case 4: return .explicit(top: values[0], left: values[1], bottom: values[2], right: values[3])
    default:
      throw CompressError(
        "option \"\(key.name)\" takes one number, height and width, or top, left, bottom and right, "
          + "not \(values.count)")
    }
  }
}
