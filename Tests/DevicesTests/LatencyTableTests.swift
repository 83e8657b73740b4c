import Diagnostics
import Foundation
import Testing

@testable import Devices

@Suite struct LatencyTableTests {
  private static func key(_ operation: String, _ width: Int) -> LatencyTable.Key {
    LatencyTable.Key(
      operation: operation, arithmetic: "int8", inputs: [[8, 8, 3]], output: [8, 8, width], macs: 27 * width,
      kernel: "u8s8_patches")
  }

  private static func table() -> LatencyTable {
    var table = LatencyTable(LatencyTable.Machine(name: "A \"board\"", isa: "neon", threads: 2))
    table.add([(key("conv 3x3", 4), 0.25), (key("conv 3x3", 8), 0.5), (key("dense", 8), 1e-5)])
    return table
  }

  @Test func whatIsWrittenIsRead() throws {
    let text = try Self.table().text(), read = try LatencyTable(text: text)
    #expect(read == Self.table() && read[Self.key("conv 3x3", 8)] == 0.5)
    #expect(try read.text() == text)
    #expect(text.split(separator: "\n").count == 7, "a line for each layer")
  }

  @Test func measuredAgainIsKnownAnew() throws {
    var table = Self.table()
    // Of a layer that occurs several times, the one in the middle.
    let new = table.add([
      (Self.key("conv 3x3", 4), 3), (Self.key("conv 3x3", 4), 1), (Self.key("conv 3x3", 4), 2),
      (Self.key("relu", 4), 7),
    ])
    #expect(new == 1 && table.count == 4 && table[Self.key("conv 3x3", 4)] == 2)
    #expect(table[Self.key("conv 3x3", 5)] == nil)
  }

  @Test(arguments: [
    ("compress latency table", "results"), ("\"version\": 1", "\"version\": 2"), ("\"threads\":2", "\"threads\":0"),
    ("0.25", "-0.25"), ("0.25", "1e12"), ("0.25", "\"x\""), ("[8,8,3]", "[8,-8,3]"), ("[8,8,3]", "[]]"),
    ("[8,8,4]", "[1,1,1,1,1,1,1,1,1]"), ("\"macs\":108", "\"macs\":-1"), ("[8,8,4]", "[8,8,8]"), ("\"ms\"", "\"s\""),
    ("}\n]}", ""),
  ])
  func isRefused(_ part: String, _ other: String) throws {
    let text = try Self.table().text()
    let range = try #require(text.range(of: part), "\(part) is not in \(text)")
    var changed = text.replacingCharacters(in: range, with: other)
    // Two layers that are the same.
    if part == "[8,8,4]", other == "[8,8,8]" { changed = changed.replacing("\"macs\":108", with: "\"macs\":216") }
    #expect(throws: CompressError.self) { try LatencyTable(text: changed) }
  }

  @Test func whatADeviceDoesNotRunIsNamed() throws {
    let device = DeviceDescription(name: "chip", bits: [8], operators: ["conv2d", "dense"])
    try device.check([("a", "conv2d", 8), ("b", "dense", nil)], of: "it")
    let bits = #expect(throws: CompressError.self) { try device.check([("a", "conv2d", 32)], of: "it") }
    #expect(bits?.layer == "a" && bits?.message == "it: \"chip\" does not run weights of 32 bits; it runs 8")
    let kind = #expect(throws: CompressError.self) { try device.check([("a", "attention", 8)], of: "it") }
    #expect(kind?.message == "it: \"chip\" does not run attention; it runs conv2d, dense")
  }
}
