import Datasets
import Files
import Foundation
import Pipeline
import Testing

@Suite struct UnpackedDataTests {
  private let folder: TemporaryFolder
  private let images: String
  private let labels: String
  /// Of 1.2 MB: enough to be kept.
  private static let count = 1500

  init() throws {
    folder = try TemporaryFolder()
    func header(_ dims: [Int]) -> [UInt8] {
      [0, 0, 8, UInt8(dims.count)] + dims.flatMap { [UInt8(0), UInt8(0), UInt8($0 >> 8), UInt8($0 & 255)] }
    }
    let pixels = (0..<Self.count * 784).map { UInt8(truncatingIfNeeded: $0 / 7 ^ $0 / 784) }
    images = folder.path + "/images.gz"
    labels = folder.path + "/labels"
    try AtomicFile.write((header([Self.count, 28, 28]) + pixels).withUnsafeBytes { try Gzip.deflate($0) }, to: images)
    try AtomicFile.write(header([Self.count]) + (0..<Self.count).map { UInt8($0 % 10) }, to: labels)
  }

  private func pixels(_ store: StageStore?, limit: Int = DataMemory.standardLimit) throws -> [Float] {
    let memory = DataMemory(limit: limit, store: store)
    let data = try IDXDataset(name: "t", images: images, labels: labels, memory: memory)
    let pixels = try data.batch([0, 700, Self.count - 1]).images.array(Float.self)
    #expect(memory.inUse == Self.count * 784, "it counts wherever it lies")
    return pixels
  }

  private func files(_ part: String) -> [String] {
    let names = FileManager.default.enumerator(atPath: "\(folder.path)/store/\(part)")?.compactMap { $0 as? String }
    return (names ?? []).filter { $0.contains("/") }.map { "\(folder.path)/store/\(part)/\($0)" }
  }

  @Test func aNameOfAnotherFileIsNotBelieved() throws {
    let store = StageStore(root: folder.path + "/store"), bytes = [UInt8](repeating: 7, count: 10)
    let keys = [Digest.of("a"), Digest.of("b")]
    _ = try bytes.withUnsafeBytes { try store.keep($0, as: keys[0]) }
    #expect(store.content(keys[0])?.bytes.count == 10)
    let one = try #require(files("unpacked").first)
    try Folders.create(folder.path + "/store/unpacked/" + keys[1].prefix(2))
    try FileManager.default.copyItem(
      atPath: one, toPath: folder.path + "/store/unpacked/\(keys[1].prefix(2))/\(keys[1]).name")
    #expect(store.content(keys[1]) == nil)
  }

  @Test func isKeptOnceAndTheSame() throws {
    let store = StageStore(root: folder.path + "/store"), unkept = try pixels(nil)
    #expect(try pixels(store) == unkept)
    let blob = try #require(files("blobs").first), before = try FileVersion(of: blob)
    #expect(try pixels(store) == unkept)
    #expect(files("unpacked").count == 1 && files("blobs").count == 1)
    #expect(try FileVersion(of: blob) == before, "read, not written again")
    let contents = try store.contents()
    #expect(contents.unpacked == 1 && contents.unpackedBytes == Self.count * 784 && contents.unnamedBlobs == 0)
    #expect(try MappedFile(blob).bytes.count == Self.count * 784)
  }

  @Test func anotherFileIsAnotherPart() throws {
    let store = StageStore(root: folder.path + "/store")
    _ = try pixels(store)
    let bytes = try Gzip.inflate(file: images, limit: 1 << 30)
    try AtomicFile.write((bytes.dropLast() + [77]).withUnsafeBytes { try Gzip.deflate($0) }, to: images)
    #expect(try pixels(store).last == 77 / 255)
    #expect(files("unpacked").count == 2)
  }

  @Test func whatBrokeIsUnpackedAnew() throws {
    let store = StageStore(root: folder.path + "/store"), right = try pixels(store)
    let blob = try #require(files("blobs").first)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: blob))
    bytes[700 * 784 + 5] ^= 1
    try bytes.write(to: URL(fileURLWithPath: blob))
    #expect(try pixels(store) == right)
    #expect(try store.verify().broken.isEmpty, "it was mended")

    try FileManager.default.removeItem(atPath: blob)
    #expect(try store.verify().broken.count == 1 && files("unpacked").isEmpty)
    #expect(try pixels(store) == right)
    try Data("nonsense".utf8).write(to: URL(fileURLWithPath: #require(files("unpacked").first)))
    #expect(try pixels(store) == right)
  }

  @Test func whereItCannotBeKeptItIsReadAllTheSame() throws {
    let occupied = folder.path + "/occupied"
    try AtomicFile.write([1], to: occupied)
    #expect(try pixels(StageStore(root: occupied)) == pixels(nil))
  }

  @Test func theLimitHoldsAlsoForWhatIsKept() throws {
    let store = StageStore(root: folder.path + "/store")
    _ = try pixels(store)
    #expect(throws: (any Error).self) { try pixels(store, limit: 1000) }
  }

  @Test func isCollectedWhenItWasNotUsed() throws {
    let store = StageStore(root: folder.path + "/store")
    _ = try pixels(store)
    let old = Date(timeIntervalSinceNow: -50 * 3600)
    for file in files("blobs") + files("unpacked") {
      try FileManager.default.setAttributes([.modificationDate: old], ofItemAtPath: file)
    }
    let none = try store.collect(unusedFor: nil)
    #expect(none.unpacked == 0 && none.blobs == 0, "it names its blob")
    _ = try pixels(store)
    #expect(try store.collect(unusedFor: 86_400).unpacked == 0, "reading makes it young")
    let removal = try store.collect(unusedFor: -.infinity)
    #expect(removal.unpacked == 1 && removal.blobs == 1)
    #expect(try store.contents().bytes == 0)
  }
}
