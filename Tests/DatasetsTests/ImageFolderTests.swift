import Diagnostics
import Files
import Foundation
import Network
import Tensors
import Testing

@testable import Datasets

struct ImageFolderTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  func options(side: Int = 8, shortSide: Int? = 8, _ broken: BrokenImagePolicy = .error) -> ImageFolder.Options {
    var options = ImageFolder.Options()
    options.side = side
    options.shortSide = shortSide
    options.broken = broken
    return options
  }

  func open(_ options: ImageFolder.Options? = nil, classes: [String]? = nil) throws -> ImageFolder {
    try ImageFolder(name: "t", folder: folder.path, classes: classes, options: options ?? self.options())
  }

  /// A PNG of one colour.
  func plain(_ value: UInt8, width: Int = 8, height: Int = 8) throws -> [UInt8] {
    try SampleImages.png(
      width: width, height: height, channels: 3, [UInt8](repeating: value, count: width * height * 3))
  }

  @Test func withoutLabelsEveryImageCounts() throws {
    _ = try folder.file("2.png", try plain(102))
    _ = try folder.file("a/1.png", try plain(51))
    func open() throws -> ImageFolder {
      try ImageFolder(name: "t", folder: folder.path, hasLabels: false, options: options())
    }
    let data = try open()
    #expect(data.count == 2 && !data.hasLabels && data.classNames == nil && data.classes == [])
    let batch = try data.batch([0, 1])
    #expect(batch.labels == [0, 0])
    #expect(abs(batch.images.array(Float.self)[0] - 0.4) < 1e-6)
    var half = ImageOptions()
    half.size = [4, 4]
    #expect(try !data.converted(half).hasLabels)
    #expect(data.identity != (try self.open(classes: ["a"])).identity)
    _ = try folder.file("b.bmp", [1])
    #expect(try failure(open).message.contains("1 .bmp beside 1 images"))
  }

  @Test func classesAreFolders() throws {
    _ = try folder.file("b/2.png", try plain(102))
    _ = try folder.file("b/1.PNG", try plain(51))
    _ = try folder.file("a/x.jpeg", SampleImages.baseline)
    _ = try folder.file("a/readme.txt", [1])
    _ = try folder.file("b/.hidden.png", [1])
    let data = try open()
    #expect(data.count == 3)
    #expect(data.classes == ["a", "b"])
    #expect(data.sampleShape == [8, 8, 3])
    #expect(data.decodesOnRead)
    let batch = try data.batch([1, 2, 0])
    #expect(batch.labels == [1, 1, 0])
    let pixels = batch.images.array(Float.self)
    #expect(pixels[..<192].allSatisfy { abs($0 - 0.2) < 1e-6 })
    #expect(pixels[192..<384].allSatisfy { abs($0 - 0.4) < 1e-6 })
    // The middle of the sample image: red to the left, blue to the right.
    #expect(abs(pixels[384] - Float(200) / 255) < 0.03)
    #expect(abs(pixels[384 + 21 + 2] - Float(220) / 255) < 0.03)
    #expect(try open(classes: ["b"]).batch([0]).labels == [0])
    #expect(try open(classes: ["b", "a"]).batch([2]).labels == [1])
    #expect(try open(classes: ["b", "a"]).identity != data.identity)
    #expect(try open(options(side: 4)).identity != data.identity)
  }

  @Test func whatAPictureGoesThrough() throws {
    _ = try folder.file("b/1.png", try plain(102))
    _ = try folder.file("a/1.png", try plain(51))
    let data = try open(options(side: 6, shortSide: 9))
    #expect(data.classNames == ["a", "b"])
    let crop = try Preprocessing.Crop(shortSide: 9, side: 6)
    #expect(try data.preprocessing == Preprocessing(crop: crop, height: 6, width: 6, channels: .rgb))
    var images = ImageOptions()
    images.size = [4, 5]
    images.channels = 1
    images.normalization = try Normalization(mean: [0.5], deviation: [0.25])
    let part = try data.converted(images).taking(1).augmented(Augmentation())
    #expect(part.classNames == ["a", "b"])
    #expect(
      try part.preprocessing
        == Preprocessing(crop: crop, height: 4, width: 5, channels: .grey, mean: [0.5], deviation: [0.25]))
    // Of samples that are no pictures nobody knows what they were.
    #expect(GivenDataset([2, 2, 1], [[0, 0, 0, 0]]).preprocessing == nil)
    #expect(try GivenDataset([2, 2, 1], [[0, 0, 0, 0]]).converted(images).preprocessing == nil)
    #expect(SyntheticDigits.pair().test.preprocessing?.channels == .grey)
    #expect(SyntheticDigits.pair().test.classNames == (0...9).map { "\($0)" })
  }

  @Test(arguments: [(8, 8), (31, 17), (17, 31), (1, 50), (50, 1), (300, 200)])
  func everySizeIsCutToTheSquare(width: Int, height: Int) throws {
    _ = try folder.file("a/1.png", try plain(51, width: width, height: height))
    let pixels = try open(options(side: 10, shortSide: 13)).batch([0]).images.array(Float.self)
    #expect(pixels.count == 300)
    #expect(pixels.allSatisfy { abs($0 - 0.2) < 1e-5 })
  }

  /// Beside Pillow: `resize(BILINEAR)` of the short side to 256, the middle 224 (its results are rounded to bytes).
  @Test(
    arguments: [
      ("cat_720p.jpg", [162.767, 114.395, 88.244], [202, 71, 50], [202, 193, 178], [171, 77, 75]),
      ("parrot.jpg", [151.314, 132.955, 120.45], [245, 197, 138], [235, 205, 153], [123, 98, 90]),
      ("owl.jpg", [109.12, 120.56, 84.359], [74, 112, 62], [91, 72, 52], [136, 122, 114]),
      ("hot_dog.jpg", [87.091, 86.975, 61.728], [0, 14, 11], [195, 159, 30], [17, 21, 5]),
    ] as [(String, [Double], [Float], [Float], [Float])])
  func photographs(name: String, means: [Double], first: [Float], inner: [Float], last: [Float]) throws {
    guard let root = testData("models/imagenet")?.first else { return }
    let file = try #require(FileManager.default.contents(atPath: "\(root)/models/imagenet/\(name)"))
    _ = try folder.file("a/\(name)", [UInt8](file))
    let pixels = try open(ImageFolder.Options()).batch([0]).images.array(Float.self).map { $0 * 255 }
    for c in 0..<3 {
      let mean = stride(from: c, to: pixels.count, by: 3).reduce(0.0) { $0 + Double(pixels[$1]) } / Double(224 * 224)
      #expect(abs(mean - means[c]) < 0.1, "channel \(c): \(mean)")
    }
    for (y, x, expected) in [(0, 0, first), (100, 57, inner), (223, 223, last)] {
      let start = (y * 224 + x) * 3
      #expect(zip(pixels[start..<(start + 3)], expected).allSatisfy { abs($0 - $1) < 3 }, "\(y) \(x)")
    }
  }

  @Test func brokenImagesAreErrors() throws {
    _ = try folder.file("a/1.png", try plain(51))
    let broken = try folder.file("a/2.jpg", Array(SampleImages.baseline.dropLast(200)))
    let data = try open()
    #expect(try data.batch([0]).count == 1)
    let error = try failure { try data.batch([0, 1]) }
    #expect(error.file == broken)
    #expect(error.message.hasPrefix("broken JPEG"))
  }

  @Test func brokenImagesAreSkipped() throws {
    _ = try folder.file("a/1.png", try plain(51))
    let cut = try folder.file("a/2.jpg", Array(SampleImages.baseline.dropLast(200)))
    let empty = try folder.file("a/3.jpg", [])
    // Whole at both ends, damaged between.
    var damaged = try SampleImages.png(width: 8, height: 8, channels: 1, (0..<64).map { UInt8($0) })
    damaged[50] ^= 0xFF
    let inside = try folder.file("a/4.png", damaged)
    _ = try folder.file("a/5.png", try plain(102))
    let data = try open(options(.skip))
    #expect(data.count == 3)
    #expect(data.broken.items.map(\.file) == [cut, empty])
    #expect(data.broken.items.allSatisfy { !$0.isReplaced })
    let pixels = try data.batch([0, 1, 2]).images.array(Float.self)
    #expect(abs(pixels[192] - 0.4) < 1e-6, "the next of its class stands in")
    #expect(data.broken.items.map(\.file) == [cut, empty, inside])
    #expect(data.broken.items.last?.isReplaced == true)
    #expect(try open(options(.error)).identity != data.identity)

    for name in ["1.png", "5.png"] { _ = try folder.file("a/\(name)", damaged) }
    let error = try failure { try open(options(.skip)).batch([0]) }
    #expect(error.message == "none of the 3 images of its class can be read")
  }

  @Test func filmsBehindPicturesAreNoDamage() throws {
    _ = try folder.file("a/1.jpg", SampleImages.baseline + [UInt8](repeating: 7, count: 5000))
    _ = try folder.file("a/2.jpg", SampleImages.baseline)
    for policy in BrokenImagePolicy.allCases {
      let data = try open(options(policy))
      #expect(data.count == 2 && data.broken.items.isEmpty)
      #expect(try data.batch([0]).images.array(Float.self) == data.batch([1]).images.array(Float.self))
    }
  }

  /// A folder of WebP images with two JPEGs among them is not a data set of two images, without a word.
  @Test func imagesOfOtherFormatsAreTold() throws {
    _ = try folder.file("a/1.jpg", SampleImages.baseline)
    _ = try folder.file("a/2.webp", [1])
    _ = try folder.file("a/3.BMP", [1])
    _ = try folder.file("a/4.webp", [1])
    _ = try folder.file("a/notes.txt", [1])
    let error = try failure { try open() }
    #expect(error.file == folder.path + "/a")
    #expect(error.message == "1 .bmp, 2 .webp beside 1 images that can be read (JPEG and PNG); the first is 2.webp")
    #expect(error.hint == "convert them, or leave them out with broken = \"skip\"")
    let data = try open(options(.skip))
    #expect(data.count == 1)
    #expect(data.broken.items.map(\.file) == ["2.webp", "3.BMP", "4.webp"].map { "\(folder.path)/a/\($0)" })
    #expect(data.broken.items[1].reason == "JPEG and PNG are read, .bmp is not" && !data.broken.items[1].isReplaced)
  }

  @Test func whatCannotBeIsSaid() throws {
    #expect(try failure { try open() }.message == "no class folders")
    _ = try folder.file("a/readme.txt", [1])
    #expect(try failure { try open() }.description == "\(folder.path)/a: no images (.jpg, .jpeg, .png)")
    _ = try folder.file("a/1.png", try plain(51))
    #expect(try failure { try open(classes: ["a", "b"]) }.description == "\(folder.path)/b: there is no such folder")
    #expect(try failure { try open(options(side: 9)) }.message.hasPrefix("a square of 9 cannot be cut out"))
    #expect(try failure { try open(options(side: 0)) }.message.contains("from 1 to 4096"))
    #expect(throws: CompressError.self) { try ImageFolder(name: "t", folder: folder.path + "/none") }
  }

  @Test func linksThatLeadOutAreRefused() throws {
    _ = try folder.file("in/a/1.png", try plain(51))
    _ = try folder.file("out/2.png", try plain(51))
    let link = folder.path + "/in/a/2.png"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path + "/out/2.png")
    let error = try failure { try ImageFolder(name: "t", folder: folder.path + "/in", options: options()) }
    #expect(error.description == "\(link): a link that leads out of \(folder.path)/in")
    try FileManager.default.removeItem(atPath: link)
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path + "/in/a/1.png")
    #expect(try ImageFolder(name: "t", folder: folder.path + "/in", options: options()).count == 2)
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/in/b", withDestinationPath: folder.path + "/out")
    #expect(throws: CompressError.self) {
      try ImageFolder(name: "t", folder: folder.path + "/in", options: options())
    }
  }

  @Test func imagenetteHasTwoParts() throws {
    for (file, value) in [
      ("train/n02/1.png", 51), ("train/n01/1.png", 102), ("val/n01/9.png", 153), ("val/n02/8.png", 204),
    ] {
      _ = try folder.file("imagenette2-160/\(file)", try plain(UInt8(value)))
    }
    var options = DatasetCatalog.Options()
    options.folders = self.options()
    let pair = try DatasetCatalog.open("imagenette", roots: [folder.path], options: options)
    #expect(try pair.train.batch([0, 1]).labels == [0, 1])
    let test = try pair.test.batch([1])
    #expect(test.labels == [1])
    #expect(abs(test.images.array(Float.self)[0] - 0.8) < 1e-6)
    // Labels count the classes of the training images.
    try FileManager.default.removeItem(atPath: folder.path + "/imagenette2-160/val/n01")
    #expect(
      try failure { try DatasetCatalog.open("imagenette", roots: [folder.path], options: options) }.file?
        .hasSuffix("val/n01") == true)
    #expect(
      try failure { try DatasetCatalog.open("imagenette", roots: ["/nonexistent"]) }.message.hasPrefix(
        "the folders train and val of \"imagenette\" were not found; looked in /nonexistent/imagenette,"))
    #expect(
      try failure { try DatasetCatalog.open("digits", roots: [], options: options) }.message.contains("no folder"))
  }
}
