import Diagnostics
import Foundation
import Network
import TestSupport
import Tensors
import Testing

@testable import CSource

/// What a model says is text in comments and strings, and nothing else.
@Suite struct TextTests {
  private static let hostile = [
    "a */ int main(void) { return 1; } /*", "line\n#error broken\n", "end??/\nof line\\", "\"quoted\" \\",
    "\u{202E}names\u{0}",
    "// comment", "@fma(1)", "int", "9lives", String(repeating: "long", count: 40),
  ]

  @Test func commentsAndNamesHoldNothingElse() {
    for text in Self.hostile {
      let comment = CText.comment(text)
      #expect(!comment.contains("*") && !comment.contains("\\") && !comment.contains("\n") && !comment.contains("??"))
      #expect(comment.utf8.allSatisfy { (32..<127).contains($0) })
      let name = CText.identifier(text)
      #expect(name.wholeMatch(of: #/[A-Za-z][A-Za-z0-9_]*/#) != nil, "\(name)")
    }
    #expect(CText.identifier("") == "net" && CText.identifier("9lives") == "net_9lives")
    #expect(CText.string("a\"?\\é") == "\"a\\042\\077\\134\\303\\251\"")
  }

  @Test func numbersAreExact() {
    var random = SeededRandom(seed: 4)
    for _ in 0..<200 {
      let value = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
      guard value.isFinite else { continue }
      let text = CText.float(value)
      #expect(text.hasSuffix("f") && Float(text.dropLast())?.bitPattern == value.bitPattern)
    }
    #expect(CText.float(-.infinity) == "-__builtin_inff()")
  }

  /// Layers, classes and the file itself called as badly as can be: it compiles without a warning, and what the names
  /// would do is not done.
  @Test func hostileNamesCompile() throws {
    guard let compiler = CompiledNetworks.compiler else { return }
    let compiled = try CompiledNetworks()
    defer { compiled.remove() }
    var net = GraphBuilder(input: [4])
    for name in Self.hostile.prefix(6) {
      net.dense(4, name: name)
      net.activation(.relu, name: name + " relu")
    }
    net.dense(3, name: "scores")
    var random = RandomNetworks(2), model = try random.model(net.graph())
    model.adopt(try ModelSignature(classes: Array(Self.hostile.prefix(3)), preprocessing: nil))
    let file = try CSourceFile(model, name: "a??/b*/\"c")
    #expect(file.prefix == "a___b___c")
    try file.write(to: compiled.folder.appendingPathComponent("net.c").path)
    let header = String(decoding: file.header, as: UTF8.self), source = String(decoding: file.source, as: UTF8.self)
    #expect(header.contains("a___b___c_classes[3]"))
    // The header's name in the source is that of the prefix; here the file is called otherwise.
    try source.replacing("a___b___c.h", with: "net.h").write(
      to: compiled.folder.appendingPathComponent("net.c"), atomically: true, encoding: .utf8)
    let result = try compiled.run(
      compiler, CompiledNetworks.flags + ["-DA___B___C_WITH_CLASSES", "-trigraphs", "-c", "net.c", "-o", "net.o"])
    #expect(result.status == 0, "\(result.text.prefix(2000))")
  }

  /// A header that C's own would be mistaken for.
  @Test(arguments: ["string", "stdint", "MATH"]) func namesOfStandardHeadersAreRefused(_ name: String) throws {
    var net = GraphBuilder(input: [4])
    net.dense(3)
    var random = RandomNetworks(2)
    let model = try random.model(net.graph())
    #expect(throws: CompressError.self) { try CSourceFile(model, name: name) }
    _ = try CSourceFile(model, name: name + "2")
  }

  @Test func whatIsTooLargeIsNotWritten() throws {
    let compiled = try CompiledNetworks()
    defer { compiled.remove() }
    var net = GraphBuilder(input: [4])
    net.dense(3)
    var random = RandomNetworks(2)
    let file = try CSourceFile(try random.model(net.graph()), name: "net")
    let path = compiled.folder.appendingPathComponent("net.c").path
    #expect(throws: CompressError.self) { try file.write(to: path, limit: 100) }
    #expect(!FileManager.default.fileExists(atPath: path))
    #expect(!FileManager.default.fileExists(atPath: CSourceFile.headerPath(path)))
    #expect(try file.write(to: path) == file.source.count + file.header.count)
    // The same model, the same bytes.
    var again = RandomNetworks(2)
    #expect(try CSourceFile(try again.model(net.graph()), name: "net").source == file.source)
  }
}
