import Diagnostics
import Foundation
import Kernels
import Synchronization
import Testing

@Suite struct CancellationTests {
  @Test(arguments: [1, 2, 4])
  func iterationsThatAreLeftAreSkipped(threads: Int) throws {
    let pool = try ThreadPool(threads: threads, smallestWork: 0), cancellation = Cancellation()
    let done = Atomic(0)
    Cancellation.$current.withValue(cancellation) {
      pool.parallelFor(100_000) { _ in
        if done.add(1, ordering: .relaxed).newValue == 100 { cancellation.request() }
      }
    }
    // Those under way on other threads were not cut short.
    #expect((100...100 + threads).contains(done.load(ordering: .relaxed)))
    done.store(0, ordering: .relaxed)
    pool.parallelFor(1000) { _ in done.add(1, ordering: .relaxed) }
    #expect(done.load(ordering: .relaxed) == 1000)
  }

  /// One product of a size that takes many seconds, and whose pieces take long themselves.
  @Test(arguments: [1, 2])
  func aHugeProductEndsOnRequest(threads: Int) throws {
    let pool = try ThreadPool(threads: threads), cancellation = Cancellation()
    let (m, n, k) = (181, 1 << 20, 181)
    let product = MatrixProduct(m: m, n: n, k: k)
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: product.scratchBytes, alignment: 64)
    defer { scratch.deallocate() }
    let a = [Float](repeating: 1, count: m * k), b = [Float](repeating: 1, count: k * n)
    var c = [Float](repeating: 0, count: m * n)
    let start = ContinuousClock.now
    let thread = Thread {
      Thread.sleep(forTimeInterval: 0.1)
      cancellation.request()
    }
    thread.start()
    Cancellation.$current.withValue(cancellation) {
      // Again and again, so that it takes long on any machine.
      for _ in 0..<1000 where !cancellation.isRequested {
        product.run(a: a, b: b, c: &c, scratch: scratch, pool: pool)
      }
    }
    #expect(ContinuousClock.now - start < .seconds(10))
    #expect(cancellation.isRequested)
    // Requested before: nothing is written.
    c = [Float](repeating: 7, count: m * n)
    Cancellation.$current.withValue(cancellation) { product.run(a: a, b: b, c: &c, scratch: scratch, pool: pool) }
    #expect(c.first == 7 && c.last == 7)
  }
}
