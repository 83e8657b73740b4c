import Diagnostics
import Network
import Runtime

/// The layers of a network in the order they run, and where everything lies in the arena.
struct Layout {
  let layers: [(layer: CNetwork.Layer, code: CLayer)]
  let plan: MemoryPlan
  /// Of each value, the buffer that holds it; nil of what is the same in every call, or never formed.
  let bufferOf: [Int?]
  /// Of each layer.
  let scratchOf: [Int?]
  /// What the arena would be in the order that the model has its layers in, and every result apart from what is read
  /// for it; and in the order that was found.
  let bytesApart: Int
  let bytesReordered: Int
  /// The arena without patches.
  let bytesWhole: Int
  /// The first layers, where they are computed patch by patch.
  let stage: PatchStage?

  init(_ network: CNetwork, _ patches: PatchOptions = PatchOptions()) throws {
    let codes = try network.layers.map { layer in
      try atLayer(layer.operation.layer) { try CLayer(layer, network.values) }
    }
    let own = Array(network.layers.indices)
    let held = network.values.map { $0.constant == nil ? $0.byteCount : 0 }
    let orders = LayerOrder(
      layers: network.layers.indices.map { index in
        let layer = network.layers[index]
        return LayerOrder.Layer(
          inputs: layer.inputs.filter { network.values[$0].constant == nil }, output: layer.output,
          scratchBytes: codes[index].scratchBytes)
      }, bytes: held, given: network.inputs.map(\.value), taken: Set(network.outputs.map(\.value)),
      shared: { layer, input in
        let output = network.layers[layer].output
        guard let place = network.layers[layer].inputs.firstIndex(of: input) else { return 0 }
        let overlap = codes[layer].overlaps[place]
        let distance = [overlap.forward, overlap.backward, overlap.atOnce ? 0 : nil].compactMap { $0 }.min()
        return distance.map { max(0, min(held[input], held[output]) - max(0, $0)) } ?? 0
      })
    let found = orders.best()
    let inOrder = Buffers(network, codes, own)
    var best = (order: own, buffers: inOrder, plan: MemoryPlan(inOrder.buffers, inOrder.pairs, layers: own.count))
    bytesApart = MemoryPlan(inOrder.buffers, [], layers: own.count).byteCount
    var reordered = bytesApart
    if found != own {
      let other = Buffers(network, codes, found)
      reordered = min(reordered, MemoryPlan(other.buffers, [], layers: own.count).byteCount)
      let plan = MemoryPlan(other.buffers, other.pairs, layers: own.count)
      if plan.byteCount < best.plan.byteCount { best = (found, other, plan) }
    }
    bytesReordered = reordered
    bytesWhole = best.plan.byteCount
    var stage: PatchStage?
    let search = PatchSearch(network, codes, best.order, below: bytesWhole, patches) {
      Buffers(network, codes, best.order, $0, withOverlaps: false).leastPeak(layers: own.count)
    }
    for candidate in search.stages {
      let buffers = Buffers(network, codes, best.order, candidate)
      let plan = MemoryPlan(buffers.buffers, buffers.pairs, layers: own.count)
      guard stage == nil || plan.byteCount < best.plan.byteCount,
        Double(plan.byteCount) <= Double(bytesWhole) * (1 - patches.leastSaving)
      else { continue }
      (best.buffers, best.plan, stage) = (buffers, plan, candidate)
    }
    self.stage = stage
    layers = best.order.map { (network.layers[$0], codes[$0]) }
    plan = best.plan
    bufferOf = best.buffers.bufferOf
    scratchOf = best.buffers.scratchOf
    guard plan.byteCount <= Int(Int32.max) else {
      throw CompressError("it would take \(plan.byteCount) bytes of memory, more than C of 32 bits can address")
    }
  }

  /// How a layer's function goes over its values.
  func frame(_ index: Int) -> Frame {
    var frame = Frame(backward: plan.isBackward[index])
    if let stage, index < stage.count {
      frame.patch = Frame.Patch(line: index == stage.count - 1 ? stage.chain.layers[index].shape[1] : nil)
    }
    return frame
  }

  /// Where a value begins.
  func offset(of value: Int) -> Int { bufferOf[value].map { plan.offsets[$0] } ?? 0 }

  /// What is held when layers run in an order.
  private struct Buffers {
    var buffers: [MemoryPlan.Buffer] = []
    var pairs: [MemoryPlan.Pair] = []
    var bufferOf: [Int?]
    var scratchOf: [Int?]

    /// - Parameters:
    ///   - stage: the first layers, where they run patch by patch: again and again, so that the image they read stays
    ///     until the last patch, and their result is there from the first one on.
    ///   - withOverlaps: whether patches may lie over each other, which takes time to find out.
    init(
      _ network: CNetwork, _ codes: [CLayer], _ order: [Int], _ stage: PatchStage? = nil, withOverlaps: Bool = true
    ) {
      bufferOf = [Int?](repeating: nil, count: network.values.count)
      scratchOf = [Int?](repeating: nil, count: order.count)
      let end = order.count
      var last = [Int](repeating: -1, count: network.values.count)
      for (place, index) in order.enumerated() { for input in network.layers[index].inputs { last[input] = place } }
      for output in network.outputs { last[output.value] = end }
      if let stage { last[stage.chain.image] = max(last[stage.chain.image], stage.count - 1) }
      func add(_ value: Int, from first: Int, bytes: Int? = nil) {
        guard bufferOf[value] == nil else { return }
        bufferOf[value] = buffers.count
        buffers.append(
          MemoryPlan.Buffer(
            byteCount: bytes ?? network.values[value].byteCount, alignment: network.values[value].elementBytes,
            first: first,
            last: max(first, last[value])))
      }
      for input in network.inputs { add(input.value, from: -1) }
      if let stage {
        add(stage.chain.result, from: 0)
        let overlap = stage.overlap
        if overlap != .none {
          pairs.append(
            MemoryPlan.Pair(
              layer: stage.count - 1, output: bufferOf[stage.chain.result]!, input: bufferOf[stage.chain.image]!,
              overlap: overlap))
        }
      }
      for (place, index) in order.enumerated() {
        let layer = network.layers[index], code = codes[index]
        let isPatch = place < stage?.count ?? 0
        add(layer.output, from: place, bytes: isPatch ? stage!.byteCount(place) : nil)
        if code.scratchBytes > 0 {
          scratchOf[place] = buffers.count
          buffers.append(
            MemoryPlan.Buffer(byteCount: code.scratchBytes, alignment: 4, first: place, last: place))
        }
        if isPatch, !withOverlaps || layer.output == stage!.chain.result { continue }
        let own = isPatch ? stage!.overlaps(place) : code.overlaps
        for input in Set(layer.inputs).sorted() where last[input] == place {
          if isPatch, input == stage!.chain.image { continue }
          guard let buffer = bufferOf[input] else { continue }
          // One that is read as two operands at once has to suit both.
          let overlaps = Set(layer.inputs.indices.filter { layer.inputs[$0] == input }.map { own[$0] })
          guard overlaps.count == 1, let overlap = overlaps.first, overlap != .none else { continue }
          pairs.append(
            MemoryPlan.Pair(layer: place, output: bufferOf[layer.output]!, input: buffer, overlap: overlap))
        }
      }
    }

    /// The bytes that are held at most at the same time, were every pair to share what it can.
    func leastPeak(layers: Int) -> Int {
      (-1...layers).reduce(0) { peak, place in
        func isHeld(_ buffer: Int) -> Bool { buffers[buffer].first <= place && place <= buffers[buffer].last }
        let held = buffers.indices.reduce(0) { isHeld($1) ? $0 + buffers[$1].byteCount : $0 }
        let shared = pairs.map { pair -> Int in
          guard isHeld(pair.output), isHeld(pair.input) else { return 0 }
          let distance = [pair.overlap.forward, pair.overlap.backward, pair.overlap.atOnce ? 0 : nil]
            .compactMap { $0 }.min()
          let most = min(buffers[pair.output].byteCount, buffers[pair.input].byteCount)
          return distance.map { max(0, most - max(0, $0)) } ?? 0
        }
        return max(peak, held - (shared.max() ?? 0))
      }
    }
  }
}
