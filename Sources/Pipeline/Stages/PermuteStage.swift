import Compression
import Diagnostics
import Network

/// Brings channels that are alike together, so that weights pruned in blocks of neighbouring inputs lose less; the
/// function stays the same.
///
/// What its result looks like depends on the weights; until it is computed its structure is told as that of its input.
public struct PermuteStage: StageWork {
  /// Channels to a block.
  public let columns: Int

  /// - Throws: `CompressError` when the number of channels is out of range.
  public init(columns: Int) throws {
    guard (2...64).contains(columns) else { throw CompressError("blocks of \(columns) channels are not from 2 to 64") }
    self.columns = columns
  }

  public var kind: String { "permute" }
  public var label: String { "permute channels for blocks of \(columns)" }
  public func recipe() throws -> Recipe { ["columns": .int(columns)] }
  public func graph(inputs: [Graph]) throws -> Graph { inputs[0] }

  /// What is told is how much the largest tenth of the blocks holds.
  private static let share = 0.1

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    let order = ChannelOrder(inputs[0], blocksOf: columns)
    context.progress.begin(label, total: order.groups.groups.count)
    let orders = try order.orders(pool: context.pool) { done in
      try context.cancellation.check()
      context.progress.update(done: done, detail: "")
    }
    var result = StageResult(try order.model(in: orders))
    context.progress.end(detail: "\(orders.count) of \(order.groups.groups.count) groups of channels")
    let before = ChannelOrder.held(inputs[0], blocksOf: columns, by: Self.share)
    let after = ChannelOrder.held(result.model, blocksOf: columns, by: Self.share)
    result.record.facts["permuted_groups"] = Double(orders.count)
    result.record.facts["held_before"] = before
    result.record.facts["held"] = after
    let text = { (share: Double) in "\((share * 100).formatted(1)) %" }
    result.record.notes = [
      "a tenth of the blocks of 1x\(columns) holds \(text(after)) of a layer's magnitudes, \(text(before)) before"
    ]
    if orders.isEmpty {
      result.record.warn(
        "no channels were permuted: no layer reads more than \(columns) channels that may change places")
    }
    return result
  }
}
