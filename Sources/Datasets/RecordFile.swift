import Diagnostics
import Files
import Synchronization

/// A file of records of one size, gzipped or not: mapped when plain, else inflated into memory when first read.
final class RecordFile: Sendable {
  let path: String
  let recordSize: Int
  /// Number of records. Of a gzipped file, what its last four bytes claim: reading finds out.
  let count: Int

  private let memory: DataMemory
  private let content = Mutex<HeldBytes?>(nil)

  /// - Throws: `CompressError`, with the file, when it is missing or no whole number of records.
  init(_ path: String, recordSize: Int, memory: DataMemory) throws {
    let file = try DecodedFile(path), size = file.claimedCount
    guard size % recordSize == 0 else {
      // The labels that records begin with can be any byte: only what is no whole number of them is looked at.
      let kind = file.isCompressed ? nil : FileKind(file.packed)
      throw CompressError(
        "\(size) bytes are no whole number of records of \(recordSize)" + (kind.map { "; it is \($0.name)" } ?? ""),
        kind: .input, hint: kind?.hint
      ).at(file: path)
    }
    self.path = path
    self.recordSize = recordSize
    self.memory = memory
    count = size / recordSize
  }

  /// Hands out the bytes of one record.
  ///
  /// - Throws: `CompressError`, with the file, when it is broken or not as long as it claimed; what `body` throws.
  func withRecord<R>(_ index: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> R) throws -> R {
    precondition((0..<count).contains(index), "record \(index) of \(count)")
    let range = index * recordSize..<(index + 1) * recordSize
    return try atFile(path) {
      try load().withBytes { bytes in
        try UnsafeRawBufferPointer(rebasing: bytes[range]).withMemoryRebound(to: UInt8.self) { try body($0) }
      }
    }
  }

  private func load() throws -> HeldBytes {
    try content.withLock { content in
      if let content { return content }
      let file = try DecodedFile(path)
      guard file.claimedCount == count * recordSize else { throw CompressError("changed while in use", kind: .input) }
      let loaded = try HeldBytes(restOf: file, count * recordSize, "it announces", memory: memory)
      content = loaded
      return loaded
    }
  }
}
