import Files
import Foundation
import Tensors
import Testing

@testable import Datasets

struct CIFARTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// A record whose red, green and blue pixels are the sample's number and the next two, but for the first of each.
  static func record(_ number: Int, labels: [UInt8]) -> [UInt8] {
    labels + (0..<3).flatMap { c in [UInt8(200 + c)] + [UInt8](repeating: UInt8(number + c), count: 1023) }
  }

  func put(_ name: String, _ bytes: [UInt8]) throws -> String {
    try folder.file(name, name.hasSuffix(".gz") ? try bytes.withUnsafeBytes { try Gzip.deflate($0) } : bytes)
  }

  /// Two records in each of the six files.
  func putAll(_ place: String, _ suffix: String) throws {
    for (i, name) in (["test_batch"] + (1...5).map { "data_batch_\($0)" }).enumerated() {
      let bytes = Self.record(2 * i, labels: [UInt8(i)]) + Self.record(2 * i + 1, labels: [9])
      _ = try put("\(place)/\(name).bin\(suffix)", bytes)
    }
  }

  @Test(arguments: [("cifar10", ""), ("cifar-10-batches-bin", ".gz"), ("cifar10/cifar-10-batches-bin", "")])
  func imagesAreInterleaved(place: String, suffix: String) throws {
    try putAll(place, suffix)
    let pair = try DatasetCatalog.open("cifar10", roots: [folder.path])
    #expect(pair.train.count == 10)
    #expect(pair.test.count == 2)
    #expect(pair.train.classCount == 10)
    #expect(pair.train.sampleShape == [32, 32, 3])
    let batch = try pair.train.batch([9, 2])
    #expect(batch.labels == [9, 2])
    let pixels = batch.images.array(Float.self).map { $0 * 255 }
    #expect(pixels[0..<6].map { Int($0.rounded()) } == [200, 201, 202, 11, 12, 13])
    #expect(pixels[3072..<3078].map { Int($0.rounded()) } == [200, 201, 202, 4, 5, 6])
    #expect(try pair.test.batch([0, 1]).labels == [0, 9])
  }

  @Test func cifar100HasTwoLabels() throws {
    _ = try put("train.bin", Self.record(0, labels: [19, 99]) + Self.record(1, labels: [3, 42]))
    _ = try put("test.bin.gz", Self.record(2, labels: [1, 7]))
    let fine = try DatasetCatalog.open("cifar100", roots: [folder.path])
    #expect(fine.train.classCount == 100)
    #expect(try fine.train.batch([0, 1]).labels == [99, 42])
    var options = DatasetCatalog.Options()
    options.labels = .coarse
    let coarse = try DatasetCatalog.open("cifar100", roots: [folder.path], options: options)
    #expect(coarse.train.classCount == 20)
    #expect(try coarse.train.batch([0, 1]).labels == [19, 3])
    #expect(try coarse.test.batch([0]).images.array(Float.self)[3] == Float(2) / 255)
    #expect(coarse.train.identity != fine.train.identity)
    #expect(throws: (any Error).self) { try DatasetCatalog.open("mnist", roots: [folder.path], options: options) }
  }

  @Test func brokenFiles() throws {
    let layout = CIFARLayout(labelBytes: 1, label: 0, classCount: 10)
    func open(_ name: String, _ bytes: [UInt8]) throws -> CIFARDataset {
      try CIFARDataset(name: "t", files: [try put(name, bytes)], layout: layout)
    }
    let record = Self.record(0, labels: [10])
    let short = try failure { try open("short", Array(record.dropLast())) }
    #expect(short.description == "\(folder.path)/short: 3072 bytes are no whole number of records of 3073")
    let label = try failure { try open("label", record + record).batch([1]) }
    #expect(label.description == "\(folder.path)/label: record 2 has the label 10; the labels of 10 classes are 0 to 9")

    let packed = try record.withUnsafeBytes { try Gzip.deflate($0) }
    // The last four bytes are the length that is claimed.
    let longer = packed.dropLast(4) + [0x02, 0x18, 0, 0]
    let lie = try failure { try open("lie", Array(longer)).batch([0]) }
    #expect(lie.file == folder.path + "/lie")
    let two = try failure { try open("two", packed + packed).batch([0]) }
    #expect(two.message == "more bytes follow the 3073 it announces")
    let cut = try failure { try open("cut", Array(packed.prefix(20)) + [1, 12, 0, 0]).batch([0]) }
    #expect(cut.message.contains("gzip stream"))
    #expect(try open("empty", []).count == 0)
  }

  @Test func theRealCIFAR10() throws {
    guard let roots = testData("cifar10") else { return }
    let pair = try DatasetCatalog.open("cifar10", roots: roots)
    #expect(pair.train.count == 50_000)
    #expect(pair.test.count == 10_000)
    // The channel means that everybody normalises with, over a fifth of the images.
    var options = ImageOptions()
    options.normalization = try #require(Normalization.named["cifar10"])
    let sample = try pair.train.converted(options).batch(0..<10_000)
    #expect((0..<10).allSatisfy { label in (900...1100).contains(sample.labels.count { $0 == label }) })
    let pixels = sample.images.array(Float.self)
    for c in 0..<3 {
      var sum = 0.0, squares = 0.0
      for i in stride(from: c, to: pixels.count, by: 3) {
        sum += Double(pixels[i])
        squares += Double(pixels[i] * pixels[i])
      }
      let count = Double(pixels.count / 3)
      #expect(abs(sum / count) < 0.01)
      #expect(abs(squares / count - 1) < 0.02)
    }
  }
}
