/// Where each buffer of a plan lies in one block of memory.
///
/// Buffers that are needed at the same time never overlap; those that are not may share bytes. Placed
/// greedily, largest first, each into the smallest gap it fits (Pisarchyk and Lee 2020).
struct ArenaPlan {
  /// A buffer, and the steps between which it holds something: written first in `firstStep`, read
  /// last in `lastStep`.
  struct Buffer {
    let byteCount: Int
    let firstStep: Int
    let lastStep: Int

    func isLive(with other: Buffer) -> Bool { firstStep <= other.lastStep && other.firstStep <= lastStep }
  }

  static let alignment = 64

  /// In bytes from the start of the block, one per buffer, multiples of `alignment`.
  let offsets: [Int]
  let byteCount: Int

  init(_ buffers: [Buffer]) {
    var offsets = [Int](repeating: 0, count: buffers.count)
    var placed: [Int] = []  // by offset
    var end = 0
    let bySize = buffers.indices.sorted { (buffers[$1].byteCount, $0) < (buffers[$0].byteCount, $1) }
    for index in bySize where buffers[index].byteCount > 0 {
      let size = Self.aligned(buffers[index].byteCount)
      var best: (offset: Int, gap: Int)?
      var cursor = 0
      for other in placed where buffers[other].isLive(with: buffers[index]) {
        let gap = offsets[other] - cursor
        if gap >= size, gap < best?.gap ?? .max { best = (cursor, gap) }
        cursor = max(cursor, offsets[other] + Self.aligned(buffers[other].byteCount))
      }
      offsets[index] = best?.offset ?? cursor
      end = max(end, offsets[index] + size)
      placed.insert(index, at: placed.firstIndex { offsets[$0] > offsets[index] } ?? placed.count)
    }
    self.offsets = offsets
    byteCount = end
  }

  /// Rounded up to whole cache lines.
  static func aligned(_ byteCount: Int) -> Int { (byteCount + alignment - 1) / alignment * alignment }
}
