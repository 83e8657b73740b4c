import Diagnostics
import Files
import Foundation
import Tensors
import Testing

@testable import Datasets

/// A folder of the test's own, removed with it.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/compress-tests-" + UUID().uuidString
    try Folders.create(path)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    let file = path + "/" + name
    try Folders.create(Folders.parent(of: file))
    try AtomicFile.write(bytes, to: file)
    return file
  }

  /// The bytes as they are, or gzipped when the name ends so.
  func idx(_ name: String, _ dims: [Int], _ elements: [UInt8], type: UInt8 = 8) throws -> String {
    let bytes = idxBytes(dims, elements, type: type)
    return try file(name, name.hasSuffix(".gz") ? bytes.withUnsafeBytes { try Gzip.deflate($0) } : bytes)
  }
}

func idxBytes(_ dims: [Int], _ elements: [UInt8], type: UInt8 = 8) -> [UInt8] {
  [0, 0, type, UInt8(dims.count)] + dims.flatMap { dim in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: dim >> $0) } }
    + elements
}

/// The `CompressError` that `body` throws; the test fails when it throws none.
func failure<R>(_ body: () throws -> R, sourceLocation: SourceLocation = #_sourceLocation) throws -> CompressError {
  try #require(throws: CompressError.self, sourceLocation: sourceLocation) { _ = try body() }
}

/// Sample `i` is two pixels, i/255 and 0, of class i modulo 3.
struct CountingDataset: Dataset {
  let name = "counting"
  let count: Int
  let sampleShape: Shape = [1, 2, 1]
  let classCount = 3
  var identity: DatasetIdentity { DatasetIdentity(.recipe("counting to \(count)")) }

  func read(
    _ indices: [Int], images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
  ) throws {
    for (k, index) in indices.enumerated() {
      images[2 * k] = Float(index) / 255
      images[2 * k + 1] = 0
      labels[k] = Int32(index % 3)
    }
  }
}

extension Dataset {
  /// The numbers of a `CountingDataset`'s samples.
  var numbers: [Int] {
    get throws {
      let pixels = try batch(0..<count).images.array(Float.self)
      return stride(from: 0, to: 2 * count, by: 2).map { Int((pixels[$0] * 255).rounded()) }
    }
  }
}

/// FNV-1a over the pixels as bytes.
func hash(_ images: Tensor) -> UInt64 {
  images.array(Float.self).reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64(($1 * 255).rounded())) &* 0x100_0000_01B3 }
}

/// Where the data set lies in the developers' data; nil, said aloud, when it is not there.
func testData(_ folder: String) -> [String]? {
  let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  let roots = [
    ProcessInfo.processInfo.environment["COMPRESS_TEST_DATA"],
    package.deletingLastPathComponent().appendingPathComponent("shared/data").path,
  ].compactMap { $0 }.filter { FileManager.default.fileExists(atPath: "\($0)/\(folder)") }
  guard roots.isEmpty else { return roots }
  print("SKIPPED: \(folder) is not here; set COMPRESS_TEST_DATA to a folder holding \(folder)/ to check against it")
  return nil
}

/// Samples given in full.
struct GivenDataset: Dataset {
  let name = "given"
  let sampleShape: Shape
  let samples: [[Float]]
  let classCount = 2
  var count: Int { samples.count }
  var identity: DatasetIdentity { DatasetIdentity(.recipe("given")) }

  init(_ shape: Shape, _ samples: [[Float]]) {
    sampleShape = shape
    self.samples = samples
  }

  func read(
    _ indices: [Int], images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
  ) throws {
    for (k, index) in indices.enumerated() {
      for (i, value) in samples[index].enumerated() { images[k * sampleShape.count + i] = value }
      labels[k] = Int32(index % 2)
    }
  }
}

/// The bytes with one to three things wrong: flipped, replaced, cut, added, a length changed, a piece repeated.
func damaged(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
  var bytes = bytes
  for _ in 0...random.below(3) {
    guard !bytes.isEmpty else { return bytes }
    switch random.below(6) {
    case 0: bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
    case 1: bytes[random.below(bytes.count)] = [0, 1, 8, 127, 128, 255][random.below(6)]
    case 2: bytes = Array(bytes.prefix(random.below(bytes.count)))
    case 3: bytes.append(UInt8(random.below(256)))
    case 4:  // an extent, or part of one
      let at = random.below(min(20, bytes.count))
      for i in at..<min(at + 4, bytes.count) { bytes[i] = random.below(2) == 0 ? 0xFF : 0 }
    default:
      let at = random.below(bytes.count)
      bytes.insert(contentsOf: bytes[at..<min(at + 8, bytes.count)], at: at)
    }
  }
  return bytes
}
