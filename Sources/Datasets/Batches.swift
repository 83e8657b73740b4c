import Diagnostics
import Tensors

/// The order in which an epoch visits the samples.
public enum BatchOrder: Sendable, Hashable {
  case sequential
  /// Another order each epoch; the same seed and epoch always give the same one.
  case shuffled(seed: UInt64)

  /// A permutation of 0..<count.
  public func indices(_ count: Int, epoch: Int) -> [Int] {
    switch self {
    case .sequential: return Array(0..<count)
    case .shuffled(let seed):
      var random = SeededRandom(seed: seed).stream("shuffle epoch \(epoch)")
      return random.permutation(count)
    }
  }
}

/// One epoch of a data set cut into batches. Only the batch asked for is in memory.
public struct Batches: Sendable {
  /// As this epoch sees it.
  public let data: any Dataset
  /// Samples per batch; the last one may have fewer.
  public let size: Int
  /// Number of batches.
  public let count: Int
  private let order: [Int]

  /// - Parameters:
  ///   - epoch: counted from 0; matters when shuffled or augmented.
  ///   - dropsLast: leaves out the samples that do not fill a batch.
  /// - Throws: `CompressError` unless `size` is positive.
  public init(
    _ data: any Dataset, size: Int, order: BatchOrder = .sequential, epoch: Int = 0, dropsLast: Bool = false
  ) throws {
    guard size > 0 else { throw CompressError("a batch has at least one sample, not \(size)") }
    self.data = data.atEpoch(epoch)
    self.size = size
    self.order = order.indices(data.count, epoch: epoch)
    let full = data.count / size
    count = dropsLast || data.count % size == 0 ? full : full + 1
  }

  /// The samples of batch `number`, as indices into the data set.
  public func indices(_ number: Int) -> [Int] {
    precondition((0..<count).contains(number), "batch \(number) of \(count)")
    let start = number * size
    return Array(order[start..<(start + min(size, order.count - start))])
  }

  /// Batch `number`, in tensors of its own.
  public func batch(_ number: Int) throws -> Batch { try data.batch(indices(number)) }

  /// Calls `body` with one batch after the other, decoded ahead by so many threads where that pays.
  public func forEach(threads: Int, _ body: (Batch) throws -> Void) throws {
    let ahead = data.decodesOnRead ? BatchQueue(self, threads: threads) : nil
    for number in 0..<count { try body(try ahead?.next() ?? batch(number)) }
  }

  /// Batch `number`, into buffers with room for `size` samples; returns how many it has.
  public func read(
    _ number: Int, images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
  ) throws -> Int {
    let indices = indices(number)
    try data.read(indices, images: images, labels: labels)
    return indices.count
  }
}
