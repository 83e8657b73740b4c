import Diagnostics
import Files
import Foundation
import Tensors
import Testing

@testable import Datasets

/// Seeded damage of IDX files: what comes of it is a `CompressError` or data, never a crash. A million times when
/// COMPRESS_SOAK is set.
struct IDXDamageTests {
  private static let rounds = ProcessInfo.processInfo.environment["COMPRESS_SOAK"] == nil ? 500 : 250_000

  @Test(arguments: 0..<4) func damagedFiles(_ run: Int) throws {
    let folder = try TemporaryFolder()
    var random = SeededRandom(seed: UInt64(run))
    let plain = [idxBytes([3, 4, 5], [UInt8](0..<60)), idxBytes([3], [2, 0, 1])]
    let packed = try plain.map { bytes in try bytes.withUnsafeBytes { try Gzip.deflate($0) } }
    var accepted = 0
    for _ in 0..<Self.rounds {
      let files = try (0..<2).map { index in
        let whole = random.below(2) == 0 ? plain[index] : packed[index]
        let bytes = random.below(3) == 0 ? whole : damaged(whole, &random)
        let path = "\(folder.path)/\(index)"
        // Not through AtomicFile: a million flushes to the disk would be the whole test.
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
      }
      do {
        let data = try IDXDataset(
          name: "t", images: files[0], labels: files[1], classCount: random.below(2) == 0 ? 3 : nil)
        let batch = try data.batch(0..<data.count)
        #expect(batch.images.count == data.count * data.sampleShape.count)
        #expect(batch.labels.allSatisfy { (0..<Int32(data.classCount)).contains($0) })
        accepted += 1
      } catch {
        #expect(error is CompressError, "\(error)")
      }
    }
    #expect(accepted > Self.rounds / 50)
  }
}
