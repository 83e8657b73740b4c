import Tensors
import Testing

@testable import Kernels

@Suite struct ArenaPlanTests {
  static func overlaps(_ plan: ArenaPlan, _ buffers: [ArenaPlan.Buffer]) -> [(Int, Int)] {
    var found: [(Int, Int)] = []
    for a in buffers.indices {
      for b in 0..<a where buffers[a].isLive(with: buffers[b]) {
        let disjoint =
          plan.offsets[a] + buffers[a].byteCount <= plan.offsets[b]
          || plan.offsets[b] + buffers[b].byteCount <= plan.offsets[a]
        if !disjoint { found.append((a, b)) }
      }
    }
    return found
  }

  @Test(arguments: 0..<200) func liveBuffersNeverOverlap(seed: Int) {
    var random = SeededRandom(seed: UInt64(seed))
    let steps = 1 + random.below(30)
    let buffers = (0..<random.below(40)).map { _ in
      let first = random.below(steps)
      var lifetimes = [first...min(steps, first + random.below(4))]
      if random.below(3) == 0 { lifetimes.append(50...50 + random.below(10)) }
      return ArenaPlan.Buffer(byteCount: random.below(5) * random.below(1000), lifetimes: lifetimes)
    }
    let plan = ArenaPlan(buffers)
    #expect(Self.overlaps(plan, buffers).isEmpty)
    for (buffer, offset) in zip(buffers, plan.offsets) {
      #expect(offset % ArenaPlan.alignment == 0)
      #expect(offset + buffer.byteCount <= plan.byteCount)
    }
    let most =
      (0..<60).map { step in
        buffers.filter { $0.lifetimes.contains { $0.contains(step) } }.reduce(0) { $0 + $1.byteCount }
      }.max() ?? 0
    #expect(plan.byteCount >= most)
    #expect(plan.byteCount <= buffers.reduce(0) { $0 + ($1.byteCount + 63) / 64 * 64 })
  }

  @Test func aChainNeedsItsTwoLargestNeighbours() {
    let sizes = [640, 6400, 1280, 64, 3200]
    let buffers = sizes.enumerated().map { ArenaPlan.Buffer(byteCount: $1, firstStep: $0, lastStep: $0 + 1) }
    #expect(ArenaPlan(buffers).byteCount == 7680)
  }

  @Test func theSmallestGapThatFitsIsTaken() {
    // Three long-lived buffers leave gaps of 640 and of 320 bytes once the short-lived ones are gone.
    let needs = [(1024, 0...9), (640, 0...1), (512, 0...9), (320, 0...1), (256, 0...9), (192, 2...9)]
    let buffers = needs.map { bytes, steps in
      ArenaPlan.Buffer(byteCount: bytes, firstStep: steps.lowerBound, lastStep: steps.upperBound)
    }
    let plan = ArenaPlan(buffers)
    #expect(plan.offsets[5] == plan.offsets[3])
    #expect(plan.byteCount == 1024 + 640 + 512 + 320 + 256)
  }

  @Test func whatIsNeverOfUseTogetherSharesMemory() {
    let plan = ArenaPlan([
      .init(byteCount: 400, lifetimes: [0...3, 7...8]), .init(byteCount: 360, lifetimes: [4...6]),
      .init(byteCount: 40, lifetimes: [2...5]),
    ])
    #expect(plan.offsets == [0, 0, 448] && plan.byteCount == 512)
  }

  @Test func whatCannotBeCountedIsSaid() {
    let half = ArenaPlan.Buffer(byteCount: .max / 2, firstStep: 0, lastStep: 1)
    #expect(ArenaPlan([half, half, half]).byteCount == .max)
    #expect(ArenaPlan([.init(byteCount: .max, firstStep: 0, lastStep: 1), half]).byteCount == .max)
  }

  @Test func nothingNeedsNothing() {
    #expect(ArenaPlan([]).byteCount == 0)
    #expect(ArenaPlan([.init(byteCount: 0, firstStep: 0, lastStep: 3)]).byteCount == 0)
  }
}
