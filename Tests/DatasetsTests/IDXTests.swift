import Files
import Tensors
import Testing

@testable import Datasets

struct IDXTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// Opens and reads all of a data set of 3 images of 2x2 pixels whose image file has the given bytes.
  func readImages(_ bytes: [UInt8], name: String = "images") throws -> Batch {
    let images = try folder.file(name, bytes), labels = try folder.idx("labels", [3], [2, 0, 1])
    return try IDXDataset(name: "t", images: images, labels: labels).batch(0..<3)
  }

  func deflated(_ bytes: [UInt8]) throws -> [UInt8] { try bytes.withUnsafeBytes { try Gzip.deflate($0) } }

  @Test(arguments: ["", ".gz"])
  func pixelsAndLabelsComeBack(suffix: String) throws {
    let images = try folder.idx("i" + suffix, [3, 2, 2], [0, 51, 255, 1, 4, 5, 6, 7, 8, 9, 10, 11])
    let labels = try folder.idx("l" + suffix, [3], [4, 0, 1])
    let data = try IDXDataset(name: "t", images: images, labels: labels)
    #expect(data.count == 3)
    #expect(data.sampleShape == [2, 2, 1])
    #expect(data.classCount == 5)
    #expect(data.identity == DatasetIdentity(.files([images, labels], format: "idx, 5 classes")))
    let batch = try data.batch([2, 0])
    #expect(batch.images.shape == [2, 2, 2, 1])
    #expect(batch.labels == [1, 4])
    #expect(batch.images.array(Float.self) == [8, 9, 10, 11, 0, 51, 255, 1].map { $0 / 255 })
    #expect(try data.batch([]).count == 0)
  }

  @Test(arguments: [([2, 3], [3] as Shape), ([2, 1, 2, 3], [1, 2, 3] as Shape)])
  func otherRanks(dims: [Int], shape: Shape) throws {
    let images = try folder.idx("i", dims, [UInt8](0..<UInt8(dims.reduce(1, *))))
    let data = try IDXDataset(name: "t", images: images, labels: try folder.idx("l", [2], [0, 1]))
    #expect(data.sampleShape == shape)
    #expect(try data.batch(1..<2).images.array(Float.self)[0] == Float(shape.count) / 255)
  }

  @Test func anEmptySetIsFine() throws {
    let data = try IDXDataset(
      name: "t", images: try folder.idx("i", [0, 2, 2], []), labels: try folder.idx("l", [0], []), classCount: 10)
    #expect(data.count == 0)
    #expect(try data.batch([]).images.shape == [0, 2, 2, 1])
  }

  @Test func indicesOutsideAreRefused() throws {
    let data = try IDXDataset(
      name: "t", images: try folder.idx("i", [1, 2, 2], [0, 1, 2, 3]), labels: try folder.idx("l", [1], [0]))
    #expect(try failure { try data.batch([0, 1]) }.message == "sample 1 is outside \"t\", which has 1")
    #expect(try failure { try data.batch([-1]) }.message == "sample -1 is outside \"t\", which has 1")
  }

  @Test(
    arguments: [
      ([0, 1, 8, 3], "not an IDX file: starts with 00 01 08 03, not 00 00 and a type"),
      ([0, 0, 13, 3], "IDX elements of type 13 (float32); only 8 (uint8) can be read"),
      ([0, 0, 7, 3], "IDX elements of type 7 (unknown); only 8 (uint8) can be read"),
      ([0, 0, 8, 0], "an IDX file with 0 axes; 1 to 4 can be read"),
      ([0, 0, 8, 255], "an IDX file with 255 axes; 1 to 4 can be read"),
      ([0, 0], "ends after 2 of the 4 bytes of an IDX header's part"),
      ([], "ends after 0 of the 4 bytes of an IDX header's part"),
      ([0, 0, 8, 3, 0, 0, 0, 1, 0], "ends after 5 of the 12 bytes of an IDX header's part"),
    ] as [([UInt8], String)])
  func brokenHeaders(bytes: [UInt8], message: String) throws {
    for (name, content) in [("x", bytes), ("x.gz", try deflated(bytes))] {
      let error = try failure { try readImages(content, name: name) }
      #expect(error.file == folder.path + "/" + name)
      #expect(error.message == message)
      #expect(error.kind == .input)
    }
  }

  @Test func claimsBeyondTheFileAreRefusedBeforeAnythingIsAllocated() throws {
    let big = 0xFFFF_FFFF
    let plain = try failure { try readImages(idxBytes([3, 2, 2], [1, 2, 3])) }
    #expect(plain.message == "the header claims 3 x 2 x 2 bytes; the file holds 3")
    for dims in [[3, big, big], [big, big, big]] {
      let claim = dims.map(String.init).joined(separator: " x ")
      let plain = try failure { try readImages(idxBytes(dims, [])) }
      #expect(plain.message == "the header claims \(claim) bytes; the file holds 0")
      let packed = try failure { try readImages(try deflated(idxBytes(dims, []))) }
      #expect(packed.message.hasPrefix("the header claims \(claim) bytes; the file holds at most "))
    }
  }

  @Test func truncatedContentIsNamedWithItsNumbers() throws {
    let error = try failure { try readImages(try deflated(idxBytes([3, 2, 2], [1, 2, 3]))) }
    #expect(error.description == folder.path + "/images: ends after 3 of the 12 bytes its header announces ([3, 2, 2])")
    let whole = try deflated(idxBytes([3, 2, 2], [UInt8](1...12)))
    let cut = try failure { try readImages(Array(whole.dropLast(9))) }
    #expect(cut.message.hasPrefix("the gzip stream is cut off after \(whole.count - 9) bytes"))
    // Even when every pixel is there: the checksum belongs to it.
    #expect(try failure { try readImages(Array(whole.dropLast(1))) }.message.contains("cut off"))
  }

  @Test func trailingBytesAreRefused() throws {
    let bytes = idxBytes([3, 2, 2], [UInt8](0...12))
    for content in [bytes, try deflated(bytes)] {
      let error = try failure { try readImages(content) }
      #expect(error.message == "more bytes follow the 12 its header announces ([3, 2, 2])")
    }
  }

  @Test func imagesAndLabelsMustMatch() throws {
    let images = try folder.idx("i", [3, 2, 2], [UInt8](0..<12)), labels = try folder.idx("l", [2], [0, 1])
    let error = try failure { try IDXDataset(name: "t", images: images, labels: labels) }
    #expect(error.description == "\(labels): 2 labels for the 3 images of \(images)")
    let swapped = try failure { try IDXDataset(name: "t", images: labels, labels: images) }
    #expect(swapped.description == "\(labels): images have 2 to 4 axes and some pixels, not shape [2]")
    let twice = try failure { try IDXDataset(name: "t", images: images, labels: images) }
    #expect(twice.description == "\(images): labels have one axis, not shape [3, 2, 2]")
    let empty = try folder.idx("e", [2, 0, 5], [])
    let none = try failure { try IDXDataset(name: "t", images: empty, labels: labels) }
    #expect(none.message.hasSuffix("not shape [2, 0, 5]"))
  }

  @Test func labelsOutsideTheClassesAreRefused() throws {
    let images = try folder.idx("i", [3, 2, 2], [UInt8](0..<12)), labels = try folder.idx("l", [3], [0, 10, 11])
    let error = try failure { try IDXDataset(name: "t", images: images, labels: labels, classCount: 10) }
    #expect(error.description == "\(labels): sample 2 has the label 10; the labels of 10 classes are 0 to 9")
  }

  @Test func labelsThatCountFromOne() throws {
    let images = try folder.idx("i", [3, 2, 2], [UInt8](0..<12)), labels = try folder.idx("l", [3], [1, 2, 3])
    let error = try failure { try IDXDataset(name: "t", images: images, labels: labels, classCount: 3) }
    #expect(error.hint == "the labels count from 1: first_label = 1")
    let data = try IDXDataset(name: "t", images: images, labels: labels, firstLabel: 1, classCount: 3)
    #expect(try data.batch(0..<3).labels == [0, 1, 2])
    let plain = try IDXDataset(name: "t", images: images, labels: labels)
    #expect(plain.classCount == 4 && plain.smallestLabel == 1 && plain.identity != data.identity)
  }

  @Test func missingFilesAreNamed() throws {
    let labels = try folder.idx("l", [3], [0, 1, 2]), none = folder.path + "/none"
    let error = try failure { try IDXDataset(name: "t", images: none, labels: labels) }
    #expect(error.description == "\(none): cannot read: No such file or directory")
  }
}
