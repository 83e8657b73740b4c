import Diagnostics
import Testing

@Suite struct CompressErrorTests {
  @Test func theInnermostPlaceWins() {
    let error = CompressError("kernel too large", hint: "pad it")
      .at(layer: "conv").at(layer: "outer").at(file: "m.cmpr").at(file: "other")
      .at(script: "a.lua", line: 12).at(script: "b.lua", line: 1)
    #expect(error.description == "a.lua:12: m.cmpr: layer \"conv\": kernel too large\n  hint: pad it")
    #expect(CompressError("x").description == "x")
    #expect(CompressError("x").at(script: "a.lua", line: nil).description == "a.lua: x")
  }

  @Test func exitStatuses() {
    let statuses: [(CompressError.Kind, Int32)] = [
      (.usage, 2), (.input, 2), (.system, 3), (.limit, 4), (.cancelled, 130),
    ]
    for (kind, status) in statuses { #expect(CompressError("", kind: kind).exitStatus == status) }
    #expect(CompressError("").kind == .usage)
  }

  @Test func wrappersNameThePlace() throws {
    struct Other: Error {}
    #expect(throws: CompressError("m").at(layer: "l")) { try atLayer("l") { throw CompressError("m") } }
    #expect(throws: CompressError("m").at(file: "f")) { try atFile("f") { throw CompressError("m") } }
    #expect(throws: Other.self) { try atLayer("l") { throw Other() } }
    #expect(try atFile("f") { 3 } == 3)
  }
}
