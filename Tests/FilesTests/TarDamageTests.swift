import Diagnostics
import Foundation
import Tensors
import Testing

@testable import Files

/// Seeded damage of archives: a `CompressError` or files, never a crash. A million times when COMPRESS_SOAK is set.
struct TarDamageTests {
  private static let rounds = ProcessInfo.processInfo.environment["COMPRESS_SOAK"] == nil ? 500 : 500_000

  @Test(arguments: 0..<2) func damagedArchives(_ run: Int) throws {
    let folder = try TemporaryFolder()
    let plain =
      TarReaderTests.entry("a/b", [UInt8](repeating: 1, count: 700)) + TarReaderTests.entry("c", [2])
      + TarReaderTests.end
    let packed = try plain.withUnsafeBytes { try Gzip.deflate($0) }
    var random = SeededRandom(seed: UInt64(run)), accepted = 0
    for round in 0..<Self.rounds {
      var bytes = random.below(2) == 0 ? plain : packed
      for _ in 0...random.below(3) {
        let at = random.below(bytes.count)
        switch random.below(4) {
        case 0: bytes[at] ^= 1 << UInt8(random.below(8))
        case 1: bytes.removeSubrange(at..<min(at + 1 + random.below(600), bytes.count - 1))
        case 2: bytes.insert(contentsOf: bytes[at..<min(at + 512, bytes.count)], at: at)
        default:  // a header's field, its checksum mended
          guard bytes.count >= 512 else { continue }
          bytes[[124, 130, 156, 0, 257, 345][random.below(6)]] = UInt8(random.below(256))
          let sum = bytes[..<512].enumerated().reduce(0) {
            $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element))
          }
          let digits = String(sum, radix: 8)
          bytes.replaceSubrange(148..<154, with: (String(repeating: "0", count: 6 - digits.count) + digits).utf8)
        }
      }
      let path = folder.path + "/x.tar"
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      do {
        let reader = try TarReader(path)
        while let entry = try reader.next() {
          #expect(!entry.path.hasPrefix("/") && !entry.path.split(separator: "/").contains(".."))
          var count = 0
          try reader.read { count += $0.count }
          #expect(count == entry.size)
        }
        accepted += 1
      } catch { #expect(error is CompressError, "seed \(run), round \(round): \(error)") }
    }
    #expect(accepted > 0 && accepted < Self.rounds)
  }
}
