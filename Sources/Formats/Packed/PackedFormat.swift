import CPacked
import Diagnostics
import Files
import Foundation
import Kernels
import Network

/// The packed model file, `.cmpz`: entropy-coded, and without loss what the native file holds. docs/packed-format.md
/// describes it byte by byte.
///
///     head: sizes of all that follows | description: text, coded | streams: the elements of tensors, coded
///
/// Each part has a checksum, and is not looked at before that was right.
public enum PackedFormat {
  public static let fileExtension = "cmpz"

  /// How a file is packed.
  public struct Options {
    /// Static rANS instead of adaptive models: opened several times as fast, and some percent larger.
    public var isFast = false
    /// Bytes; a larger file is not written.
    public var limit = Int.max
    /// nil for as many as there are cores. What is written does not depend on it.
    var threads: Int?
    /// Hears how many elements of how many are packed; called from one thread.
    public var progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }

    public init(isFast: Bool = false, limit: Int = .max) {
      self.isFast = isFast
      self.limit = limit
    }
  }

  /// Whether the bytes start as a packed file does.
  public static func isPacked(_ bytes: UnsafeRawBufferPointer) -> Bool {
    cp_is_packed(bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count) != 0
  }

  /// Elements below which threads would cost more than they save.
  static let fewElements = 1 << 17

  /// What so many elements are shared out over.
  static func pool(forElements count: Int, threads: Int?) throws -> ThreadPool {
    let threads = threads ?? min(ProcessInfo.processInfo.activeProcessorCount, 64)
    return count < fewElements || threads == 1 ? .serial : try ThreadPool(threads: threads, smallestWork: 0)
  }
}

// MARK: Writing

extension PackedFormat {
  /// Writes the model; the file appears whole or not at all.
  ///
  /// - Returns: bytes of the file.
  /// - Throws: `CompressError` with the path when the system refuses, or the file is larger than may be.
  @discardableResult
  public static func write(_ model: Model, to path: String, _ options: Options = Options()) throws -> Int {
    let bytes = try data(model, options)
    try AtomicFile.write(to: path, limit: options.limit) { try $0.write(bytes) }
    return bytes.count
  }

  /// The bytes `write` writes: the same model gives the same bytes, on any number of threads.
  public static func data(_ model: Model, _ options: Options = Options()) throws -> [UInt8] {
    let content = PackedContent(model)
    let text = try content.description.json()
    guard text.count <= CP_LONGEST_TEXT else {
      throw CompressError(
        "a packed file's description has at most \(CP_LONGEST_TEXT) bytes, not \(text.count)", kind: .limit)
    }
    let description = packed(text)
    let streams = try PackedStream.coded(content.tensors, options)

    var head: [UInt8] = [0x89] + Array("CMZ".utf8) + [UInt8(CP_VERSION)]
    for number in [text.count, description.count, streams.count] { append(number, to: &head) }
    for stream in streams {
      head.append(UInt8(stream.coding))
      append(stream.elements, to: &head)
      append(stream.bytes.count, to: &head)
    }
    var file: [UInt8] = []
    for part in [head, description] + streams.map(\.bytes) {
      file += part
      let checksum = cp_crc32(0, part, part.count)
      file += (0..<4).map { UInt8(truncatingIfNeeded: checksum >> ($0 * 8)) }
    }
    // What its own reader would refuse is not written.
    let elements = streams.reduce(0) { $0 + $1.elements }
    guard elements <= Int(CP_CLAIM) + file.count * Int(CP_CLAIM_PER_BYTE) else {
      throw CompressError(
        "\(elements) numbers would take \(file.count) bytes, which no reader would believe: they are nearly all alike")
    }
    return file
  }

  /// How many bytes `write` writes; as long as that takes.
  public static func byteCount(_ model: Model, _ options: Options = Options()) throws -> Int {
    try data(model, options).count
  }

  private static func packed(_ text: [UInt8]) -> [UInt8] {
    var out = [UInt8](repeating: 0, count: text.count + text.count / 4 + 64)
    let count = withWorkspace(cp_text_workspace(text.count)) { cp_text_encode(text, text.count, $0, &out, out.count) }
    precondition(count > 0, "a text of \(text.count) bytes takes more than \(out.count) when it is packed")
    return Array(out.prefix(count))
  }

  /// Seven bits a byte, the lowest first; all but the last byte have their highest bit set.
  private static func append(_ number: Int, to bytes: inout [UInt8]) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// Memory that C works in.
  static func withWorkspace<R>(_ byteCount: Int, _ body: (UnsafeMutableRawPointer) throws -> R) rethrows -> R {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
    defer { memory.deallocate() }
    return try body(memory)
  }
}
