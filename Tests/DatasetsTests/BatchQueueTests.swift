import Diagnostics
import Foundation
import Synchronization
import Tensors
import Testing

@testable import Datasets

struct BatchQueueTests {
  @Test(arguments: [(1, 1), (3, 1), (2, 2), (5, 3)])
  func batchesComeInOrderAndWhole(threads: Int, ahead: Int) throws {
    let data = CountingDataset(count: 103)
    for epoch in 0..<2 {
      let batches = try Batches(data, size: 10, order: .shuffled(seed: 4), epoch: epoch)
      let queue = BatchQueue(batches, threads: threads, ahead: ahead)
      for number in 0..<batches.count {
        let batch = try #require(try queue.next()), expected = try batches.batch(number)
        #expect(batch.labels == expected.labels)
        #expect(batch.images.shape == expected.images.shape)
        #expect(batch.images.array(Float.self) == expected.images.array(Float.self))
      }
      #expect(try queue.next() == nil)
      #expect(try queue.next() == nil)
    }
  }

  @Test func itMayBeginLater() throws {
    let batches = try Batches(CountingDataset(count: 40), size: 10)
    let queue = BatchQueue(batches, from: 2, threads: 2)
    #expect(try queue.next()?.labels == batches.batch(2).labels)
    #expect(try queue.next()?.labels == batches.batch(3).labels)
    #expect(try queue.next() == nil)
    #expect(try BatchQueue(try Batches(CountingDataset(count: 0), size: 10), threads: 1).next() == nil)
  }

  /// Counts what is read, and fails for some samples.
  final class Watched: Dataset {
    let name = "watched"
    let count = 1000
    let sampleShape: Shape = [1]
    let classCount = 1
    let identity = DatasetIdentity(.recipe("watched"))
    let decodesOnRead = true
    let failing: ClosedRange<Int>
    let reads = Mutex<[Int]>([])

    init(failing: ClosedRange<Int> = 5000...5000) { self.failing = failing }

    func read(
      _ indices: [Int], images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
    ) throws {
      reads.withLock { $0 += indices }
      if let bad = indices.first(where: failing.contains) { throw CompressError("sample \(bad)") }
      for k in indices.indices { (images[k], labels[k]) = (1, 0) }
    }
  }

  /// What is ahead is bounded, and stops with the queue.
  @Test func notMoreThanAskedFor() throws {
    let data = Watched()
    do {
      let queue = BatchQueue(try Batches(data, size: 10), threads: 4, ahead: 2)
      _ = try queue.next()
      _ = try queue.next()
      Thread.sleep(forTimeInterval: 0.2)
      #expect(data.reads.withLock { Set($0) } == Set(0..<40))
    }
    Thread.sleep(forTimeInterval: 0.1)
    #expect(data.reads.withLock { $0.count } == 40)
  }

  @Test func theFirstErrorIsTheOne() throws {
    let queue = BatchQueue(try Batches(Watched(failing: 12...18), size: 10), threads: 4)
    #expect(try queue.next()?.count == 10)
    #expect(try failure { try queue.next() }.message == "sample 12")
    #expect(try queue.next()?.count == 10)
  }

  @Test func forEachReadsAheadWhereThatPays() throws {
    var labels: [Int32] = []
    try Batches(CountingDataset(count: 25), size: 10).forEach(threads: 2) { labels += $0.labels }
    #expect(labels == (0..<25).map { Int32($0 % 3) })
    let data = Watched()
    var count = 0
    try Batches(data, size: 64).forEach(threads: 2) { count += $0.count }
    #expect(count == 1000)
    #expect(data.reads.withLock { $0.sorted() } == Array(0..<1000))
  }
}
