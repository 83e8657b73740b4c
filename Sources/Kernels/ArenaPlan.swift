/// Where buffers lie in one block of memory: those of a runtime's plan, and those of a training step.
///
/// Buffers that are needed at the same time never overlap; those that are not may share bytes. Placed
/// greedily, largest first, each into the smallest gap it fits (Pisarchyk and Lee 2020).
public struct ArenaPlan {
  /// A buffer, and when it holds something: from the step that writes it to the last that reads it. One that is written
  /// anew after nobody has read it for a while has several such times.
  public struct Buffer {
    public let byteCount: Int
    public let lifetimes: [ClosedRange<Int>]

    public init(byteCount: Int, lifetimes: [ClosedRange<Int>]) {
      self.byteCount = byteCount
      self.lifetimes = lifetimes
    }

    public init(byteCount: Int, firstStep: Int, lastStep: Int) {
      self.init(byteCount: byteCount, lifetimes: [firstStep...lastStep])
    }

    public func isLive(with other: Buffer) -> Bool {
      lifetimes.contains { one in other.lifetimes.contains { one.overlaps($0) } }
    }
  }

  public static let alignment = 64

  /// In bytes from the start of the block, one for each buffer, multiples of `alignment`.
  public let offsets: [Int]
  /// `Int.max` where the memory cannot be counted.
  public let byteCount: Int

  public init(_ buffers: [Buffer]) {
    var offsets = [Int](repeating: 0, count: buffers.count)
    var placed: [Int] = []  // by offset
    var end = 0
    let bySize = buffers.indices.sorted { (buffers[$1].byteCount, $0) < (buffers[$0].byteCount, $1) }
    for index in bySize where buffers[index].byteCount > 0 && !buffers[index].lifetimes.isEmpty {
      let size = Self.aligned(buffers[index].byteCount)
      var best: (offset: Int, gap: Int)?
      var cursor = 0
      for other in placed where buffers[other].isLive(with: buffers[index]) {
        let gap = offsets[other] - cursor
        if gap >= size, gap < best?.gap ?? .max { best = (cursor, gap) }
        cursor = max(cursor, Self.sum(offsets[other], Self.aligned(buffers[other].byteCount)))
      }
      offsets[index] = best?.offset ?? cursor
      end = max(end, Self.sum(offsets[index], size))
      placed.insert(index, at: placed.firstIndex { offsets[$0] > offsets[index] } ?? placed.count)
    }
    self.offsets = offsets
    byteCount = end
  }

  /// Rounded up to whole cache lines.
  private static func aligned(_ byteCount: Int) -> Int {
    byteCount > .max - alignment ? .max : (byteCount + alignment - 1) / alignment * alignment
  }

  private static func sum(_ a: Int, _ b: Int) -> Int {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? .max : sum
  }
}
