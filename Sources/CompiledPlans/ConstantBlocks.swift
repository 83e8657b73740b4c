import CCompress
import Kernels

/// The constants of all steps, as they follow each other behind the head; what is the same in several plans is there once.
struct ConstantBlocks {
  private(set) var blocks: [OwnedMemory] = []
  private(set) var byteCount = 0
  /// Where the blocks with a checksum begin.
  private var known: [UInt32: [(offset: Int, block: OwnedMemory)]] = [:]

  /// Where a block begins, counted from the first one.
  mutating func add(_ block: OwnedMemory) -> Int {
    let bytes = UnsafeRawBufferPointer(start: block.base, count: block.byteCount)
    let checksum = cx_crc32(0, bytes.baseAddress, bytes.count)
    let same = known[checksum, default: []].first {
      $0.block.byteCount == bytes.count
        && UnsafeRawBufferPointer(start: $0.block.base, count: bytes.count).elementsEqual(bytes)
    }
    if let same { return same.offset }
    // Blocks are whole cache lines.
    defer { byteCount += block.byteCount }
    blocks.append(block)
    known[checksum, default: []].append((byteCount, block))
    return byteCount
  }

  var checksum: UInt32 { blocks.reduce(0) { cx_crc32($0, $1.base, $1.byteCount) } }
}
