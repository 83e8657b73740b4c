import Network
import Tensors
import Testing

@testable import Formats

@Suite struct PackedBitsTests {
  @Test(arguments: 1...8, [0, 1, 7, 8, 9, 64, 65]) func everyNumberComesBack(_ bits: Int, _ count: Int) throws {
    var random = SeededRandom(seed: UInt64(bits * 100 + count))
    let numbers = (0..<count).map { _ in UInt8(random.below(1 << bits)) }
    let packed = PackedBits.pack(count, bits: bits) { numbers[$0] }
    #expect(packed.count == PackedBits.byteCount(count, bits: bits))
    #expect(PackedBits.unpack(packed, [count], bits: bits).array() == numbers)
    let signed: [Int8] = PackedBits.unpack(packed, [count], bits: bits, isSigned: true).array()
    #expect(signed.map { UInt8(bitPattern: $0) & UInt8((1 << bits) - 1) } == numbers)
    #expect(signed.allSatisfy { -(1 << (bits - 1))..<(1 << (bits - 1)) ~= Int($0) })
  }

  /// As docs/native-format.md has it.
  @Test func theBitsLieAsDocumented() {
    let packed = PackedBits.pack(3, bits: 5) { [0b10101, 0b00011, 0b11111][$0] }
    #expect(packed.array() == [0b011_10101, 0b0_11111_00] as [UInt8])
    #expect(PackedBits.byteCount(.max, bits: 2) == nil)
  }

  /// Four bits take half of what eight take, and say the same when they come back.
  @Test func fewBitsAreFewBytes() throws {
    let model = try labInt8(), layer = "dense"
    var four = model
    let values = model[layer, .weight]!.values
    try four.set(Parameter(.integer(quantized(values, bits: 4))), layer, .weight)
    let eight = try NativeFormat.data(model).count, bytes = try NativeFormat.data(four)
    #expect(abs(eight - bytes.count - values.count / 2) < 64)
    #expect(difference(try NativeFormat.read(bytes), four) == nil)
    #expect(four[layer, .weight]!.encoding.byteCount == (values.count + 1) / 2 + 4 * values.shape[0])
    var coded = model
    let levels = try RoundingLevels([-0.5, 0, 0.25])
    try coded.set(Parameter(.codes(CodedValues(values, levels: levels))), layer, .weight)
    let few = try NativeFormat.data(coded)
    #expect(few.count < bytes.count - values.count / 5)
    #expect(difference(try NativeFormat.read(few), coded) == nil)
  }

  @Test func whatDoesNotFitIsRefused() throws {
    var model = try labInt8()
    try model.set(Parameter(.integer(quantized(model["dense", .weight]!.values, bits: 4))), "dense", .weight)
    let json = String(decoding: try ModelManifest<Int>(model) { _ in 0 }.json(), as: UTF8.self)
    let shape = model["dense", .weight]!.shape.dims
    let packed = "\"packed\":[\(shape[0]),\(shape[1])]"
    #expect(json.contains(packed))
    for (changed, expected) in [
      ("\"packed\":[\(shape[0]),\(shape[1] + 2)]", "weight of 4 bits: uint8 of shape"),
      ("\"packed\":[4611686018427387904,1]", "more than 1099511627776 elements"),
    ] {
      let text = message {
        let manifest = try ModelManifest<Int>(json: Array(json.replacing(packed, with: changed).utf8))
        _ = try manifest.model { place in
          place.dtype == .float32
            ? Tensor([Float](repeating: 1, count: place.shape.count), place.shape)
            : Tensor(zeros: place.shape, dtype: place.dtype)
        }
      }
      #expect(text.contains(expected), "\(text)")
    }
  }
}
