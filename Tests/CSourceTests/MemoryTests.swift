import Network
import TestSupport
import Tensors
import Testing

@testable import CSource

/// Where results lie over what they are made of, and how little memory that takes.
@Suite struct MemoryTests {
  /// Runs the turns of a layer over bytes that say what they hold, and tells whether one read what was written over.
  private func isSafe(
    _ ranges: [Range<Int>?], inputBytes: Int, pieceBytes: Int, readsFirst: Bool, distance: Int, backward: Bool
  ) -> Bool {
    let first = max(0, -distance), output = first + distance
    var holds = [Bool](repeating: false, count: max(first + inputBytes, output + ranges.count * pieceBytes))
    for byte in first..<first + inputBytes { holds[byte] = true }
    for piece in backward ? Array(ranges.indices.reversed()) : Array(ranges.indices) {
      let reads = ranges[piece].map { $0.lowerBound + first..<$0.upperBound + first } ?? 0..<0
      let writes = output + piece * pieceBytes..<output + (piece + 1) * pieceBytes
      guard reads.allSatisfy({ holds[$0] }) else { return false }
      if !readsFirst, reads.overlaps(writes) { return false }
      for byte in writes { holds[byte] = false }
    }
    return true
  }

  /// What a convolution may do is safe, and one byte nearer is not, in both directions.
  @Test(arguments: 0..<40) func distancesAreTheLeast(_ seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let input: Shape = [3 + random.below(5), 3 + random.below(5), 1 + random.below(3)]
    let window = Window(
      Size2D(1 + random.below(3), 1 + random.below(3)), stride: Size2D(1 + random.below(2), 1 + random.below(2)),
      padding: random.below(2) == 0 ? .same : .valid)
    let conv = Conv2D(filters: 1 + random.below(5), window: window)
    let shape = ConvolutionShape(conv, input, try conv.outputShapes([input])[0])
    for readsFirst in [true, false] {
      let ranges = (0..<shape.pixels).map { shape.range($0, elementBytes: 1) }
      let overlap = Overlap.pieces(shape.pixels, pieceBytes: conv.filters, readsFirst: readsFirst) { ranges[$0] }
      func isSafe(_ distance: Int, _ backward: Bool) -> Bool {
        self.isSafe(
          ranges, inputBytes: input.count, pieceBytes: conv.filters, readsFirst: readsFirst, distance: distance,
          backward: backward)
      }
      let forward = try #require(overlap.forward), backward = try #require(overlap.backward)
      #expect(isSafe(-forward, false) && isSafe(-forward - 1, false))
      #expect(isSafe(backward, true) && isSafe(backward + 1, true))
      guard shape.pixels > 1 else { continue }
      #expect(!isSafe(-forward + 1, false), "forward \(forward)")
      #expect(!isSafe(backward - 1, true), "backward \(backward)")
    }
  }

  @Test(arguments: [(1, 1), (4, 1), (1, 4), (4, 4)]) func elementsAsWell(_ bytes: (from: Int, to: Int)) throws {
    let count = 7, overlap = Overlap.elements(count, from: bytes.from, to: bytes.to)
    let ranges = (0..<count).map { $0 * bytes.from..<($0 + 1) * bytes.from as Range<Int>? }
    for (distance, backward) in [(-overlap.forward!, false), (overlap.backward!, true)] {
      func isSafe(_ distance: Int) -> Bool {
        self.isSafe(
          ranges, inputBytes: count * bytes.from, pieceBytes: bytes.to, readsFirst: true, distance: distance,
          backward: backward)
      }
      #expect(isSafe(distance))
      #expect(!isSafe(distance + (backward ? -1 : 1)))
    }
  }

  /// Buffers that are needed together never share bytes, but for pairs at a distance that one direction allows.
  @Test(arguments: 0..<30) func plansHold(_ seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let layers = 3 + random.below(8)
    var buffers: [MemoryPlan.Buffer] = [], pairs: [MemoryPlan.Pair] = []
    for layer in 0..<layers {
      buffers.append(
        MemoryPlan.Buffer(
          byteCount: 1 + random.below(400), alignment: [1, 4][random.below(2)], first: layer,
          last: min(layer + 1 + random.below(2), layers)))
      guard layer > 0, buffers[layer - 1].last == layer else { continue }
      pairs.append(
        MemoryPlan.Pair(
          layer: layer, output: layer, input: layer - 1,
          overlap: Overlap(forward: random.below(100) - 20, backward: random.below(100) - 20)))
    }
    let plan = MemoryPlan(buffers, pairs, layers: layers)
    for a in buffers.indices {
      #expect(plan.offsets[a] % buffers[a].alignment == 0)
      #expect(plan.offsets[a] + buffers[a].byteCount <= plan.byteCount)
      for b in buffers.indices where b > a && buffers[b].first <= buffers[a].last {
        let (x, y) = (plan.offsets[a], plan.offsets[b])
        if x + buffers[a].byteCount <= y || y + buffers[b].byteCount <= x { continue }
        let pair = try #require(pairs.first { $0.output == b && $0.input == a }, "\(a) and \(b) share bytes")
        let isAllowed =
          plan.isBackward[pair.layer] ? y - x >= pair.overlap.backward! : y - x <= -pair.overlap.forward!
        #expect(isAllowed, "\(a) and \(b)")
      }
    }
    #expect(plan.byteCount <= MemoryPlan(buffers, [], layers: layers).byteCount)
  }

  /// Two branches, of which one is wide until it is pooled: it runs first, whatever the model's order.
  @Test func layersRunInAnOrderThatHoldsLess() throws {
    var net = GraphBuilder(input: [8, 8, 4])
    let wide = net.conv2d(filters: 16, kernel: 1, from: "input", name: "wide")
    let other = net.conv2d(filters: 16, kernel: 1, from: "input", name: "other")
    let first = net.globalAveragePool(from: wide), second = net.globalAveragePool(from: other)
    net.add(first, second)
    net.dense(3)
    var random = RandomNetworks(1)
    let file = try CSourceFile(try random.model(net.graph()).quantizedAsIs(outputs: true), name: "net")
    #expect(file.bytesReordered < file.bytesApart)
    #expect(file.arenaBytes <= file.bytesReordered)
  }

  /// MLPerf Tiny's networks in int8 take no more than the share of what TensorFlow Lite Micro takes for them that the
  /// documentation states: 55,984 B, 24,272, 103,680 and 3,984 there.
  @Test(arguments: [("resnet8", 33_590), ("ds_cnn", 9_000), ("mobilenet_v1", 46_656), ("autoencoder", 1_000)])
  func networksOfMLPerfTinyTakeLittle(_ name: String, _ most: Int) throws {
    let entry = try Zoo.entry(name), model = try Model(initializing: try entry.graph(entry.defaults), seed: 1)
    let file = try CSourceFile(try model.quantizedAsIs(outputs: true), name: "net")
    #expect(file.arenaBytes <= most, "\(file.arenaBytes)")
    // Weights of int8, a scale and a bias for each channel.
    #expect(file.constantBytes < 2 * model.weightLayers.reduce(0) { $0 + model[$1, .weight]!.shape.count } + 20_000)
  }
}
