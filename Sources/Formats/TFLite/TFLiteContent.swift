import Diagnostics

/// What a file holds, tensor by tensor and node by node, and its bytes.
struct TFLiteContent {
  typealias Fields = [Int: FlatBufferBuilder.Value]

  private struct Code: Hashable {
    let kind: String
    let isCustom: Bool
    let version: Int
  }

  private var tensors: [Fields] = []
  private var buffers: [[UInt8]] = [[]]
  private var codes: [Code] = []
  private var nodes: [Fields] = []
  var inputs: [(tensor: Int, name: String)] = []
  var outputs: [(tensor: Int, name: String)] = []
  var description = "compress"

  /// - Parameters:
  ///   - bytes: of a constant; nil of what is computed.
  ///   - more: fields besides those below.
  /// - Returns: its number.
  mutating func tensor(
    _ name: String, _ dims: [Int], _ type: TFLiteType, bytes: [UInt8]? = nil, quantization: TFLiteQuantization? = nil,
    more: Fields = [:]
  ) -> Int {
    var fields: Fields = [
      TFLiteField.Tensor.shape: .integers(dims.map { Int32(clamping: $0) }),
      TFLiteField.Tensor.type: .int(type.rawValue), TFLiteField.Tensor.name: .text(name),
    ]
    if let bytes {
      fields[TFLiteField.Tensor.buffer] = .int(UInt32(buffers.count))
      buffers.append(bytes)
    }
    if let quantization {
      fields[TFLiteField.Tensor.quantization] = .table([
        TFLiteField.Quantization.scale: .floats(quantization.scales),
        TFLiteField.Quantization.zeroPoint: .integers(
          quantization.zeroPoints.isEmpty ? quantization.scales.map { _ in Int64(0) } : quantization.zeroPoints),
        TFLiteField.Quantization.axis: .int(Int32(quantization.axis)),
      ])
    }
    tensors.append(fields.merging(more) { $1 })
    return tensors.count - 1
  }

  mutating func rename(_ tensor: Int, _ name: String) { tensors[tensor][TFLiteField.Tensor.name] = .text(name) }

  /// - Parameter inputs: -1 of one that is left out.
  mutating func node(
    _ kind: String, _ inputs: [Int], _ outputs: [Int], _ type: TFLiteOptions = .none, _ options: Fields = [:],
    version: Int = 1, custom: [UInt8]? = nil
  ) {
    let code = Code(kind: kind, isCustom: custom != nil, version: version)
    let number = codes.firstIndex(of: code) ?? codes.count
    if number == codes.count { codes.append(code) }
    var fields: Fields = [
      TFLiteField.Operator.code: .int(UInt32(number)),
      TFLiteField.Operator.inputs: .integers(inputs.map { Int32($0) }),
      TFLiteField.Operator.outputs: .integers(outputs.map { Int32($0) }),
    ]
    if type != .none {
      fields[TFLiteField.Operator.optionsType] = .int(type.rawValue)
      fields[TFLiteField.Operator.options] = .table(options)
    }
    fields[TFLiteField.Operator.customOptions] = custom.map { .integers($0) }
    nodes.append(fields)
  }

  /// - Throws: `CompressError` when it would have 2 GB or more.
  func bytes() throws -> [UInt8] {
    func names(_ values: [(tensor: Int, name: String)]) -> FlatBufferBuilder.Value {
      .tables(
        values.map {
          .table([TFLiteField.TensorMap.name: .text($0.name), TFLiteField.TensorMap.tensor: .int(UInt32($0.tensor))])
        })
    }
    let subgraph: FlatBufferBuilder.Value = .table([
      TFLiteField.Subgraph.tensors: .tables(tensors.map { .table($0) }),
      TFLiteField.Subgraph.inputs: .integers(inputs.map { Int32($0.tensor) }),
      TFLiteField.Subgraph.outputs: .integers(outputs.map { Int32($0.tensor) }),
      TFLiteField.Subgraph.operators: .tables(nodes.map { .table($0) }), TFLiteField.Subgraph.name: .text("main"),
    ])
    let codes: [FlatBufferBuilder.Value] = codes.map { code in
      let number = code.isCustom ? TFLiteOperator.custom : TFLiteOperator.numbers[code.kind] ?? TFLiteOperator.custom
      var fields: Fields = [
        TFLiteField.OperatorCode.oldNumber: .int(Int8(min(number, TFLiteOperator.largestOldNumber))),
        TFLiteField.OperatorCode.version: .int(Int32(code.version)),
        TFLiteField.OperatorCode.number: .int(Int32(number)),
      ]
      if code.isCustom { fields[TFLiteField.OperatorCode.custom] = .text(code.kind) }
      return .table(fields)
    }
    let signature: FlatBufferBuilder.Value = .table([
      TFLiteField.Signature.inputs: names(inputs), TFLiteField.Signature.outputs: names(outputs),
      TFLiteField.Signature.key: .text("serving_default"), TFLiteField.Signature.subgraph: .int(UInt32(0)),
    ])
    return try FlatBufferBuilder.bytes(
      .table([
        TFLiteField.Model.version: .int(UInt32(3)), TFLiteField.Model.operatorCodes: .tables(codes),
        TFLiteField.Model.subgraphs: .tables([subgraph]), TFLiteField.Model.description: .text(description),
        TFLiteField.Model.buffers: .tables(
          buffers.map { .table($0.isEmpty ? [:] : [TFLiteField.Buffer.data: .data($0)]) }),
        TFLiteField.Model.signatures: .tables([signature]),
      ]), identifier: TFLiteFile.identifier)
  }
}
