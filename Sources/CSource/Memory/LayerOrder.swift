/// An order of layers in which little is held at the same time.
struct LayerOrder {
  struct Layer {
    let inputs: [Int]
    let output: Int
    let scratchBytes: Int
  }

  let layers: [Layer]
  /// Of each value.
  let bytes: [Int]
  /// Values that are there before the first layer, and those that have to be there after the last.
  let given: [Int]
  let taken: Set<Int>
  /// How many bytes a result shares at most with an input that it is the last to read.
  let shared: (_ layer: Int, _ input: Int) -> Int

  private struct State {
    var done: [Bool]
    var order: [Int] = []
    var readers: [Int]
    var live: Int
    var peak: Int
  }

  /// The bytes that are held at most when layers run in this order, where every result lies as it best may.
  func peak(_ order: [Int]) -> Int {
    order.reduce(into: start) { $0 = after($1, $0) }.peak
  }

  /// Orders are built layer by layer; at every length the `width` that held least so far are kept.
  func best(width: Int = 64) -> [Int] {
    var producer: [Int: Int] = [:]
    for (index, layer) in layers.enumerated() { producer[layer.output] = index }
    var states = [start]
    for _ in layers.indices {
      var next: [State] = [], seen: Set<[Bool]> = []
      for state in states.sorted(by: { ($0.peak, $0.live) < ($1.peak, $1.live) }) {
        for index in layers.indices where !state.done[index] {
          guard layers[index].inputs.allSatisfy({ input in producer[input].map { state.done[$0] } ?? true }) else {
            continue
          }
          next.append(after(index, state))
        }
      }
      // Of those that have the same layers behind them, the best.
      next.sort { ($0.peak, $0.live, $0.order.last!) < ($1.peak, $1.live, $1.order.last!) }
      states = []
      for state in next where states.count < width && seen.insert(state.done).inserted { states.append(state) }
    }
    let own = Array(layers.indices)
    guard let found = states.first, found.peak < peak(own) else { return own }
    return found.order
  }

  private var start: State {
    var readers = [Int](repeating: 0, count: bytes.count)
    for layer in layers { for input in Set(layer.inputs) { readers[input] += 1 } }
    for value in taken { readers[value] += 1 }
    let live = given.reduce(0) { $0 + bytes[$1] }
    return State(done: [Bool](repeating: false, count: layers.count), readers: readers, live: live, peak: live)
  }

  private func after(_ index: Int, _ state: State) -> State {
    var state = state
    let layer = layers[index], inputs = Set(layer.inputs)
    for input in inputs { state.readers[input] -= 1 }
    let dying = inputs.filter { state.readers[$0] == 0 }
    let saved = dying.map { shared(index, $0) }.max() ?? 0
    state.peak = max(state.peak, state.live + bytes[layer.output] + layer.scratchBytes - saved)
    state.live += bytes[layer.output] - dying.reduce(0) { $0 + bytes[$1] }
    if state.readers[layer.output] == 0 { state.live -= bytes[layer.output] }
    state.done[index] = true
    state.order.append(index)
    return state
  }
}
