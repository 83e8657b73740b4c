import Diagnostics
import Foundation
import LuaHost
import Reports
import Scripting
import Testing

@testable import Experiments

@Suite struct SweepSpaceTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func write(_ name: String, _ text: String) throws -> String {
    let path = "\(folder.path)/\(name)"
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    return path
  }

  private func declared(
    _ params: String =
      "a = { 0.5, min = 0, max = 1 }, n = { 3, min = 0 }, s = { 'x', choices = { 'x', 'y' } }, b = { true }"
  ) throws -> [ParamDeclaration] {
    let script = try write("script.lua", "local p = params { \(params) }\nerror('too far')")
    return try ScriptSession.declarations(of: ScriptSession.Options(script: script))
  }

  private func message(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return ""
  }

  @Test func declarationsComeWithoutRunningWhatFollows() throws {
    let params = try declared().sorted { $0.name < $1.name }
    #expect(params.map(\.name) == ["a", "b", "n", "s"])
    #expect(params.map(\.isInteger) == [false, false, true, false])
    let none = try write("none.lua", "local x = 1")
    #expect(try ScriptSession.declarations(of: ScriptSession.Options(script: none)).isEmpty)
    let broken = try write("broken.lua", "local p = parms {}")
    #expect(
      message { _ = try ScriptSession.declarations(of: ScriptSession.Options(script: broken)) }.contains("broken.lua:1")
    )
  }

  @Test func axesAreReadAsTheyAreWritten() throws {
    #expect(try SweepAxis("k=a,b").values == .list(["a", "b"]))
    #expect(try SweepAxis("k=0.5:0.8:0.1").values == .list(["0.5", "0.6", "0.7", "0.8"]))
    #expect(try SweepAxis("k=1:2:0.3").values == .list(["1", "1.3", "1.6", "1.9"]))
    #expect(try SweepAxis("k=3:3:1").values == .list(["3"]))
    #expect(try SweepAxis("k=0:1").values == .range(0, 1, isLogarithmic: false))
    #expect(try SweepAxis("k=1e-4:1e-1:log").values == .range(1e-4, 1e-1, isLogarithmic: true))
    #expect(try SweepAxis("k=a:b").values == .list(["a:b"]))
    for text in ["k", "=1", "k=", "k=1,,2", "k=2:1:0.5", "k=0:1:0", "k=0:1:-1", "k=0:1:log", "k=1:1", "k=0:1e9:1e-3"] {
      #expect(throws: CompressError.self, "\(text)") { try SweepAxis(text) }
    }
  }

  /// What is wrong is told of the option, or the field of the file, that says it.
  @Test func mistakesNameWhereTheyStand() throws {
    let declared = try declared()
    func problem(_ grid: [String], fixed: [(String, String)] = [], sampling: SweepSpace.Sampling = .grid) -> String {
      message {
        var space = SweepSpace()
        space.axes = try grid.map(SweepAxis.init)
        space.fixed = fixed.map { (name: $0.0, value: $0.1) }
        space.sampling = sampling
        _ = try space.dropRepeated(declared: declared)
        _ = try space.points(declared: declared, seed: 0)
      }
    }
    #expect(problem(["a=abc"]).hasPrefix("--grid a=abc: must be a number"))
    #expect(problem(["b=0:1"], sampling: .random(1)).hasPrefix("--grid b=0."))
    #expect(problem(["a=0.1"], fixed: [("n", "x")]).hasPrefix("--set n=x: must be an integer"))
    #expect(problem(["q=1"]).hasPrefix("--grid q: the script has no param"))
    #expect(problem(["a=0.1"], fixed: [("q", "1")]).hasPrefix("--set q: the script has no param"))
    let path = try write(
      "sweep.lua", "return sweep { script = 'script.lua', grid = { a = 'abc' }, set = { n = 'x' } }")
    var space = try SweepFile(path, seed: 0, limits: LuaLimits()).space
    #expect(message { _ = try space.points(declared: declared, seed: 0) }.contains("set: n=x: must be an integer"))
    space.fix("n", "y")
    #expect(message { _ = try space.points(declared: declared, seed: 0) }.contains("--set n=y: must be an integer"))
    space.fix("n", "4")
    #expect(message { _ = try space.points(declared: declared, seed: 0) }.contains("grid: a=abc: must be a number"))
    // Nothing is said of a flag that was not given.
    let goal = try SweepGoal(
      metric: .accuracy, limits: [], drop: nil, variant: nil, budget: SweepGoal.Budget("b=1:9"), factor: 3)
    #expect(message { try SweepSearch.check(goal, SweepSpace(), declared: declared) }.contains("--budget b=1: must be"))
  }

  @Test func aGridIsEveryCombinationInOrder() throws {
    var space = SweepSpace()
    space.axes = try [SweepAxis("a=0.1,0.2"), SweepAxis("s=x,y")]
    space.seeds = try SweepSpace.seeds(2, from: 7)
    let points = try space.points(declared: declared(), seed: 7)
    #expect(points.map(\.number) == Array(1...8))
    #expect(
      points.map(\.text) == [
        "a=0.1 s=x", "a=0.1 s=x", "a=0.1 s=y", "a=0.1 s=y", "a=0.2 s=x", "a=0.2 s=x", "a=0.2 s=y", "a=0.2 s=y",
      ])
    #expect(points.map(\.seed) == [7, 8, 7, 8, 7, 8, 7, 8])
  }

  @Test func conditionsLeavePointsOut() throws {
    var space = SweepSpace()
    space.axes = try [SweepAxis("a=0.1,0.2,0.3"), SweepAxis("s=x,y")]
    space.fixed = [("n", "4")]
    space.condition = { params in
      #expect(params["n"] == .number(4))
      #expect(params["b"] == .bool(true))
      return params["s"] == .string("y") || params["a"] == .number(0.2)
    }
    #expect(
      try space.points(declared: declared(), seed: 0).map(\.text) == [
        "a=0.1 s=y", "a=0.2 s=x", "a=0.2 s=y", "a=0.3 s=y",
      ])
    space.condition = { _ in false }
    #expect(message { _ = try space.points(declared: declared(), seed: 0) }.contains("leaves no point"))
    space.sampling = .random(2)
    #expect(message { _ = try space.points(declared: declared(), seed: 0) }.contains("refuses nearly everything"))
  }

  @Test func whatIsWrongIsSaid() throws {
    let declared = try declared()
    func problem(_ axes: [String], _ fixed: [(String, String)] = []) -> String {
      message {
        var space = SweepSpace()
        space.axes = try axes.map(SweepAxis.init)
        space.fixed = fixed.map { ($0.0, $0.1) }
        _ = try space.points(declared: declared, seed: 0)
      }
    }
    #expect(problem(["c=1"]).contains("no param \"c\""))
    #expect(problem(["a=0.5,1.5"]).contains("is 1.5, outside 0 to 1"))
    #expect(problem(["s=x,z"]).contains("\"z\", no choice"))
    #expect(problem(["n=1:2:0.5"]).contains("must be an integer"))
    #expect(problem(["a=0:1"]).contains("a grid cannot list it"))
    #expect(problem(["a=0.5", "a=0.6"]).contains("swept over twice"))
    #expect(problem(["a=0.5"], [("a", "0.6")]).contains("set and swept over"))
    #expect(problem(["a=0:1:0.001", "n=0:1000:1"]).contains("more than 100000"))
  }

  @Test func samplesFollowTheSeed() throws {
    var space = SweepSpace()
    space.axes = try [SweepAxis("a=0:1"), SweepAxis("n=1:1000:log"), SweepAxis("s=x,y")]
    space.sampling = .random(40)
    let declared = try declared()
    let points = try space.points(declared: declared, seed: 3)
    #expect(points.count == 40)
    #expect(try points == space.points(declared: declared, seed: 3))
    #expect(try points != space.points(declared: declared, seed: 4))
    for point in points {
      let values = Dictionary(uniqueKeysWithValues: point.settings.map { ($0.name, $0.value) })
      #expect((0...1).contains(Double(values["a"]!)!))
      #expect(Int(values["n"]!).map { (1...1000).contains($0) } == true)
    }
    #expect(Set(points.map { $0.settings[2].value }) == ["x", "y"])
    // Half of a logarithmic axis lies below the geometric mean.
    #expect(points.count { Double($0.settings[1].value)! < 31.6 } > 10)
  }

  @Test func aLatinHypercubeMeetsEveryPartOnce() throws {
    var space = SweepSpace()
    space.axes = try [SweepAxis("a=0:1"), SweepAxis("s=x,y")]
    space.sampling = .latin(10)
    let points = try space.points(declared: declared(), seed: 5)
    #expect(Set(points.map { Int(Double($0.settings[0].value)! * 10) }) == Set(0..<10))
    #expect(points.count { $0.settings[1].value == "x" } == 5)
    #expect(points.map { $0.settings[0].value } != points.map { $0.settings[0].value }.sorted())
  }

  // MARK: Sweep files

  private func file(_ body: String) throws -> SweepFile {
    _ = try declared()
    return try SweepFile(try write("sweep.lua", "return sweep {\n\(body)\n}"), seed: 2, limits: LuaLimits())
  }

  @Test func aSweepsFileSaysTheSame() throws {
    let file = try file(
      """
      script = "script.lua", seeds = 2, set = { b = false },
      grid = { s = { "x", "y" }, a = range(0.1, 0.3, 0.1) },
      when = function(p) return not p.b and (p.s == "y" or p.a > 0.25) end,
      """)
    #expect(file.script == folder.path + "/script.lua")
    let points = try file.space.points(declared: declared(), seed: 0)
    #expect(points.filter { $0.seed == 2 }.map(\.text) == ["a=0.1 s=y", "a=0.2 s=y", "a=0.3 s=x", "a=0.3 s=y"])
    #expect(points.count == 8)
    #expect(try SweepFile.looksLikeSweep(folder.path + "/sweep.lua"))
    #expect(try !SweepFile.looksLikeSweep(folder.path + "/script.lua"))
  }

  @Test func aSweepsFileSamples() throws {
    let file = try file(
      "script = 'script.lua', latin = 6, seeds = { 4, 9 }, grid = { a = between(0, 1), n = log_between(1, 100) }")
    let points = try file.space.points(declared: declared(), seed: 0)
    #expect(points.count == 12)
    #expect(Set(points.map(\.seed)) == [4, 9])
  }

  @Test func aSweepsFileIsChecked() throws {
    for (body, words) in [
      ("grid = {}", "names its script"), ("script = '../x.lua'", "no file name inside"),
      ("script = 'script.lua', gird = {}", "did you mean \"grid\"?"), ("script = 'script.lua', seeds = 0", "0 seeds"),
      ("script = 'script.lua', random = 2, latin = 2", "one of them"),
      ("script = 'script.lua', grid = { a = {} }", "has no values"),
      ("script = 'script.lua', grid = { a = range(1, 0, 1) }", "leads nowhere"),
      ("script = 'script.lua', when = 3", "when is a function"),
      ("script = 'script.lua', x = os", "global variable \"os\" is not defined"),
    ] {
      let said = message { _ = try file(body) }
      #expect(said.contains(words) && said.contains("sweep.lua"), "\(said)")
    }
  }
}
