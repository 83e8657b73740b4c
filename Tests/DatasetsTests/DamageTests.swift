import Diagnostics
import Files
import Foundation
import Tensors
import Testing

@testable import Datasets

/// Seeded damage of what data sets are read from: what comes of it is a `CompressError` or data, never a crash.
/// Hundreds of thousands of times when COMPRESS_SOAK is set.
struct DamageTests {
  private static func rounds(_ few: Int) -> Int {
    ProcessInfo.processInfo.environment["COMPRESS_SOAK"] == nil ? few : few * 200
  }

  /// Damages one of `originals` in each round and hands it to `body`, which says whether it was taken for whole.
  private func damage(
    _ originals: [[UInt8]], seed: Int, rounds: Int, _ body: ([UInt8], inout SeededRandom) throws -> Void
  ) -> Int {
    var random = SeededRandom(seed: UInt64(seed)), accepted = 0
    for round in 0..<rounds {
      let bytes = damaged(originals[random.below(originals.count)], &random)
      do {
        try body(bytes, &random)
        accepted += 1
      } catch { #expect(error is CompressError, "seed \(seed), round \(round): \(error)") }
    }
    return accepted
  }

  private func deflated(_ bytes: [UInt8]) throws -> [UInt8] { try bytes.withUnsafeBytes { try Gzip.deflate($0) } }

  /// Not through AtomicFile: a million flushes to the disk would be the whole test.
  private func put(_ bytes: [UInt8], _ path: String) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test(arguments: 0..<2) func cifar(_ run: Int) throws {
    let folder = try TemporaryFolder()
    let plain = CIFARTests.record(1, labels: [3]) + CIFARTests.record(2, labels: [9])
    let layout = CIFARLayout(labelBytes: 1, label: 0, classCount: 10)
    let rounds = Self.rounds(150)
    let accepted = damage([plain, try deflated(plain)], seed: run, rounds: rounds) { bytes, _ in
      let data = try CIFARDataset(
        name: "t", files: [try put(bytes, folder.path + "/x")], layout: layout, memory: DataMemory(limit: 1 << 20))
      #expect(try data.batch(0..<data.count).labels.allSatisfy { (0..<10).contains($0) })
    }
    #expect(accepted > 0 && accepted < rounds)
  }

  @Test(arguments: 0..<2) func numpy(_ run: Int) throws {
    let folder = try TemporaryFolder()
    let x = npy("|u1", [3, 2, 2], [UInt8](0..<12)), f = npy("<f4", [3, 4], [UInt8](repeating: 63, count: 48))
    let y = npy("<i2", [3], [0, 0, 2, 0, 1, 0])
    let rounds = Self.rounds(200)
    let arrays = damage([x, f], seed: run, rounds: rounds) { bytes, random in
      let samples = try put(bytes, folder.path + "/x.npy")
      let labels = try put(random.below(2) == 0 ? y : damaged(y, &random), folder.path + "/y.npy")
      let data = try NumPyDataset(name: "t", samples: .init(file: samples), labels: .init(file: labels))
      #expect(try data.batch(0..<data.count).images.count == data.count * data.sampleShape.count)
    }
    #expect(arrays > 0 && arrays < rounds)
    let archives = try [true, false].map { try zip([("x.npy", x), ("y.npy", y)], deflated: $0) }
    let unpacked = damage(archives, seed: run, rounds: rounds) { bytes, _ in
      let file = try put(bytes, folder.path + "/x.npz")
      let data = try NumPyDataset(
        name: "t", samples: .init(file: file, member: "x"), labels: .init(file: file, member: "y"),
        memory: DataMemory(limit: 1 << 20))
      #expect(try data.batch(0..<data.count).labels.count == data.count)
    }
    #expect(unpacked > 0 && unpacked < rounds)
  }

  @Test(arguments: 0..<2) func images(_ run: Int) throws {
    let png = try SampleImages.png(
      width: 32, height: 16, channels: 3, (0..<1536).map { UInt8(truncatingIfNeeded: $0 * 7) })
    let originals = [
      SampleImages.baseline, SampleImages.progressive, SampleImages.grey, SampleImages.cmyk, png,
      try SampleImages.png(width: 5, height: 3, channels: 4, [UInt8](0..<60)),
    ]
    let rounds = Self.rounds(400)
    let accepted = damage(originals, seed: run, rounds: rounds) { bytes, random in
      try bytes.withUnsafeBytes { bytes in
        // A header that lies about its size within the limit costs time, not more.
        let (height, width) = try ImageDecoder.size(bytes)
        guard height * width < 1 << 22 else { throw CompressError("too large for this test") }
        let picture = try ImageDecoder.decode(bytes, shortestSide: [1, 4, .max][random.below(3)])
        #expect(picture.bytes.count == picture.height * picture.width * 3)
      }
    }
    #expect(accepted > 0 && accepted < rounds)
  }

  @Test(arguments: 0..<2) func imageFolders(_ run: Int) throws {
    let folder = try TemporaryFolder()
    let whole = try folder.file("a/0.jpg", SampleImages.baseline)
    var options = ImageFolder.Options()
    options.side = 8
    options.shortSide = 9
    options.broken = .skip
    _ = damage([SampleImages.baseline, SampleImages.progressive], seed: run, rounds: Self.rounds(50)) { bytes, _ in
      _ = try put(bytes, folder.path + "/a/1.jpg")
      let data = try ImageFolder(name: "t", folder: folder.path, options: options)
      #expect(data.count == 1 || data.count == 2)
      #expect(try data.batch(0..<data.count).images.array(Float.self).allSatisfy { (-0.01...1.01).contains($0) })
    }
    #expect(Folders.isFile(whole))
  }
}
