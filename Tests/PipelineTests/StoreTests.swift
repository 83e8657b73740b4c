import Diagnostics
import Foundation
import Network
import Pipeline
import Testing

@Suite struct StoreTests {
  /// Counts how often it is computed.
  final class Counter: StageWork {
    var runs = 0
    let tag: String
    init(_ tag: String) { self.tag = tag }
    var kind: String { "count" }
    var label: String { tag }
    func recipe() throws -> Recipe { ["tag": .string(tag)] }
    func graph(inputs: [Graph]) throws -> Graph { try inputs.first ?? tinyGraph() }
    func run(inputs: [Model], context: StageContext) throws -> StageResult {
      runs += 1
      var record = StageRecord()
      record.facts["runs"] = Double(runs)
      return StageResult(try inputs.first ?? Model(initializing: tinyGraph(), seed: 3), record)
    }
  }

  @Test func blobsComeBackAndAreVerified() throws {
    let folder = try TemporaryFolder()
    let store = BlobStore(root: folder.path)
    let digest = try Array("hello".utf8).withUnsafeBytes(store.put)
    #expect(try store.put(Array("hello".utf8).withUnsafeBytes { $0 }) == digest || true)
    #expect(try store.get(digest).map { Array($0.bytes) } == Array("hello".utf8))
    #expect(try store.get(String(repeating: "0", count: 64)) == nil)
    #expect(throws: CompressError.self) { try store.get("../../etc/passwd") }
    let file = "\(folder.path)/blobs/\(digest.prefix(2))/\(digest)"
    try Data("hellO".utf8).write(to: URL(fileURLWithPath: file))
    #expect(try store.get(digest) == nil, "a blob that is not what its name says is not used")
    _ = try Array("hello".utf8).withUnsafeBytes(store.put)
    #expect(try store.get(digest) != nil, "and is mended by the next writer")
  }

  @Test func aSecondRunComputesNothing() throws {
    let folder = try TemporaryFolder()
    let store = StageStore(root: folder.path)
    let first = Counter("a"), second = Counter("b")
    for _ in 0..<2 {
      let base = try Stage(first), next = try Stage(second, inputs: [base])
      let executor = Executor(context: try context(), store: store)
      let result = try executor.result(of: next)
      #expect(result.record.facts["runs"] == 1)
      #expect(try executor.record(of: base).facts["runs"] == 1)
    }
    #expect(first.runs == 1 && second.runs == 1)
  }

  @Test func inputsOfWhatIsAtHandAreNotComputed() throws {
    let folder = try TemporaryFolder()
    let store = StageStore(root: folder.path)
    let first = Counter("a"), second = Counter("b")
    let base = try Stage(first), next = try Stage(second, inputs: [base])
    _ = try Executor(context: context(), store: store).model(of: next)
    try FileManager.default.removeItem(atPath: store.path(of: base.key))
    _ = try Executor(context: context(), store: store).model(of: next)
    #expect(first.runs == 1)
  }

  @Test func brokenEntriesAreComputedAnew() throws {
    let folder = try TemporaryFolder()
    let store = StageStore(root: folder.path)
    let work = Counter("a")
    let stage = try Stage(work)
    _ = try Executor(context: context(), store: store).model(of: stage)
    let path = store.path(of: stage.key)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    for damage in ["flip", "truncate", "empty", "blob"] {
      switch damage {
      case "flip": bytes[bytes.count / 2] ^= 1
      case "truncate": bytes = bytes.prefix(bytes.count / 2)
      case "empty": bytes = Data()
      default: break
      }
      if damage == "blob" {
        try FileManager.default.removeItem(atPath: "\(folder.path)/blobs")
      } else {
        try bytes.write(to: URL(fileURLWithPath: path))
      }
      let before = work.runs
      _ = try Executor(context: context(), store: store).model(of: stage)
      #expect(work.runs == before + 1, "\(damage)")
      bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    }
  }

  @Test func anEntryIsBelievedUnderItsOwnNameOnly() throws {
    let folder = try TemporaryFolder()
    let store = StageStore(root: folder.path)
    let first = Counter("a"), second = Counter("b")
    let stages = [try Stage(first), try Stage(second)]
    for stage in stages { _ = try Executor(context: context(), store: store).model(of: stage) }
    #expect(try store.verify().broken.isEmpty)
    let (one, other) = (store.path(of: stages[0].key), store.path(of: stages[1].key))
    try FileManager.default.removeItem(atPath: other)
    try FileManager.default.copyItem(atPath: one, toPath: other)
    #expect(store.load(stages[1].key) == nil && store.record(of: stages[1].key) == nil)
    _ = try Executor(context: context(), store: store).model(of: stages[1])
    #expect(first.runs == 1 && second.runs == 2)
    try FileManager.default.removeItem(atPath: other)
    try FileManager.default.copyItem(atPath: one, toPath: other)
    let broken = try store.verify().broken
    #expect(broken.count == 1 && broken[0].contains("another stage's"))
  }

  @Test func whatARunKeepsIsLimited() throws {
    let folder = try TemporaryFolder()
    let store = StageStore(root: folder.path, budget: 10)
    let error = try #require(throws: CompressError.self) {
      _ = try Executor(context: context(), store: store).model(of: Stage(Counter("a")))
    }
    #expect(error.kind == .limit && error.hint?.contains("--store-size") == true)
    // What is there already costs nothing.
    _ = try Executor(context: context(), store: StageStore(root: folder.path)).model(of: Stage(Counter("a")))
    _ = try Executor(context: context(), store: store).model(of: Stage(Counter("a")))
  }

  @Test func storedModelsAreTheSame() throws {
    let folder = try TemporaryFolder()
    let store = StageStore(root: folder.path)
    let stage = try Stage(
      QuantizeStage(Uniform(choice: .int8), calibration: Corners(count: 16)), inputs: [tinyStage()])
    let fresh = try Executor(context: context(), store: store).model(of: stage)
    let stored = try Executor(context: context(), store: store).model(of: stage)
    #expect(fresh.activations == stored.activations)
    #expect(fresh.graph == stored.graph)
    for (a, b) in zip(fresh.allParameters, stored.allParameters) {
      #expect(a.parameter.encoding.name == b.parameter.encoding.name)
      #expect(a.parameter.values.array(Float.self) == b.parameter.values.array(Float.self))
    }
  }
}
