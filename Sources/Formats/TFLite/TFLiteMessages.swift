import Diagnostics
import Files
import Tensors

/// How integers of a tensor stand for numbers: `scale * (q - zeroPoint)`.
struct TFLiteQuantization: Equatable {
  /// One, or one for each index of `axis`.
  var scales: [Float]
  var zeroPoints: [Int64]
  var axis = 0

  /// The zero point that goes with a scale.
  func zeroPoint(_ index: Int) -> Int64 { zeroPoints.isEmpty ? 0 : zeroPoints[zeroPoints.count == 1 ? 0 : index] }
}

/// A tensor that a file describes: a constant where its buffer holds something.
struct TFLiteTensor {
  let name: String
  let dims: [Int]
  /// -1 where an extent varies; nil where none does.
  let signature: [Int]?
  let type: TFLiteType
  let buffer: Int
  let quantization: TFLiteQuantization?
  let isVariable: Bool
  let sparsity: FlatTable?

  /// What a layer that gives it is called: converters join the names of all that they have made one, with semicolons.
  var label: String { name.split(separator: ";", maxSplits: 1).first.map(String.init) ?? "" }

  init(_ table: FlatTable) throws {
    name = try table.text(TFLiteField.Tensor.name) ?? ""
    dims = try table.integers(TFLiteField.Tensor.shape, of: Int32.self)?.map { Int($0) } ?? []
    signature = try table.integers(TFLiteField.Tensor.shapeSignature, of: Int32.self)?.map { Int($0) }
    let number: Int8 = try table.integer(TFLiteField.Tensor.type, 0)
    guard let type = TFLiteType(rawValue: number) else {
      throw CompressError(
        "the tensor \"\(name.escapedForTerminal.shortened(to: 120))\" has elements of type \(number), which is not "
          + "known", kind: .input)
    }
    self.type = type
    buffer = Int(try table.integer(TFLiteField.Tensor.buffer, UInt32(0)))
    isVariable = try table.flag(TFLiteField.Tensor.isVariable)
    sparsity = try table.table(TFLiteField.Tensor.sparsity)
    quantization = try table.table(TFLiteField.Tensor.quantization).flatMap { table in
      let scales = try table.floats(TFLiteField.Quantization.scale) ?? []
      guard !scales.isEmpty else { return nil }
      let zeroPoints = try table.integers(TFLiteField.Quantization.zeroPoint, of: Int64.self) ?? []
      return TFLiteQuantization(
        scales: scales, zeroPoints: zeroPoints, axis: Int(try table.integer(TFLiteField.Quantization.axis, Int32(0))))
    }
    guard let quantization else { return }
    guard quantization.zeroPoints.isEmpty || [1, quantization.scales.count].contains(quantization.zeroPoints.count),
      quantization.scales.allSatisfy({ $0.isFinite && $0 >= 0 }),
      quantization.zeroPoints.allSatisfy({ (-1 << 31...1 << 31).contains($0) })
    else {
      throw CompressError(
        "the tensor \"\(name.escapedForTerminal.shortened(to: 120))\" has \(quantization.scales.count) scales and "
          + "\(quantization.zeroPoints.count) zero points, or some that are out of range", kind: .input)
    }
  }
}

/// An operator of the file's graph, by the numbers of its tensors; -1 is one that is left out.
struct TFLiteNode {
  let index: Int
  /// As the schema calls it, or the name of a custom operator.
  let kind: String
  let isCustom: Bool
  let version: Int
  let inputs: [Int]
  let outputs: [Int]
  let optionsType: UInt8
  let options: FlatTable?
  let customOptions: UnsafeRawBufferPointer?

  /// For errors.
  var label: String { "node \(index + 1), \(kind.escapedForTerminal.shortened(to: 80))" }

  /// The number of a tensor; nil where it is left out.
  func input(_ index: Int) -> Int? {
    guard index < inputs.count, inputs[index] >= 0 else { return nil }
    return inputs[index]
  }

  /// Its options, or nil where all have their default values.
  ///
  /// - Throws: `CompressError` when the options are those of another operator.
  func options(_ type: TFLiteOptions) throws -> FlatTable? {
    guard optionsType == type.rawValue || options == nil else {
      throw CompressError("has options of type \(optionsType), not \(type.rawValue)", kind: .input)
    }
    return options
  }
}

/// A file's first graph.
struct TFLiteGraph {
  let tensors: [TFLiteTensor]
  let nodes: [TFLiteNode]
  let inputs: [Int]
  let outputs: [Int]
  /// By which a signature calls inputs and outputs, by their tensors.
  let inputNames: [Int: String]
  let outputNames: [Int: String]
  private let buffers: [FlatTable]
  private let file: FlatBuffer

  init(_ file: FlatBuffer) throws {
    self.file = file
    let model = try file.root()
    let version: UInt32 = try model.integer(TFLiteField.Model.version, 0)
    guard version == 3 else {
      throw CompressError("has version \(version) of the schema; version 3 is read", kind: .input)
    }
    buffers = try model.tables(TFLiteField.Model.buffers) ?? []
    guard let subgraph = try model.tables(TFLiteField.Model.subgraphs)?.first else {
      throw CompressError("has no graph", kind: .input)
    }
    let tensors = try (subgraph.tables(TFLiteField.Subgraph.tensors) ?? []).map(TFLiteTensor.init)
    func places(_ table: FlatTable, _ field: Int, allowsNone: Bool = false) throws -> [Int] {
      try (table.integers(field, of: Int32.self) ?? []).map { number in
        guard tensors.indices.contains(Int(number)) || allowsNone && number == -1 else {
          throw CompressError("refers to tensor \(number) of \(tensors.count)", kind: .input)
        }
        return Int(number)
      }
    }
    self.tensors = tensors
    inputs = try places(subgraph, TFLiteField.Subgraph.inputs)
    outputs = try places(subgraph, TFLiteField.Subgraph.outputs)
    let codes = try (model.tables(TFLiteField.Model.operatorCodes) ?? []).map(Self.code)
    nodes = try (subgraph.tables(TFLiteField.Subgraph.operators) ?? []).enumerated().map { index, table in
      let number = Int(try table.integer(TFLiteField.Operator.code, UInt32(0)))
      guard codes.indices.contains(number) else {
        throw CompressError("node \(index + 1) is of kind \(number) of \(codes.count)", kind: .input)
      }
      let code = codes[number]
      return TFLiteNode(
        index: index, kind: code.kind, isCustom: code.isCustom, version: code.version,
        inputs: try places(table, TFLiteField.Operator.inputs, allowsNone: true),
        outputs: try places(table, TFLiteField.Operator.outputs),
        optionsType: try table.integer(TFLiteField.Operator.optionsType, 0),
        options: try table.table(TFLiteField.Operator.options),
        customOptions: try table.bytes(TFLiteField.Operator.customOptions))
    }
    var names: (inputs: [Int: String], outputs: [Int: String]) = ([:], [:])
    for signature in try model.tables(TFLiteField.Model.signatures) ?? [] {
      guard try signature.integer(TFLiteField.Signature.subgraph, UInt32(0)) == 0 else { continue }
      func named(_ field: Int) throws -> [Int: String] {
        let maps = try signature.tables(field) ?? []
        return Dictionary(
          try maps.map {
            (
              Int(try $0.integer(TFLiteField.TensorMap.tensor, UInt32(0))),
              try $0.text(TFLiteField.TensorMap.name) ?? ""
            )
          }, uniquingKeysWith: { first, _ in first })
      }
      names = (try named(TFLiteField.Signature.inputs), try named(TFLiteField.Signature.outputs))
      break
    }
    inputNames = names.inputs
    outputNames = names.outputs
  }

  private static func code(_ table: FlatTable) throws -> (kind: String, isCustom: Bool, version: Int) {
    // Numbers beyond one byte stand in a field of their own, which older files do not have.
    let old: Int8 = try table.integer(TFLiteField.OperatorCode.oldNumber, 0)
    let number = max(Int(old), Int(try table.integer(TFLiteField.OperatorCode.number, Int32(0))))
    let version = Int(try table.integer(TFLiteField.OperatorCode.version, Int32(1)))
    if number == TFLiteOperator.custom {
      return (try table.text(TFLiteField.OperatorCode.custom) ?? "", true, version)
    }
    guard TFLiteOperator.names.indices.contains(number) else {
      throw CompressError("has an operator of number \(number), which is not known", kind: .input)
    }
    return (TFLiteOperator.names[number], false, version)
  }

  /// The bytes of a tensor's buffer; nil where it has none, and is computed.
  func bytes(_ tensor: TFLiteTensor) throws -> UnsafeRawBufferPointer? {
    guard tensor.buffer != 0 else { return nil }
    guard buffers.indices.contains(tensor.buffer) else {
      throw CompressError(
        "the tensor \"\(tensor.name.escapedForTerminal.shortened(to: 120))\" is in buffer \(tensor.buffer) of "
          + "\(buffers.count)", kind: .input)
    }
    let buffer = buffers[tensor.buffer]
    if let bytes = try buffer.bytes(TFLiteField.Buffer.data), !bytes.isEmpty { return bytes }
    // Files of more than two gigabytes keep weights behind the tables.
    let offset: UInt64 = try buffer.integer(TFLiteField.Buffer.offset, 0)
    let size: UInt64 = try buffer.integer(TFLiteField.Buffer.size, 0)
    guard offset > 1, size > 0 else { return nil }
    let place = Int(clamping: offset), count = Int(clamping: size)
    try file.check(place, count)
    return UnsafeRawBufferPointer(rebasing: file.file.bytes[place..<place + count])
  }

  var owner: MappedFile { file.file }
}
