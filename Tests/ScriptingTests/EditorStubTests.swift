import Foundation
import Testing

@testable import Scripting

@Suite struct EditorStubTests {
  @Test func everythingDefinedHasAType() throws {
    #expect(try EditorStubs.untyped() == [])
  }

  @Test func theShippedStubsAreUpToDate() throws {
    let shipped = try String(contentsOfFile: sourceRoot + "/plugins/meta/compress.lua", encoding: .utf8)
    #expect(try EditorStubs.text() == shipped, "run: compress meta --out plugins/meta/compress.lua")
  }

  @Test func theyAreLua() throws {
    let text = try EditorStubs.text()
    for line in text.split(separator: "\n") where !line.hasPrefix("--") {
      #expect(
        line.wholeMatch(of: /local \w+ = \{\}|\w+ = \{\}|function [\w.:]+\((\w+(, \w+)*|\.\.\.)?\) end/) != nil,
        "\(line)")
    }
  }
}
