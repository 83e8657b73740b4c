import Diagnostics
import Foundation

@testable import Formats

/// Pickles by their opcodes, for checkpoints that no PyTorch would write.
enum Pickled {
  static func text(_ text: String) -> [UInt8] {
    Array("X".utf8) + NativeFormat.littleEndian(UInt32(text.utf8.count)) + text.utf8
  }

  static func integer(_ value: Int) -> [UInt8] {
    [0x8A, 8] + NativeFormat.littleEndian(UInt64(bitPattern: Int64(value)))
  }

  static func global(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }
  static func tuple(_ items: [[UInt8]]) -> [UInt8] { Array("(".utf8) + items.flatMap { $0 } + Array("t".utf8) }
  static func integers(_ values: [Int]) -> [UInt8] { tuple(values.map(integer)) }

  static func call(_ module: String, _ name: String, _ arguments: [[UInt8]]) -> [UInt8] {
    global(module, name) + tuple(arguments) + Array("R".utf8)
  }

  static func dictionary(_ pairs: [(String, [UInt8])]) -> [UInt8] {
    Array("}(".utf8) + pairs.flatMap { text($0.0) + $0.1 } + Array("u".utf8)
  }

  static func storage(_ key: String, _ type: String, _ count: Int) -> [UInt8] {
    tuple([text("storage"), global("torch", type), text(key), text("cpu"), integer(count), Array("N".utf8)])
      + Array("Q".utf8)
  }

  static func tensor(
    _ storage: [UInt8], offset: Int = 0, _ shape: [Int], _ strides: [Int]
  ) -> [UInt8] {
    call(
      "torch._utils", "_rebuild_tensor_v2",
      [storage, integer(offset), integers(shape), integers(strides), [0x89], Array("N".utf8)])
  }

  /// A checkpoint in the form before the archive.
  ///
  /// - Parameter storages: key, elements, bytes.
  static func checkpoint(_ content: [UInt8], storages: [(String, Int, [UInt8])] = []) -> [UInt8] {
    func pickle(_ body: [UInt8]) -> [UInt8] { [0x80, 2] + body + Array(".".utf8) }
    let magic: [UInt8] = [0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
    let system = dictionary([("little_endian", [0x88])])
    let keys = Array("](".utf8) + storages.flatMap { text($0.0) } + Array("e".utf8)
    return pickle(magic) + pickle(integer(1001)) + pickle(system) + pickle(content) + pickle(keys)
      + storages.flatMap { NativeFormat.littleEndian(UInt64(bitPattern: Int64($0.1))) + $0.2 }
  }

  /// What reading such a file says.
  static func failure(_ bytes: [UInt8]) throws -> String {
    var text = ""
    try withTemporaryFile("x.pth") { path in
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      text = message { _ = try PyTorchFile(path) }.replacing("\(path): ", with: "")
    }
    return text
  }
}
