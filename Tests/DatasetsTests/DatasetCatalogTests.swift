import Foundation
import Testing

@testable import Datasets

struct DatasetCatalogTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  static let names = [
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte",
  ]

  /// Four small files; `count` training samples and one test sample.
  func put(into place: String, count: Int, suffix: String = "") throws {
    _ = try folder.idx("\(place)/\(Self.names[0])\(suffix)", [count, 1, 1], [UInt8](repeating: 255, count: count))
    _ = try folder.idx("\(place)/\(Self.names[1])\(suffix)", [count], [UInt8](repeating: 9, count: count))
    _ = try folder.idx("\(place)/\(Self.names[2])\(suffix)", [1, 1, 1], [0])
    _ = try folder.idx("\(place)/\(Self.names[3])\(suffix)", [1], [3])
  }

  @Test(arguments: ["", ".gz"])
  func mnistIsFoundInAFolderOfItsName(suffix: String) throws {
    try put(into: "data/mnist", count: 2, suffix: suffix)
    let pair = try DatasetCatalog.open("mnist", roots: ["/nonexistent", folder.path + "/data"])
    #expect(pair.train.count == 2)
    #expect(pair.train.name == "mnist.train")
    #expect(pair.train.classCount == 10)
    #expect(try pair.train.batch([1]).labels == [9])
    #expect(pair.test.count == 1)
    #expect(pair.test.name == "mnist.test")
    #expect(try pair.test.batch([0]).labels == [3])
  }

  @Test func theFirstPlaceWins() throws {
    try put(into: "a/mnist", count: 2)
    try put(into: "a", count: 3)
    try put(into: "b/mnist", count: 4)
    let a = folder.path + "/a", b = folder.path + "/b"
    #expect(try DatasetCatalog.open("mnist", roots: [a, b]).train.count == 2)
    #expect(try DatasetCatalog.open("mnist", roots: [b, a]).train.count == 4)
    #expect(try DatasetCatalog.open("fashion_mnist", roots: [a]).train.count == 3)
  }

  @Test func whatIsMissingIsSaid() throws {
    try put(into: "mnist", count: 2)
    try FileManager.default.removeItem(atPath: "\(folder.path)/mnist/\(Self.names[1])")
    let error = try failure { try DatasetCatalog.open("mnist", roots: ["/nonexistent", folder.path]) }
    #expect(
      error.message == "the files of \"mnist\" were not found; looked in /nonexistent/mnist, /nonexistent, "
        + "\(folder.path)/mnist, \(folder.path); \(folder.path)/mnist lacks \(Self.names[1])")
    #expect(error.kind == .input)
    let hint = try #require(error.hint)
    #expect(Self.names.allSatisfy { hint.contains($0) })
    #expect(try failure { try DatasetCatalog.open("mnist", roots: []) }.message.hasSuffix("looked in no folder at all"))
  }

  @Test func brokenFilesAreNotPassedOver() throws {
    try put(into: "a/mnist", count: 2)
    try put(into: "b/mnist", count: 2)
    let broken = try folder.file("a/mnist/\(Self.names[0])", [1, 2, 3, 4])
    let error = try failure { try DatasetCatalog.open("mnist", roots: [folder.path + "/a", folder.path + "/b"]) }
    #expect(error.file == broken)
  }

  @Test func namesAreSuggested() throws {
    #expect(DatasetCatalog.names == ["cifar10", "cifar100", "digits", "fashion_mnist", "imagenette", "mnist"])
    let error = try failure { try DatasetCatalog.open("minst", roots: []) }
    #expect(error.message == "there is no data set \"minst\" (did you mean \"mnist\"?)")
    let other = try failure { try DatasetCatalog.open("svhn", roots: []) }
    #expect(
      other.message
        == "there is no data set \"svhn\" (there are: cifar10, cifar100, digits, fashion_mnist, imagenette, mnist)")
  }

  @Test func theCommandLinesFolderComesFirst() {
    #expect(DatasetCatalog.roots(data: "/x").first == "/x")
    #expect(DatasetCatalog.roots(data: nil).count == DatasetCatalog.roots(data: "/x").count - 1)
  }

  @Test func theRealMNIST() throws {
    guard let roots = testData("mnist") else { return }
    let pair = try DatasetCatalog.open("mnist", roots: roots)
    #expect(pair.train.count == 60_000)
    #expect(pair.test.count == 10_000)
    #expect(pair.train.sampleShape == [28, 28, 1])
    #expect(try pair.train.batch(0..<10).labels == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
    #expect(try pair.test.batch(0..<10).labels == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9])
    // The mean that everybody normalises with.
    let pixels = try pair.train.batch(0..<60_000).images.array(Float.self)
    let mean = pixels.reduce(0.0) { $0 + Double($1) } / Double(pixels.count)
    #expect(abs(mean - 0.1307) < 0.0001)
  }
}
