import Diagnostics
import Foundation
import Synchronization
import Testing

@testable import Kernels

@Suite struct ThreadPoolTests {
  @Test(arguments: [1, 2, 3, 8])
  func runsEachIndexOnce(_ threads: Int) throws {
    let pool = try ThreadPool(threads: threads, smallestWork: 0)
    #expect(pool.threads == threads)
    for count in [0, 1, 2, 7, 1000] {
      let hits = Guarded<Int>(max(count, 1), filling: 0), workers = Guarded<Int>(max(count, 1), filling: 0)
      pool.parallelFor(count) { index, worker in
        hits.base[index] += 1
        workers.base[index] = worker
      }
      #expect(hits.array.prefix(count).allSatisfy { $0 == 1 })
      #expect(workers.array.allSatisfy { (0..<threads).contains($0) })
      #expect(hits.isIntact)
    }
  }

  /// Many short loops, so that workers are caught spinning, sleeping and coming too late.
  @Test func manyShortLoops() throws {
    let pool = try ThreadPool(threads: 3, smallestWork: 0)
    let sums = Guarded<Int>(64, filling: 0)
    var expected = 0
    for round in 0..<3000 {
      let count = 1 + round % 64
      pool.parallelFor(count) { sums.base[$0] += 1 }
      expected += count
    }
    let total = sums.array.reduce(0, +)
    #expect(total == expected)
  }

  @Test func aLoopInsideALoopRunsInline() throws {
    let pool = try ThreadPool(threads: 3, smallestWork: 0)
    let hits = Guarded<Int>(100, filling: 0)
    pool.parallelFor(10) { outer in
      pool.parallelFor(10) { inner, worker in hits.base[outer * 10 + inner] += 1 + worker }
    }
    #expect(hits.array.allSatisfy { $0 == 1 })
  }

  @Test func loopsOfSeveralThreadsTakeTurns() async throws {
    let pool = try ThreadPool(threads: 2, smallestWork: 0)
    let totals = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<4 {
        group.addTask {
          let hits = Guarded<Int>(500, filling: 0)
          for _ in 0..<20 { pool.parallelFor(500) { hits.base[$0] += 1 } }
          return hits.array.reduce(0, +)
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(totals == [10_000, 10_000, 10_000, 10_000])
  }

  /// Every thread that works has been set up, once, whichever way its work comes to it.
  @Test func threadsAreSetUpBeforeTheirFirstWork() throws {
    let calls = Mutex([UInt: Int]()), workers = Mutex([Int]())
    let pool = try ThreadPool(threads: 3, smallestWork: 1000) { worker in
      calls.withLock { $0[UInt(pthread_self()), default: 0] += 1 }
      workers.withLock { $0.append(worker) }
    }
    let missing = Mutex(0)
    func check(_ pool: ThreadPool, _ count: Int) {
      pool.parallelFor(count) { _ in
        let isSetUp = calls.withLock { $0[UInt(pthread_self())] == 1 }
        if !isSetUp { missing.withLock { $0 += 1 } }
      }
    }
    check(pool.forWork(1), 5)  // runs on this thread
    #expect(calls.withLock { $0.count } == 1)
    check(pool, 1)
    for _ in 0..<200 { check(pool, 64) }
    let (all, each) = calls.withLock { ($0.count, Array($0.values)) }
    #expect(missing.withLock { $0 } == 0 && all <= 3 && each.allSatisfy { $0 == 1 })
    #expect(Set(workers.withLock { $0 }).count == all)
    // Another pool's may have replaced it.
    let other = try ThreadPool(threads: 1) { _ in }
    check(other.forWork(1), 0)
    other.parallelFor(1) { _ in }
    pool.parallelFor(1) { _ in }
    #expect(calls.withLock { $0[UInt(pthread_self())] } == 2)
  }

  @Test(arguments: [-1, 0, 1025])
  func refusesAbsurdNumbers(_ threads: Int) {
    let error = #expect(throws: CompressError.self) { try ThreadPool(threads: threads, smallestWork: 0) }
    #expect(error?.message == "the number of threads must be from 1 to 1024, not \(threads)")
  }

  @Test func serialHasOneThread() {
    var order = [Int]()
    ThreadPool.serial.parallelFor(5) { order.append($0) }
    #expect(order == [0, 1, 2, 3, 4] && ThreadPool.serial.threads == 1)
  }
}
