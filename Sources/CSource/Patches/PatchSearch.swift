/// Whether first layers are computed patch by patch, and what that may cost.
public struct PatchOptions: Hashable, Sendable {
  public var isOn: Bool
  /// The stage's multiply-accumulates at most, as a multiple of those without patches.
  public var mostWork: Double
  /// Work that is done again has to save such a share of the arena at least.
  var leastSaving = 0.05

  public init(isOn: Bool = true, mostWork: Double = 1.5) {
    self.isOn = isOn
    self.mostWork = mostWork
  }
}

/// The stages that are worth a plan of memory, the most promising ones first.
struct PatchSearch {
  let stages: [PatchStage]

  /// - Parameters:
  ///   - bytes: that the arena has without patches.
  ///   - estimate: about the bytes of the arena with a stage.
  init(
    _ network: CNetwork, _ codes: [CLayer], _ order: [Int], below bytes: Int, _ options: PatchOptions,
    most: Int = 8, estimate: (PatchStage) -> Int
  ) {
    var found: [(stage: PatchStage, bytes: Int, macs: Int)] = []
    // First layers are what it is for; images are small behind them.
    for count in 2..<max(min(order.count, 32) + 1, 2) where options.isOn {
      guard let chain = PatchChain(network, codes, order, count: count) else { continue }
      let height = chain.layers[count - 1].shape[0], width = chain.layers[count - 1].shape[1]
      let across = Set((1...3).map { (width + $0 - 1) / $0 }).sorted().map { PatchAxis(chain, axis: 1, step: $0) }
      let steps = Set([1, 2, 3, 4].filter { $0 < height } + (1...8).map { (height + $0 - 1) / $0 })
      for down in steps.sorted().map({ PatchAxis(chain, axis: 0, step: $0) }) {
        for across in across where down.count * across.count > 1 {
          let stage = PatchStage(chain: chain, down: down, across: across), macs = stage.macs
          guard Double(macs) <= options.mostWork * Double(chain.macs) else { continue }
          let own = estimate(stage)
          if Double(own) < Double(bytes) * (1 - options.leastSaving) { found.append((stage, own, macs)) }
        }
      }
    }
    found.sort { ($0.bytes, $0.stage.macsAgain) < ($1.bytes, $1.stage.macsAgain) }
    stages = found.prefix(most).map(\.stage)
  }
}
