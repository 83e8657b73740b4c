import Diagnostics
import Files
import Foundation
import Network
import Tensors

extension SafeTensorsFile {
  /// Writes a model's weights; the file appears whole or not at all. The same model gives the same bytes.
  ///
  /// float16 and bfloat16 weights are written as such, everything else as float32; masks have no place in the format.
  ///
  /// - Parameter limit: bytes; a larger file is not written.
  /// - Returns: bytes of the file.
  /// - Throws: `CompressError` naming the layer when a weight is quantized to integers, or with the path when the
  ///   system refuses.
  @discardableResult
  public static func write(_ model: Model, to path: String, limit: Int = .max) throws -> Int {
    var count = 0
    try AtomicFile.write(to: path, limit: limit) { writer in
      try emit(model) { try writer.write($0) }
      count = writer.count
    }
    return count
  }

  /// The bytes `write` writes.
  public static func data(_ model: Model) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try emit(model) { bytes.append(contentsOf: $0) }
    return bytes
  }

  private static func emit(_ model: Model, _ sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    var places = try WeightNames(model.graph).places.map { place in
      guard case .float(let tensor)? = model[place.layer, place.role]?.encoding else {
        throw CompressError(
          "\(place.role.rawValue) is quantized, and safetensors files hold floats",
          hint: "save a .\(NativeFormat.fileExtension) file"
        ).at(layer: place.layer)
      }
      return (place: place, tensor: tensor)
    }
    // Wide elements first, so that each is aligned.
    places.sort { ($1.tensor.dtype.size, $0.place.name) < ($0.tensor.dtype.size, $1.place.name) }
    var entries: [String: SafeTensorsHeader.Entry] = [:], end = 0
    for (place, tensor) in places {
      let type: ElementType =
        switch tensor.dtype {
        case .float16: .float16
        case .bfloat16: .bfloat16
        default: .float32
        }
      let start = end
      end += tensor.byteCount
      entries[place.name] = SafeTensorsHeader.Entry(
        dtype: type.rawValue, shape: place.shape.dims, offsets: [start, end])
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let metadata = "{\"\(SafeTensorsHeader.metadataKey)\":{\"format\":\"pt\"}"
    let tensors = try encoder.encode(entries).dropFirst()
    var header = Array((metadata + (entries.isEmpty ? "" : ",")).utf8) + tensors
    header += [UInt8](repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
    guard header.count <= headerLimit else {
      throw CompressError("a header of \(header.count) bytes; the limit is \(headerLimit)", kind: .limit)
    }
    try NativeFormat.littleEndian(UInt64(header.count)).withUnsafeBytes(sink)
    try header.withUnsafeBytes(sink)
    for (place, tensor) in places { try place.exported(tensor).withBytes(sink) }
  }
}
