import CCompress

/// The head of a compiled plan while it is put together: records and text, one after the other (compiled-plan.h).
struct HeadBytes {
  private(set) var bytes = [UInt8](repeating: 0, count: MemoryLayout<cx_head>.size)
  private var texts: [String: cx_text] = [:]

  /// Text with a zero byte behind it; the same text lies there once. A zero byte in it becomes a question mark.
  mutating func text(_ string: String) -> cx_text {
    if let known = texts[string] { return known }
    let text = cx_text(offset: UInt32(bytes.count), bytes: UInt32(string.utf8.count))
    bytes += string.utf8.map { $0 == 0 ? UInt8(ascii: "?") : $0 } + [0]
    texts[string] = text
    return text
  }

  /// Records one after the other, at a multiple of 8.
  ///
  /// - Returns: where they begin.
  mutating func records<T: BitwiseCopyable>(_ values: [T]) -> UInt32 {
    values.withUnsafeBytes { raw($0) }
  }

  mutating func raw(_ content: UnsafeRawBufferPointer) -> UInt32 {
    align(to: 8)
    let offset = UInt32(bytes.count)
    bytes += content
    return offset
  }

  /// The whole of it, filled up to a length, which is filled in with the checksum.
  mutating func finished(_ head: cx_head, length: Int) -> [UInt8] {
    precondition(bytes.count <= length)
    bytes += [UInt8](repeating: 0, count: length - bytes.count)
    var head = head
    head.head_bytes = UInt64(bytes.count)
    head.file_bytes += head.head_bytes
    put(head)
    let first = MemoryLayout<cx_head>.offset(of: \.constants_checksum)!
    head.head_checksum = bytes.withUnsafeBytes { cx_crc32(0, $0.baseAddress! + first, $0.count - first) }
    put(head)
    return bytes
  }

  private mutating func put(_ head: cx_head) {
    withUnsafeBytes(of: head) { bytes.replaceSubrange(0..<$0.count, with: $0) }
  }

  private mutating func align(to step: Int) {
    bytes += [UInt8](repeating: 0, count: (step - bytes.count % step) % step)
  }
}
