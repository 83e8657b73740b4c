import Foundation
import Kernels
import Network
import Synchronization
import Testing

@testable import Pipeline

/// What keeps processes out of each other's way; here they are threads with stores and slots of their own.
@Suite struct SharedWorkTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "compress-shared-\(UUID().uuidString)"
  ).path

  @Test func nobodyComputesWhileAnotherMeasures() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let computing = Mutex(0), seen = Mutex<[Int]>([]), done = Atomic<Int>(0), problems = Mutex<[String]>([])
    @Sendable func work(_ index: Int) throws {
      let slot = try MeasuringSlot(in: folder)
      try slot.enter()
      for round in 0..<20 {
        computing.withLock { $0 += 1 }
        Thread.sleep(forTimeInterval: 0.001)
        computing.withLock { $0 -= 1 }
        try slot.yield(waiting: {})
        guard round % 5 == index else { continue }
        try slot.alone(waiting: {}) {
          for _ in 0..<5 {
            seen.withLock { $0.append(computing.withLock { $0 }) }
            Thread.sleep(forTimeInterval: 0.001)
          }
        }
      }
      // Its locks end with it, as a process's do.
    }
    for index in 0..<3 {
      Thread {
        do { try work(index) } catch { problems.withLock { $0.append("\(error)") } }
        done.add(1, ordering: .relaxed)
      }.start()
    }
    while done.load(ordering: .relaxed) < 3 { Thread.sleep(forTimeInterval: 0.01) }
    #expect(problems.withLock { $0 } == [])
    #expect(seen.withLock { $0 }.count == 3 * 4 * 5)
    #expect(seen.withLock { $0 }.allSatisfy { $0 == 0 })
  }

  private final class Counting: StageWork {
    let count = Atomic<Int>(0)
    private let base: InitializeStage
    init() throws {
      base = InitializeStage(
        name: "tiny", network: try tinyGraph(), initialization: Initialization(.heNormal), seed: 1)
    }
    var kind: String { base.kind }
    var label: String { base.label }
    func recipe() throws -> Recipe { try base.recipe() }
    func graph(inputs: [Graph]) throws -> Graph { try base.graph(inputs: inputs) }
    func run(inputs: [Model], context: StageContext) throws -> StageResult {
      count.add(1, ordering: .relaxed)
      Thread.sleep(forTimeInterval: 0.2)
      return try base.run(inputs: inputs, context: context)
    }
  }

  @Test func aStageThatAnotherComputesIsWaitedFor() async throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let work = try Counting(), folder = folder
    nonisolated(unsafe) let shared = work
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<3 {
        group.addTask {
          let context = StageContext(pool: try ThreadPool(threads: 1))
          let executor = Executor(context: context, store: StageStore(root: folder))
          let stage = try Stage(shared)
          _ = try executor.result(of: stage)
          return executor.hasComputed(stage)
        }
      }
      var computed = 0
      for try await isComputed in group where isComputed { computed += 1 }
      #expect(computed == 1)
    }
    #expect(work.count.load(ordering: .relaxed) == 1)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/locks") == [])
  }

  @Test func whatAKilledProcessHeldIsNobodys() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = StageStore(root: folder), key = try Stage(Counting()).key
    let claim = try store.claim(key), other = try store.claim(key)
    #expect(claim.tryClaim() && !other.tryClaim())
    claim.release()
    #expect(other.tryClaim())
    other.release()
    _ = FileManager.default.createFile(atPath: folder + "/locks/\(key.digest).lock", contents: nil)
    #expect(try store.claim(key).tryClaim())
    store.removeUnheldClaims()
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/locks") == [])
  }
}
