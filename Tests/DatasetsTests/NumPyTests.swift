import Diagnostics
import Files
import Foundation
import Synchronization
import Tensors
import Testing

@testable import Datasets

/// An array as NumPy writes it.
func npy(_ type: String, _ shape: [Int], _ bytes: [UInt8], fortran: Bool = false, version: UInt8 = 1) -> [UInt8] {
  let dims = shape.map { "\($0), " }.joined()
  var header = "{'descr': '\(type)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': (\(dims)), }"
  while (header.utf8.count + 1 + (version == 1 ? 10 : 12)) % 64 != 0 { header += " " }
  header += "\n"
  let length = header.utf8.count
  var out: [UInt8] = [0x93]
  out += "NUMPY".utf8
  out += [version, 0, UInt8(length & 255), UInt8(length >> 8)]
  if version > 1 { out += [0, 0] }
  out += header.utf8
  out += bytes
  return out
}

/// A zip archive, deflated or stored.
func zip(_ files: [(name: String, bytes: [UInt8])], deflated: Bool) throws -> [UInt8] {
  var out: [UInt8] = [], directory: [UInt8] = []
  func put(_ value: Int, _ count: Int, _ target: inout [UInt8]) {
    for i in 0..<count { target.append(UInt8(truncatingIfNeeded: value >> (8 * i))) }
  }
  for (name, bytes) in files {
    var crc = Crc32()
    bytes.withUnsafeBytes { crc.add($0) }
    var packed = bytes
    if deflated { packed = Array(try bytes.withUnsafeBytes { try Gzip.deflate($0) }.dropFirst(10).dropLast(8)) }
    var common: [UInt8] = []
    let fields: [(Int, Int)] = [
      (20, 2), (0, 2), (deflated ? 8 : 0, 2), (0, 4), (Int(crc.value), 4), (packed.count, 4), (bytes.count, 4),
      (name.utf8.count, 2),
    ]
    for (value, count) in fields { put(value, count, &common) }
    put(0x0201_4B50, 4, &directory)
    put(20, 2, &directory)
    directory += common
    put(0, 12, &directory)
    put(out.count, 4, &directory)
    directory += name.utf8
    // The header before the content may have an extra field that the directory lacks.
    put(0x0403_4B50, 4, &out)
    out += common
    put(4, 2, &out)
    out += name.utf8
    out += [1, 2, 3, 4]
    out += packed
  }
  let start = out.count
  out += directory
  let end: [(Int, Int)] = [
    (0x0605_4B50, 4), (0, 4), (files.count, 2), (files.count, 2), (directory.count, 4), (start, 4), (0, 2),
  ]
  for (value, count) in end { put(value, count, &out) }
  return out
}

struct NumPyTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  func read(_ samples: [UInt8], labels: [UInt8], classCount: Int? = nil) throws -> Batch {
    let data = try NumPyDataset(
      name: "t", samples: .init(file: try folder.file("x.npy", samples)),
      labels: .init(file: try folder.file("y.npy", labels)), classCount: classCount)
    return try data.batch(0..<data.count)
  }

  static let labels = npy("<i8", [2], [1] + [UInt8](repeating: 0, count: 15))

  func bytes<T>(_ values: [T]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }

  @Test func everyType() throws {
    func check(_ type: String, _ content: [UInt8], _ expected: [Float]) throws {
      let batch = try read(npy(type, [2, 2], content), labels: Self.labels)
      #expect(batch.images.shape == [2, 2])
      #expect(batch.images.array(Float.self) == expected, "\(type)")
      #expect(batch.labels == [1, 0])
    }
    try check("|u1", [0, 51, 255, 102], [0, 0.2, 1, 0.4])
    try check("|b1", [0, 1, 1, 0], [0, 1, 1, 0])
    try check("|i1", [0xFF, 1, 2, 0x80], [-1, 1, 2, -128])
    try check("<u2", bytes([1, 2, 3, 65535] as [UInt16]), [1, 2, 3, 65535])
    try check(">u2", [0, 1, 1, 0, 0, 2, 0, 3], [1, 256, 2, 3])
    try check("<i2", bytes([-1, 2, 3, 4] as [Int16]), [-1, 2, 3, 4])
    try check("<u4", bytes([1, 2, 3, 4] as [UInt32]), [1, 2, 3, 4])
    try check("<i4", bytes([-5, 2, 3, 4] as [Int32]), [-5, 2, 3, 4])
    try check("<u8", bytes([1, 2, 3, 4] as [UInt64]), [1, 2, 3, 4])
    try check("<i8", bytes([-7, 2, 3, 4] as [Int64]), [-7, 2, 3, 4])
    try check("<f2", bytes([0x3C00, 0xC000, 0, 0x3800] as [UInt16]), [1, -2, 0, 0.5])
    try check("<f4", bytes([0.1, -2, 3, 4] as [Float]), [0.1, -2, 3, 4])
    try check(">f4", [0x3F, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0])
    try check("<f8", bytes([0.1, -2, 3, 4] as [Double]), [0.1, -2, 3, 4])
  }

  @Test func shapesAndVersions() throws {
    let content = [UInt8](0..<12)
    #expect(try read(npy("|u1", [2, 2, 3], content), labels: Self.labels).images.shape == [2, 2, 3, 1])
    #expect(try read(npy("|u1", [2, 1, 2, 3], content, version: 2), labels: Self.labels).images.shape == [2, 1, 2, 3])
    #expect(try read(npy("|u1", [2, 6], content, version: 3), labels: npy("|u1", [2, 1], [0, 3])).labels == [0, 3])
    #expect(try read(npy("|u1", [0, 6], []), labels: npy("|u1", [0], [])).count == 0)
  }

  @Test(arguments: [false, true])
  func archives(deflated: Bool) throws {
    let x = npy("|u1", [2, 2, 2], [0, 51, 102, 153, 204, 255, 0, 51])
    let file = try folder.file("a.npz", zip([("x_train.npy", x), ("y_train.npy", Self.labels)], deflated: deflated))
    let memory = DataMemory(limit: 10_000)
    let data = try NumPyDataset(
      name: "t", samples: .init(file: file, member: "x_train"), labels: .init(file: file, member: "y_train"),
      memory: memory)
    #expect(try data.batch([1]).images.array(Float.self) == [204, 255, 0, 51].map { $0 / 255 })
    #expect(data.classCount == 2)
    #expect((memory.inUse > 0) == deflated)
    let error = try failure {
      try NumPyDataset(
        name: "t", samples: .init(file: file, member: "x_trian"), labels: .init(file: file, member: "y_train"))
    }
    #expect(error.description == "\(file): there is no array \"x_trian\" (did you mean \"x_train\"?)")
    guard deflated else { return }
    let small = try failure {
      try NumPyDataset(
        name: "t", samples: .init(file: file, member: "x_train"), labels: .init(file: file, member: "y_train"),
        memory: DataMemory(limit: 100))
    }
    #expect(small.kind == .limit)
    #expect(small.description.contains("--data-memory"))
  }

  /// Keeps in memory, and counts.
  private final class CountingStore: UnpackedStore {
    private let folder: TemporaryFolder
    let kept = Mutex<[String]>([])
    let found = Mutex(0)

    init(_ folder: TemporaryFolder) { self.folder = folder }

    func key(of part: String, in packed: UnsafeRawBufferPointer) -> String {
      "\(part) of \(packed.reduce(into: 0) { $0 = ($0 &* 31 &+ Int($1)) })"
    }

    func content(_ key: String) -> MappedFile? {
      guard let index = kept.withLock({ $0.firstIndex(of: key) }) else { return nil }
      found.withLock { $0 += 1 }
      return try? MappedFile("\(folder.path)/kept-\(index)")
    }

    func keep(_ bytes: UnsafeRawBufferPointer, as key: String) throws -> MappedFile {
      let index = kept.withLock {
        $0.append(key); return $0.count - 1
      }
      return try MappedFile(folder.file("kept-\(index)", Array(bytes)))
    }
  }

  @Test func largeMembersAreUnpackedOnce() throws {
    let count = 1500
    let x = npy("|u1", [count, 28, 28], (0..<count * 784).map { UInt8(truncatingIfNeeded: $0 / 11) })
    let y = npy("|u1", [count], (0..<count).map { UInt8($0 % 7) })
    let file = try folder.file("a.npz", zip([("x.npy", x), ("y.npy", y)], deflated: true))
    let store = CountingStore(folder)
    for time in 0..<2 {
      let data = try NumPyDataset(
        name: "t", samples: .init(file: file, member: "x"), labels: .init(file: file, member: "y"),
        memory: DataMemory(store: store))
      #expect(try data.batch([1]).images.array(Float.self)[5] == Float(UInt8(truncatingIfNeeded: 789 / 11)) / 255)
      #expect(store.kept.withLock(\.count) == 1, "labels are small and not kept")
      #expect(store.found.withLock { $0 } == time)
    }
  }

  @Test func whatIsWrittenByNumPyIsRead() throws {
    // numpy.savez_compressed(…, images=numpy.arange(8, dtype="f4").reshape(2, 2, 2), labels=numpy.array([3, 1]))
    let text = """
      UEsDBC0AAAAIAAAAIQAdan4b//////////8KABQAaW1hZ2VzLm5weQEAEACgAAAAAAAAAFsAAAAAAAAAm+wX6hsQychQxlCtnpJa\
      nFykbqWgbpNmoq6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjoKIKSpo1CrQB7gYgCDBnsg4QBEQNwAxAuA+AAQP3AA\
      AFBLAwQtAAAACAAAACEAjN4z4P//////////CgAUAGxhYmVscy5ucHkBABAAkAAAAAAAAABKAAAAAAAAAJvsF+obEMnIUMZQrZ6S\
      WpxcpG6loG6TaaGuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6mjoKtQoUAC5mBghghNIAUEsBAi0DLQAAAAgAAAAh\
      AB1qfhtbAAAAoAAAAAoAAAAAAAAAAAAAAIABAAAAAGltYWdlcy5ucHlQSwECLQMtAAAACAAAACEAjN4z4EoAAACQAAAACgAAAAAA\
      AAAAAAAAgAGXAAAAbGFiZWxzLm5weVBLBQYAAAAAAgACAHAAAAAdAQAAAAA=
      """
    let file = try folder.file("n.npz", [UInt8](try #require(Data(base64Encoded: text))))
    let data = try NumPyDataset(
      name: "t", samples: .init(file: file, member: "images"), labels: .init(file: file, member: "labels"))
    let batch = try data.batch(0..<2)
    #expect(batch.images.array(Float.self) == (0..<8).map(Float.init))
    #expect(batch.images.shape == [2, 2, 2, 1])
    #expect(batch.labels == [3, 1])
  }

  /// numpy.arange(24).reshape(2, 3, 2, 2): two pictures of three channels, each channel a plane of its own.
  @Test func channelsMayComeFirst() throws {
    let file = try folder.file("x.npy", npy("<i4", [2, 3, 2, 2], (0..<24).flatMap { [UInt8($0), 0, 0, 0] }))
    let labels = try folder.file("y.npy", npy("<i4", [2], [0, 0, 0, 0, 1, 0, 0, 0]))
    func open(_ layout: NumPyDataset.Layout) throws -> NumPyDataset {
      try NumPyDataset(
        name: "x", samples: .init(file: file), labels: .init(file: labels), layout: layout)
    }
    let data = try open(.chw)
    #expect(data.sampleShape == [2, 2, 3])
    let second = try data.batch([1]).images.array(Float.self)
    #expect(second == [12, 16, 20, 13, 17, 21, 14, 18, 22, 15, 19, 23])
    #expect(try open(.hwc).identity != data.identity)
  }

  /// numpy.arange(24).reshape(2, 3, 4) in Fortran order: the first axis varies fastest in the file.
  @Test(arguments: [false, true])
  func fortranOrder(inArchive: Bool) throws {
    var content: [UInt8] = []
    for c in 0..<4 {
      for b in 0..<3 {
        for a in 0..<2 { content += bytes([Int16(a * 12 + b * 4 + c)]) }
      }
    }
    let x = npy("<i2", [2, 3, 4], content, fortran: true), y = npy("|u1", [2, 1], [3, 0], fortran: true)
    let batch: Batch
    if inArchive {
      let file = try folder.file("f.npz", zip([("x.npy", x), ("y.npy", y)], deflated: true))
      let data = try NumPyDataset(
        name: "t", samples: .init(file: file, member: "x"), labels: .init(file: file, member: "y"))
      batch = try data.batch([1, 0])
    } else {
      batch = try read(x, labels: y)
    }
    let expected = (0..<24).map(Float.init)
    #expect(batch.images.array(Float.self) == (inArchive ? Array(expected[12...] + expected[..<12]) : expected))
    #expect(batch.labels == (inArchive ? [0, 3] : [3, 0]))
  }

  @Test func labelsThatCountFromOne() throws {
    let x = npy("|u1", [3, 1], [1, 2, 3]), y = npy("|u1", [3], [1, 2, 3])
    let error = try failure { try read(x, labels: y, classCount: 3) }
    #expect(error.message == "sample 3 has the label 3; the labels of 3 classes are 0 to 2")
    #expect(error.hint == "the labels count from 1: first_label = 1")
    // The largest is not one too many: nothing tells what was meant.
    #expect(try failure { try read(x, labels: npy("|u1", [3], [1, 2, 4]), classCount: 3) }.hint == nil)
    let files = (try folder.file("x.npy", x), try folder.file("y.npy", y))
    let data = try NumPyDataset(name: "t", samples: .init(file: files.0), labels: .init(file: files.1), firstLabel: 1)
    #expect(data.classCount == 3 && data.smallestLabel == 1)
    #expect(try data.batch(0..<3).labels == [0, 1, 2])
    let low = try failure {
      try NumPyDataset(
        name: "t", samples: .init(file: files.0),
        labels: .init(file: try folder.file("z.npy", npy("|u1", [3], [1, 0, 2]))),
        firstLabel: 1, classCount: 2)
    }
    #expect(low.message == "sample 2 has the label 0; the labels of 2 classes are 1 to 2")
    let huge = try failure { try read(npy("|u1", [1, 1], [1]), labels: npy("<u8", [1], bytes([UInt64.max]))) }
    #expect(huge.message.hasPrefix("sample 1 has the label beyond 64 bits"))
  }

  @Test func otherFilesAreTold() throws {
    let page = Array("<!DOCTYPE html><html><head><title>404</title></head></html>".utf8)
    #expect(
      try failure { try read(page, labels: Self.labels) }.message
        == "no NumPy array: it is an HTML page, as servers send in place of a file")
    let pointer = Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n".utf8)
    let error = try failure { try read(pointer, labels: Self.labels) }
    #expect(error.message == "no NumPy array: it is the pointer that Git LFS leaves in place of a file")
    #expect(error.hint == "git lfs pull fetches the content")
    let file = try folder.file("p.npz", pointer)
    let archive = try failure {
      try NumPyDataset(name: "t", samples: .init(file: file, member: "x"), labels: .init(file: file, member: "y"))
    }
    #expect(archive.message == "not a zip archive: it is the pointer that Git LFS leaves in place of a file")
  }

  @Test func brokenHeaders() throws {
    let good = npy("|u1", [2, 2], [1, 2, 3, 4])
    func message(_ header: String, _ content: [UInt8] = [1, 2, 3, 4]) throws -> String {
      var bytes: [UInt8] = [0x93]
      bytes += "NUMPY".utf8
      bytes += [1, 0, UInt8(header.utf8.count), 0]
      bytes += header.utf8
      bytes += content
      return try failure { try read(bytes, labels: Self.labels) }.message
    }
    #expect(try failure { try read(Array(good.dropFirst()), labels: Self.labels) }.message.hasPrefix("no NumPy array"))
    #expect(
      try failure { try read(Array(good.dropLast()), labels: Self.labels) }.message.hasSuffix(
        "has 4 bytes; there are 3"))
    #expect(try failure { try read(good + [0], labels: Self.labels) }.message.hasSuffix("has 4 bytes; there are 5"))
    #expect(
      try failure { try read(npy("|O", [2, 2], [1, 2, 3, 4]), labels: Self.labels) }.message.hasPrefix(
        "elements of type \"|O\""))
    #expect(
      try failure { try read(npy("<c8", [2, 2], []), labels: Self.labels) }.message.hasPrefix(
        "elements of type \"<c8\""))
    #expect(try message("") == "a broken NumPy header: \"{\" is missing")
    #expect(try message("{}").hasPrefix("a broken NumPy header: it names []"))
    #expect(try message("{'descr': '|u1'").contains("\"}\" is missing"))
    #expect(try message("{'descr': '|u1").contains("a string does not end"))
    #expect(try message("{'x': '|u1'}").contains("\"x\" is no key of it"))
    #expect(try message("{'shape': (2, -2), }").contains("up to 8 numbers"))
    #expect(try message("{'shape': (99999999999999999999,), }").contains("up to 8 numbers"))
    #expect(try message("{'shape': (1,1,1,1,1,1,1,1,1), }").contains("up to 8 numbers"))
    #expect(try message("{'fortran_order': 1}").contains("neither True nor False"))
    let huge = "{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 4), }"
    #expect(try message(huge).contains("is too large"))
    let empty = "{'descr': '|u1', 'fortran_order': False, 'shape': (0, 4611686018427387904, 4), }"
    #expect(try message(empty).contains("is too large"))
  }

  @Test func whatDoesNotFit() throws {
    let x = npy("|u1", [2, 2], [1, 2, 3, 4])
    #expect(
      try failure { try read(x, labels: npy("|u1", [3], [0, 0, 0])) }.message.hasPrefix("3 labels for the 2 samples"))
    #expect(
      try failure { try read(x, labels: npy("<f4", [2], bytes([0, 1] as [Float]))) }.message.hasPrefix(
        "labels are integers"))
    #expect(
      try failure { try read(x, labels: npy("|i1", [2], [0, 0xFF])) }.message
        == "sample 2 has the label -1; the labels of 1048576 classes are 0 to 1048575")
    #expect(
      try failure { try read(x, labels: npy("|u1", [2], [0, 3]), classCount: 3) }.message
        == "sample 2 has the label 3; the labels of 3 classes are 0 to 2")
    #expect(
      try failure { try read(npy("|u1", [4], [1, 2, 3, 4]), labels: Self.labels) }.message.hasPrefix(
        "samples have 2 to 4 axes"))
    #expect(
      try failure { try read(npy("<u8", [2], bytes([0, UInt64.max] as [UInt64])), labels: x) }.message.hasPrefix(
        "samples have"))
  }
}
