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

  init(_ network: CNetwork) throws {
    let codes = try network.layers.map { layer in
      try atLayer(layer.operation.layer) { try CLayer(layer, network.values) }
    }
    let own = Array(network.layers.indices)
    let held = network.values.map { $0.constant == nil ? $0.byteCount : 0 }
    let search = LayerOrder(
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
    let found = search.best()
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
    layers = best.order.map { (network.layers[$0], codes[$0]) }
    plan = best.plan
    bufferOf = best.buffers.bufferOf
    scratchOf = best.buffers.scratchOf
    guard plan.byteCount <= Int(Int32.max) else {
      throw CompressError("it would take \(plan.byteCount) bytes of memory, more than C of 32 bits can address")
    }
  }

  /// Where a value begins.
  func offset(of value: Int) -> Int { bufferOf[value].map { plan.offsets[$0] } ?? 0 }

  /// What is held when layers run in an order.
  private struct Buffers {
    var buffers: [MemoryPlan.Buffer] = []
    var pairs: [MemoryPlan.Pair] = []
    var bufferOf: [Int?]
    var scratchOf: [Int?]

    init(_ network: CNetwork, _ codes: [CLayer], _ order: [Int]) {
      bufferOf = [Int?](repeating: nil, count: network.values.count)
      scratchOf = [Int?](repeating: nil, count: order.count)
      let end = order.count
      var last = [Int](repeating: -1, count: network.values.count)
      for (place, index) in order.enumerated() { for input in network.layers[index].inputs { last[input] = place } }
      for output in network.outputs { last[output.value] = end }
      func add(_ value: Int, from first: Int) {
        guard bufferOf[value] == nil else { return }
        bufferOf[value] = buffers.count
        buffers.append(
          MemoryPlan.Buffer(
            byteCount: network.values[value].byteCount, alignment: network.values[value].elementBytes, first: first,
            last: max(first, last[value])))
      }
      for input in network.inputs { add(input.value, from: -1) }
      for (place, index) in order.enumerated() {
        let layer = network.layers[index], code = codes[index]
        add(layer.output, from: place)
        if code.scratchBytes > 0 {
          scratchOf[place] = buffers.count
          buffers.append(
            MemoryPlan.Buffer(byteCount: code.scratchBytes, alignment: 4, first: place, last: place))
        }
        for input in Set(layer.inputs).sorted() where last[input] == place {
          guard let buffer = bufferOf[input] else { continue }
          // One that is read as two operands at once has to suit both.
          let overlaps = Set(layer.inputs.indices.filter { layer.inputs[$0] == input }.map { code.overlaps[$0] })
          guard overlaps.count == 1, let overlap = overlaps.first, overlap != .none else { continue }
          pairs.append(
            MemoryPlan.Pair(layer: place, output: bufferOf[layer.output]!, input: buffer, overlap: overlap))
        }
      }
    }
  }
}
