import Diagnostics
import Foundation
import Tensors

/// One epoch's batches, decoded ahead by threads of their own while the consumer works on an earlier one.
///
///     let queue = BatchQueue(batches, threads: 2)
///     while let batch = try queue.next() { … }
///
/// Batches come in order and hold the same bytes whatever the number of threads. At most `ahead` batches are in memory
/// besides the consumer's. Threads end with the queue.
public final class BatchQueue {
  private let work: Work
  private let count: Int
  private var number: Int

  /// - Parameters:
  ///   - first: number of the first batch wanted.
  ///   - threads: that decode; each takes some samples of a batch.
  ///   - ahead: batches decoded or being decoded at a time; nil: as many as 256 MiB hold, from 1 to 4.
  public init(_ batches: Batches, from first: Int = 0, threads: Int, ahead: Int? = nil) {
    let bytes = max(1, batches.size.multipliedReportingOverflow(by: batches.data.sampleShape.count * 4).partialValue)
    number = first
    work = Work(batches, from: first, ahead: max(1, ahead ?? min(4, (256 << 20) / bytes)))
    count = batches.count
    for _ in 0..<max(1, threads) {
      let work = work
      Thread.detachNewThread { work.run() }
    }
  }

  deinit { work.stop() }

  /// The next batch; nil after the last.
  ///
  /// - Throws: `CompressError` when its samples cannot be read: of several, the first.
  public func next() throws -> Batch? {
    guard number < count else { return nil }
    defer { number += 1 }
    return try work.take(number)
  }

  /// What the threads share.
  ///
  /// `@unchecked Sendable`: everything that changes is behind `condition`, but for the samples of a batch: each part of
  /// them is written by one thread, which says so under the lock when it is done.
  private final class Work: @unchecked Sendable {
    /// A batch that is being decoded.
    private final class Slot {
      let indices: [Int]
      let images: UnsafeMutableBufferPointer<Float>
      let labels: UnsafeMutableBufferPointer<Int32>
      /// First sample that nobody has taken.
      var next = 0
      var done = 0
      var failure: (at: Int, error: any Error)?

      init(_ indices: [Int], size: Int) {
        self.indices = indices
        images = .allocate(capacity: indices.count * size)
        images.initialize(repeating: 0)
        labels = .allocate(capacity: indices.count)
        labels.initialize(repeating: 0)
      }

      deinit {
        images.deallocate()
        labels.deallocate()
      }
    }

    private let batches: Batches
    private let size: Int
    private let ahead: Int
    private let condition = NSCondition()
    private var slots: [Int: Slot] = [:]
    /// Batches that the consumer has taken, or does not want.
    private var taken: Int
    private var isStopped = false

    /// Samples that a thread decodes at a time.
    private static let share = 4

    init(_ batches: Batches, from first: Int, ahead: Int) {
      self.batches = batches
      taken = first
      self.ahead = ahead
      size = batches.data.sampleShape.count
    }

    func stop() {
      condition.withLock {
        isStopped = true
        condition.broadcast()
      }
    }

    func run() {
      while let (slot, range) = claim() {
        var failure: (any Error)?
        do {
          try batches.data.read(
            Array(slot.indices[range]),
            images: UnsafeMutableBufferPointer(
              rebasing: slot.images[(range.lowerBound * size)..<(range.upperBound * size)]),
            labels: UnsafeMutableBufferPointer(rebasing: slot.labels[range]))
        } catch { failure = error }
        condition.withLock {
          slot.done += range.count
          if let failure, slot.failure.map({ range.lowerBound < $0.at }) ?? true {
            slot.failure = (range.lowerBound, failure)
          }
          if slot.done == slot.indices.count { condition.broadcast() }
        }
      }
    }

    /// Samples to decode, of the earliest batch that has any left; nil when there will be none.
    private func claim() -> (Slot, Range<Int>)? {
      condition.withLock {
        while !isStopped, taken < batches.count {
          for number in taken..<min(batches.count, taken + ahead) {
            let slot = slots[number] ?? Slot(batches.indices(number), size: size)
            slots[number] = slot
            guard slot.next < slot.indices.count else { continue }
            let range = slot.next..<min(slot.next + Self.share, slot.indices.count)
            slot.next = range.upperBound
            return (slot, range)
          }
          condition.wait()
        }
        return nil
      }
    }

    func take(_ number: Int) throws -> Batch {
      let slot = condition.withLock {
        while slots[number].map({ $0.done < $0.indices.count }) ?? true { condition.wait() }
        taken = number + 1
        condition.broadcast()
        return slots.removeValue(forKey: number)!
      }
      if let failure = slot.failure { throw failure.error }
      var images = Tensor(zeros: batches.data.sampleShape.batched(slot.indices.count))
      images.withMutable(Float.self) { _ = $0.update(fromContentsOf: slot.images) }
      return Batch(images: images, labels: Array(slot.labels))
    }
  }
}
