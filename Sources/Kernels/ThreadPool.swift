import CKernels
import Diagnostics

/// Threads that share out the iterations of a loop; the calling thread takes its part.
///
/// Iterations go to whoever is free, so the assignment varies from run to run: results must not depend on it.
/// Idle threads spin for some microseconds, then sleep. A loop inside a loop runs on the thread it is met on;
/// loops started by several threads at once take turns.
///
/// `@unchecked Sendable`: the handle is immutable, and the C pool behind it does its own locking.
public final class ThreadPool: @unchecked Sendable {
  /// The calling thread and nobody else.
  public static let serial = ThreadPool()

  private let handle: OpaquePointer?
  private let setUp: SetUp?
  /// The calling thread included.
  public let threads: Int
  /// Multiply-accumulates or the like below which a loop is not shared out.
  let smallestWork: Int

  /// Some microseconds of work, which is what it takes another thread to hear of it.
  public static let standardSmallestWork = 1 << 18

  private init() {
    handle = nil
    setUp = nil
    threads = 1
    smallestWork = .max
  }

  /// - Parameter smallestWork: loops of fewer multiply-accumulates stay on the calling thread; 0 shares out every one.
  /// - Parameter setUp: what every thread calls before its first work for this pool, the calling one included, and again
  ///   when it has worked for another pool that has one meanwhile. (Units with a state of their own need it, AMX tiles
  ///   for instance.)
  /// - Throws: `CompressError` when `threads` is outside 1...1024 or the machine refuses to start them.
  public init(
    threads: Int, smallestWork: Int = standardSmallestWork, setUp: (@Sendable (_ worker: Int) -> Void)? = nil
  ) throws {
    guard (1...1024).contains(threads) else {
      throw CompressError("the number of threads must be from 1 to 1024, not \(threads)")
    }
    let setUp = setUp.map { SetUp($0) }
    let context = setUp.map { Unmanaged.passUnretained($0).toOpaque() }
    let call: (@convention(c) (UnsafeMutableRawPointer?, Int) -> Void)? =
      setUp == nil ? nil : { Unmanaged<SetUp>.fromOpaque($0!).takeUnretainedValue().body($1) }
    guard let handle = ck_pool_create(threads, call, context) else {
      throw CompressError("could not start \(threads) threads", kind: .system)
    }
    self.handle = handle
    self.setUp = setUp
    self.threads = threads
    self.smallestWork = smallestWork
  }

  deinit {
    if let handle { ck_pool_destroy(handle) }
  }

  /// This pool, or the calling thread alone when so few operations are not worth handing out.
  func forWork(_ operations: Int) -> ThreadPool {
    guard operations < smallestWork else { return self }
    if setUp != nil { ck_pool_prepare(handle) }
    return .serial
  }

  /// Calls `body(index)` once for each index below `count`, on several threads at once.
  ///
  /// Once the running work was asked to stop (`Cancellation.current` of the calling thread) the indices that are left
  /// are skipped: whoever keeps a result checks before.
  ///
  /// The closure is deliberately not `@Sendable`, so that it can capture unsafe pointers; in return the caller
  /// vouches that different indices write different memory and that nothing they read is written meanwhile.
  public func parallelFor(_ count: Int, _ body: (_ index: Int) -> Void) {
    parallelFor(count) { index, _ in body(index) }
  }

  /// The same; `worker`, below `threads`, is different for iterations that run at the same time, and so is an
  /// index for scratch memory.
  public func parallelFor(_ count: Int, _ body: (_ index: Int, _ worker: Int) -> Void) {
    guard count > 0 else { return }
    let cancellation = Cancellation.current  // which the other threads do not inherit
    guard let handle, count > 1 else {
      if setUp != nil { ck_pool_prepare(handle) }
      for index in 0..<count {
        if cancellation?.isRequested == true { return }
        body(index, 0)
      }
      return
    }
    withExtendedLifetime(cancellation) {
      withoutActuallyEscaping(body) { body in
        withUnsafePointer(to: body) { pointer in
          ck_pool_run(
            handle, count, cancellation?.flag,
            { context, index, worker in context!.assumingMemoryBound(to: Body.self).pointee(index, worker) },
            UnsafeMutableRawPointer(mutating: pointer))
        }
      }
    }
  }

  private typealias Body = (_ index: Int, _ worker: Int) -> Void

  /// Calls `body` with what a C loop is to know: who works for it, and where a request to stop the running work shows.
  public func withWorkers<R>(_ body: (UnsafePointer<ck_workers>) throws -> R) rethrows -> R {
    let cancellation = Cancellation.current
    return try withExtendedLifetime(cancellation) {
      try withUnsafePointer(
        to: ck_workers(pool: handle, threads: threads, smallest_work: smallestWork, stop: cancellation?.flag), body)
    }
  }

  private final class SetUp: Sendable {
    let body: @Sendable (Int) -> Void
    init(_ body: @escaping @Sendable (Int) -> Void) { self.body = body }
  }
}
