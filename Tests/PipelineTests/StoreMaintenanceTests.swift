import Foundation
import Pipeline
import Testing

@Suite struct StoreMaintenanceTests {
  /// A store with one stage of a tiny network.
  private func filled(_ folder: TemporaryFolder) throws -> (store: StageStore, stage: Stage) {
    let store = StageStore(root: folder.path), stage = try tinyStage()
    _ = try Executor(context: context(), store: store).model(of: stage)
    return (store, stage)
  }

  private func files(_ folder: TemporaryFolder, _ part: String) -> [String] {
    (FileManager.default.enumerator(atPath: "\(folder.path)/\(part)")?.compactMap { $0 as? String } ?? [])
      .filter { $0.contains("/") }.map { "\(folder.path)/\(part)/\($0)" }
  }

  private func age(_ path: String, hours: Double) throws {
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -hours * 3600)], ofItemAtPath: path)
  }

  @Test func anEmptyStoreIsFine() throws {
    let store = StageStore(root: "/nonexistent/compress")
    #expect(try store.contents().stages.isEmpty)
    #expect(try store.collect(unusedFor: 0).stages == 0)
    #expect(try store.verify().broken.isEmpty)
  }

  @Test func contentsCountEachTensorOnce() throws {
    let folder = try TemporaryFolder()
    let (store, stage) = try filled(folder)
    let contents = try store.contents()
    #expect(contents.stages.map(\.label) == ["tiny"] && contents.stages[0].key == stage.key.digest)
    #expect(contents.blobs == files(folder, "blobs").count && contents.unnamedBlobs == 0 && contents.brokenStages == 0)
    let sizes = try (files(folder, "blobs") + files(folder, "stages"))
      .map { try #require(try FileManager.default.attributesOfItem(atPath: $0)[.size] as? Int) }
    #expect(contents.bytes == sizes.reduce(0, +) && contents.stages[0].bytes == contents.bytes)
  }

  @Test func onlyWhatIsOldAndUnnamedGoes() throws {
    let folder = try TemporaryFolder()
    let (store, stage) = try filled(folder)
    let blobs = files(folder, "blobs").count
    for file in files(folder, "blobs") { try age(file, hours: 50) }
    #expect(try store.collect(unusedFor: nil).blobs == 0, "a stage names them")
    #expect(try store.collect(unusedFor: 86_400).stages == 0, "the stage is young")

    try age(store.path(of: stage.key), hours: 50)
    #expect(store.load(stage.key) != nil)
    #expect(try store.collect(unusedFor: 86_400).stages == 0, "reading a stage makes it young")

    try age(store.path(of: stage.key), hours: 50)
    let removal = try store.collect(unusedFor: 86_400)
    #expect(removal.stages == 1 && removal.blobs == blobs && removal.young == 0)
    #expect(try store.contents().bytes == 0)
  }

  @Test func whatARunMayBeWritingStays() throws {
    let folder = try TemporaryFolder()
    let store = StageStore(root: folder.path), blobs = BlobStore(root: folder.path)
    let digest = try Array("tensor".utf8).withUnsafeBytes(blobs.put)
    let file = "\(folder.path)/blobs/\(digest.prefix(2))/\(digest)"
    #expect(try store.collect(unusedFor: -.infinity).young == 1)
    try age(file, hours: 2)
    _ = try Array("tensor".utf8).withUnsafeBytes(blobs.put)
    #expect(try store.collect(unusedFor: nil).young == 1, "a writer that met it made it young")
    try age(file, hours: 2)
    #expect(try store.collect(unusedFor: nil).blobs == 1)
  }

  @Test func leftoversOfInterruptedWritersGo() throws {
    let folder = try TemporaryFolder()
    let (store, _) = try filled(folder)
    let blob = try #require(files(folder, "blobs").first)
    let old = URL(fileURLWithPath: blob).deletingLastPathComponent().path + "/.compress-abc.tmp",
      young = old.replacing("abc", with: "def")
    let foreign = URL(fileURLWithPath: blob).deletingLastPathComponent().path + "/README"
    for path in [old, young, foreign] { try Data("x".utf8).write(to: URL(fileURLWithPath: path)) }
    for path in [old, foreign] { try age(path, hours: 2) }
    _ = try store.collect(unusedFor: nil)
    #expect(!FileManager.default.fileExists(atPath: old) && FileManager.default.fileExists(atPath: young))
    #expect(FileManager.default.fileExists(atPath: foreign), "not ours")
  }

  @Test func verificationRemovesWhatIsBroken() throws {
    let folder = try TemporaryFolder()
    let (store, stage) = try filled(folder)
    #expect(try store.verify().broken.isEmpty)
    let blob = try #require(files(folder, "blobs").first)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: blob))
    bytes[0] ^= 1
    try bytes.write(to: URL(fileURLWithPath: blob))
    let broken = try store.verify().broken
    #expect(broken.count == 2 && broken[1].contains("tiny"), "the blob, and the stage that names it: \(broken)")
    #expect(!store.contains(stage.key) && !FileManager.default.fileExists(atPath: blob))

    _ = try Executor(context: context(), store: store).model(of: stage)
    try Data("{}".utf8).write(to: URL(fileURLWithPath: store.path(of: stage.key)))
    #expect(try store.contents().brokenStages == 1)
    #expect(try store.verify().broken.count == 1)
    #expect(try store.verify().broken.isEmpty)
  }
}
