import Diagnostics
import Files
import Network
import Tensors

/// A value that is known while a file is read.
struct TFLiteConstant {
  enum Content {
    /// As the file has them, little-endian.
    case bytes(UnsafeRawBufferPointer, owner: MappedFile)
    /// Floats of any width.
    case floats(Tensor)
    case integers([Int64])
  }

  let type: TFLiteType
  let shape: Shape
  let quantization: TFLiteQuantization?
  let content: Content
  /// Whether DEQUANTIZE made floats of it, which are made here where they are read: behind integers the layer computes
  /// the same with the integers themselves.
  var isDequantized = false

  /// A list of integers, as shapes are.
  init(_ integers: [Int64], _ shape: Shape? = nil, type: TFLiteType = .int64) {
    self.init(type, shape ?? [integers.count], nil, .integers(integers))
  }

  init(_ floats: Tensor) { self.init(.float32, floats.shape, nil, .floats(floats)) }

  init(_ type: TFLiteType, _ shape: Shape, _ quantization: TFLiteQuantization?, _ content: Content) {
    self.type = type
    self.shape = shape
    self.quantization = quantization
    self.content = content
  }

  /// - Throws: `CompressError` when there are not as many bytes as shape and type take.
  init(
    _ type: TFLiteType, _ shape: Shape, _ quantization: TFLiteQuantization?, bytes: UnsafeRawBufferPointer,
    owner: MappedFile
  ) throws {
    guard let bits = type.bits, bytes.count == (shape.count * bits + 7) / 8 else {
      throw CompressError("\(bytes.count) bytes for a tensor of shape \(shape), elements \(type)", kind: .input)
    }
    self.init(type, shape, quantization, .bytes(bytes, owner: owner))
  }

  // MARK: Elements

  /// As integers that stand for themselves.
  ///
  /// - Throws: `CompressError` when they are none.
  func integers() throws -> [Int64] {
    switch content {
    case .integers(let integers): return integers
    case .floats: throw CompressError("floats where integers are expected", kind: .input)
    case .bytes(let bytes, let owner):
      return try withExtendedLifetime(owner) { () throws -> [Int64] in
        func all<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) -> [Int64] {
          let size = MemoryLayout<T>.size
          return (0..<shape.count).map {
            Int64(truncatingIfNeeded: T(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * size, as: T.self)))
          }
        }
        switch type {
        case .int8: return all(Int8.self)
        case .uint8: return all(UInt8.self)
        case .bool: return all(UInt8.self).map { $0 == 0 ? 0 : 1 }
        case .int16: return all(Int16.self)
        case .uint16: return all(UInt16.self)
        case .int32: return all(Int32.self)
        case .uint32: return all(UInt32.self)
        case .int64: return all(Int64.self)
        case .int4:
          // Two a byte, the first in the lower half.
          return (0..<shape.count).map { index in
            let half = index % 2 == 0 ? bytes[index / 2] << 4 : bytes[index / 2]
            return Int64(Int8(bitPattern: half) >> 4)
          }
        default: throw CompressError("elements of type \(type) where integers are expected", kind: .input)
        }
      }
    }
  }

  /// Integers that index things here.
  func indices() throws -> [Int] { try integers().map { Int($0) } }

  /// Whether it is read as floats.
  var isFloat: Bool { type.isFloat || isDequantized }

  /// The floats as they are stored, those of 16 bits included.
  ///
  /// - Throws: `CompressError` when they are none.
  func stored() throws -> Tensor {
    switch content {
    case .floats(let tensor): return tensor
    case .integers: throw CompressError("integers where floats are expected", kind: .input)
    case .bytes(let bytes, let owner):
      let dtype: DType? =
        switch type {
        case .float32: .float32
        case .float16: .float16
        case .bfloat16: .bfloat16
        default: nil
        }
      guard let dtype else {
        guard type == .float64 else {
          throw CompressError("elements of type \(type) where floats are expected", kind: .input)
        }
        return withExtendedLifetime(owner) {
          Tensor(
            (0..<shape.count).map { index in
              let bits = bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)
              return Float(Double(bitPattern: UInt64(littleEndian: bits)))
            }, shape)
        }
      }
      // Shared with the mapped file where it lies aligned.
      guard Int(bitPattern: bytes.baseAddress) % dtype.size == 0 else {
        return withExtendedLifetime(owner) { Tensor(copying: bytes, shape: shape, dtype: dtype) }
      }
      return try Tensor(borrowing: bytes, owner: owner, shape: shape, dtype: dtype)
    }
  }

  /// The numbers it stands for.
  func floats() throws -> Tensor {
    if type.isFloat { return try stored().converted(to: .float32) }
    let integers = try integers()
    guard let quantization, type.isQuantized || [.int4, .int32, .int64].contains(type) else {
      return Tensor(integers.map { Float($0) }, shape)
    }
    let (channel, _) = try channels(quantization)
    return Tensor(
      integers.enumerated().map { index, q in
        let c = channel(index)
        return quantization.scales[c] * (Float(q) - Float(quantization.zeroPoint(c)))
      }, shape)
  }

  /// Which scale an element has, by its position.
  private func channels(_ quantization: TFLiteQuantization) throws -> (of: (Int) -> Int, count: Int) {
    guard quantization.scales.count > 1 else { return ({ _ in 0 }, 1) }
    let axis = quantization.axis
    guard (0..<shape.rank).contains(axis), shape[axis] == quantization.scales.count else {
      throw CompressError(
        "\(quantization.scales.count) scales along axis \(axis) of a tensor of shape \(shape)", kind: .input)
    }
    let inner = shape.dims[(axis + 1)...].reduce(1, *), extent = shape[axis]
    return ({ $0 / inner % extent }, extent)
  }

  /// A weight as integers of 8 bits or fewer, exactly; nil where there are none.
  ///
  /// - Parameters:
  ///   - channel: the axis of the output channels.
  ///   - arranged: how the weight's axes are brought into the engine's order, the output channels first.
  func integerWeight(channel: Int, _ arranged: (Tensor) throws -> Tensor) throws -> IntegerValues? {
    guard [.int8, .uint8, .int4].contains(type), let quantization else { return nil }
    let (_, count) = try channels(quantization)
    guard count == 1 || quantization.axis == channel else { return nil }
    guard quantization.scales.allSatisfy({ $0 > 0 }) else { return nil }
    // Our integers have a sign: those that have none, and their zero points, are 128 lower.
    let shift: Int64 = type == .uint8 ? 128 : 0
    var tensor: Tensor
    if type == .int8, case .bytes(let bytes, let owner) = content {
      tensor = try Tensor(borrowing: bytes, owner: owner, shape: shape, dtype: .int8)
    } else {
      tensor = Tensor(try integers().map { Int8(clamping: $0 - shift) }, shape)
    }
    let zeroPoints = quantization.scales.indices.map { quantization.zeroPoint($0) - shift }
    let bits = type == .int4 ? 4 : 8, range = -(1 << (bits - 1))...IntegerValues.limit(bits: bits)
    guard zeroPoints.allSatisfy({ range.contains(Int($0)) }) else { return nil }
    let lowest = tensor.withElements(Int8.self) { Int($0.min() ?? 0) }
    let isSymmetric = zeroPoints.allSatisfy { $0 == 0 } && lowest >= -range.upperBound
    return try IntegerValues(
      values: try arranged(tensor).contiguous(), scales: quantization.scales,
      zeroPoints: isSymmetric ? nil : zeroPoints.map { Int8($0) }, bits: bits)
  }

  func reshaped(_ shape: Shape) throws -> TFLiteConstant {
    guard shape.count == self.shape.count else {
      throw CompressError("cannot reshape \(self.shape) to \(shape)", kind: .input)
    }
    let isPerAxis = quantization.map { $0.scales.count > 1 } ?? false
    guard !isPerAxis || shape == self.shape else {
      return TFLiteConstant(try floats().reshaped(shape.dims))
    }
    if case .floats(let tensor) = content {
      return TFLiteConstant(type, shape, quantization, .floats(try tensor.reshaped(shape.dims)))
    }
    return TFLiteConstant(type, shape, quantization, content)
  }
}
