import CCompress
import Network

extension Model {
  /// Its inputs and then its outputs.
  func values(_ head: inout HeadBytes) -> [cx_value] {
    let interface = signature.interface
    return zip(graph.inputs, interface?.inputs.map(Optional.some) ?? graph.inputs.map { _ in nil }).map {
      record($0, $1, &head)
    }
      + zip(graph.outputs, interface?.outputs.map(Optional.some) ?? graph.outputs.map { _ in nil }).map {
        record($0, $1, &head)
      }
  }

  private func record(_ value: String, _ known: ModelInterface.Value?, _ head: inout HeadBytes) -> cx_value {
    var record = cx_value(), shape = graph.shape(of: value).dims.map { UInt64($0) }
    record.name = head.text(value)
    record.file_name = head.text(known?.name ?? "")
    record.element = head.text(known?.element.rawValue ?? "")
    record.axes = UInt32(shape.count)
    shape += [UInt64](repeating: 0, count: Int(CX_MOST_AXES) - shape.count)
    withUnsafeMutableBytes(of: &record.shape) { to in shape.withUnsafeBytes { to.copyBytes(from: $0) } }
    if let quantization = activations[value]?.integer {
      record.is_quantized = 1
      record.scale = quantization.scale
      record.zero_point = Int32(quantization.zeroPoint)
      record.limit = Int32(quantization.limit)
    }
    return record
  }
}

extension cx_preprocessing {
  init(_ preprocessing: Preprocessing) {
    func each(_ values: [Float]) -> (Float, Float, Float) {
      values.count == 3 ? (values[0], values[1], values[2]) : (values[0], values[0], values[0])
    }
    self.init(
      short_side: UInt32(preprocessing.crop?.shortSide ?? 0), crop: UInt32(preprocessing.crop?.side ?? 0),
      height: UInt32(preprocessing.height), width: UInt32(preprocessing.width),
      channels: UInt32(preprocessing.channels.count), scale: preprocessing.scale, mean: each(preprocessing.mean),
      deviation: each(preprocessing.deviation))
  }
}
