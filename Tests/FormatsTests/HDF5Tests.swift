import Diagnostics
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Formats

/// Files that `Tests/Fixtures/hdf5.py` made, read by the program that does; and what such a program could say.
@Suite struct HDF5Tests {
  private func read(_ bytes: [UInt8]) throws -> HDF5File { try bytes.withUnsafeBytes { try HDF5File($0) } }
  private func bytes(_ name: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: URL(fileURLWithPath: fixture(name))))
  }

  @Test func whatAFileHolds() throws {
    let file = try read(bytes("hdf5-plain.h5"))
    #expect(file.text("text") == "größer" && file.attributes[""]?["fixed"] == ["a", "bcd"])
    #expect(file.attributes[""]?["number"] == nil && file.texts("names", of: "/group") == ["x", "", "y"])
    let types: [String: ElementType] = [
      "f2": .float16, "lf4": .float32, "bf4": .float32, "f8": .float64, "i1": .int8, "i2": .int16, "bi4": .int32,
      "i8": .int64, "u1": .uint8, "u2": .uint16, "u4": .uint32, "u8": .uint64,
    ]
    for (name, type) in types {
      let set = try #require(file.dataSets["/group/\(name)"], "\(name)")
      #expect(set.type == type && set.shape == [1, 3] && set.floats.array(Float.self) == [1, 2, 100], "\(name)")
    }
    #expect(file.dataSets["/group/scalar"]?.floats.item == 0.5 && file.dataSets["/group/empty"]?.shape == [0, 3])
    #expect(file.dataSets["/group/chunked"]?.floats.array(Float.self) == (0..<12).map { Float($0) })
    #expect(file.dataSets["/group/texts"] == nil && file.dataSets.count == types.count + 3)
  }

  @Test(
    arguments: [
      ("external-link", "\"/there\" is a link to something elsewhere, which is not followed"),
      ("soft-link", "\"/there\" is a link to something elsewhere, which is not followed"),
      ("circle", "is nested more than 32 deep"), ("deep", "is nested more than 32 deep"),
      ("filtered", "data set \"/x\" is compressed or filtered"),
      ("claim", "\"/x\" has more bytes than the file"),
      ("never-written", "data set \"/x\" claims more than its file holds"),
      ("external", "data set \"/x\" is in another file"),
      ("virtual", "data set \"/x\" is made of data sets elsewhere (virtual)"),
      ("many", "has more bytes than the file"),
    ])
  func whatAFileMayNot(_ name: String, _ says: String) throws {
    let bytes = try bytes("hdf5-\(name).h5")
    #expect(message { _ = try read(bytes) }.contains(says), "\(message { _ = try read(bytes) })")
  }

  @Test func whatIsNoFile() throws {
    for bytes in [[], [1, 2, 3], [UInt8](repeating: 0, count: 5000)] as [[UInt8]] {
      #expect(message { _ = try read(bytes) } == "is broken, or no HDF5 file")
    }
  }

  /// Whatever becomes of a file, reading it ends in its content or a `CompressError`, and so does the process that read
  /// it.
  @Test func damagedFiles() throws {
    let whole = try bytes("sequential.h5")
    var random = SeededRandom(seed: 31)
    func tried(_ bytes: [UInt8]) throws {
      do { _ = try read(bytes) } catch is CompressError {}
    }
    for count in stride(from: 0, to: whole.count, by: whole.count / 12) { try tried(Array(whole[..<count])) }
    // Ten thousand when COMPRESS_SOAK is set: each is a process.
    for _ in 0..<(ProcessInfo.processInfo.environment["COMPRESS_SOAK"] == nil ? 60 : 10_000) {
      var broken = whole
      for _ in 0...random.below(12) { broken[random.below(broken.count)] = UInt8(random.below(256)) }
      try tried(broken)
    }
  }

  // MARK: What such a program could say

  /// What is made of bytes that it might have written of a file of 1,000 bytes.
  private func said(_ bytes: [UInt8]) -> String {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return "no pipe" }
    _ = bytes.withUnsafeBytes { write(ends[1], $0.baseAddress, $0.count) }
    close(ends[1])
    defer { close(ends[0]) }
    do {
      var stream = HDF5Stream(ends[0])
      _ = try HDF5File(&stream, fileBytes: 1000)
      return "nothing was thrown"
    } catch let error as HDF5Stream.Ended { return error.explained(status: 0).message } catch {
      return (error as? CompressError)?.message ?? "\(error)"
    }
  }

  @Test func programsThatLie() {
    func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] { NativeFormat.littleEndian(value) }
    func text(_ text: String) -> [UInt8] { little(UInt32(text.utf8.count)) + text.utf8 }
    func set(_ type: [UInt8], _ extents: [UInt64], _ count: UInt64, _ bytes: Int) -> [UInt8] {
      Array("D".utf8) + text("/x") + type + [UInt8(extents.count)] + extents.flatMap { little($0) } + little(count)
        + [UInt8](repeating: 0, count: bytes)
    }
    let magic = Array("CHDF5\u{1}".utf8), f4 = [UInt8(ascii: "f"), 4], end = Array("E".utf8)
    #expect(said(magic + set(f4, [2], 8, 8) + end) == "nothing was thrown")
    #expect(said(magic + end) == "nothing was thrown")
    let meaningless = "what the process that reads HDF5 files says has no meaning"
    #expect(said(Array("CHDF5\u{2}".utf8) + end).contains(meaningless))
    #expect(said(magic + Array("?".utf8)).contains(meaningless))
    #expect(said(magic + set(f4, [2], 8, 8) + set(f4, [2], 8, 8) + end).contains(meaningless))
    #expect(said(magic + set(f4, [2], 9, 9) + end).contains(meaningless))
    #expect(said(magic + set(f4, [1 << 20], 1 << 22, 8) + end).contains(meaningless))
    #expect(said(magic + set([UInt8(ascii: "f"), 3], [2], 6, 6) + end).contains(meaningless))
    #expect(said(magic + set(f4, [.max, .max], 8, 8) + end).contains("has more than"))
    #expect(said(magic + set(f4, [UInt64](repeating: 1, count: 9), 4, 4) + end).contains("at most 8 axes"))
    #expect(said(magic + Array("A".utf8) + little(UInt32.max)).contains(meaningless))
    #expect(said(magic + Array("A".utf8) + text("/x") + text("y") + little(UInt32.max)).contains(meaningless))
    #expect(
      said(magic + Array("A".utf8) + text("/x") + text("y") + little(UInt32(1)) + little(UInt32(2000))).contains(
        meaningless))
    #expect(said(magic + Array("X".utf8) + text("is broken\nerror: no")) == "is broken\\u{A}error: no")
    #expect(said(magic + Array("X".utf8) + little(UInt32.max)).contains(meaningless))
    for bytes in [[], magic, magic + set(f4, [2], 8, 4)] { #expect(said(bytes).contains("ended with status 0")) }
  }
}
