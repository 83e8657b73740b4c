import Diagnostics
import LuaHost
import Tensors
import Testing

@testable import Scripting

@Suite struct OptionKeyTests {
  private enum Flavour: String, CaseIterable { case sweet, sour }

  private enum Keys {
    static var count: OptionKey<Int> { .init("count", .integer, standard: 3, minimum: 1) }
    static var flavour: OptionKey<Flavour> { .init("flavour", .choice(of: Flavour.self), standard: .sour) }
    static var names: OptionKey<[String]> { .required("names", .patterns) }
    static var share: OptionKey<Double?> { .optional("share", .ratio) }
    static var target: OptionKey<PerRound<Double>?> { .optional("target", .perRound(.number)) }
    static var ratios: OptionKey<PerRound<[Double]>?> { .optional("ratios", .listPerRound) }
    static var schema: OptionSchema { OptionSchema("Test", [count, flavour, names, share, target, ratios]) }
  }

  private func read(_ table: String) throws -> OptionValues {
    let state = LuaState(seed: 0, random: { SeededRandom(seed: $0) }, print: { _ in })
    let results = try state.call(state.load("return \(table)", name: "t"), [])
    return try withExtendedLifetime(state) { try Keys.schema.read(#require(results.first?.table)) }
  }

  @Test func valuesHaveTheTypeOfTheirOption() throws {
    let plain = try read("{ names = 'a*' }")
    #expect(plain[Keys.count] == 3 && plain[Keys.flavour] == .sour && plain[Keys.names] == ["a*"])
    #expect(plain[Keys.share] == nil && plain[Keys.target] == nil && !plain.has(Keys.share) && plain.has(Keys.count))
    let given = try read("{ names = { 'a', 'b' }, count = 7, flavour = 'sweet', share = 0.5, target = 2 }")
    #expect(given[Keys.count] == 7 && given[Keys.flavour] == .sweet && given[Keys.names] == ["a", "b"])
    #expect(given[Keys.share] == 0.5)
    #expect(given[Keys.target] == .together(2), "a number is for all rounds together")
    let lists = try read("{ names = 'a', target = { 1, 2 }, ratios = { { 0.5 }, { 0.25 } } }")
    #expect(lists[Keys.target] == .each([1, 2]), "a list is for each round")
    #expect(lists[Keys.ratios] == .each([[0.5], [0.25]]), "so is a list of lists")
    let one = try read("{ names = 'a', ratios = { 0.5, 0.25 } }")
    #expect(one[Keys.ratios] == .together([0.5, 0.25]), "one list is for all rounds")
  }

  @Test func declarationsAreThoseOfTheSchema() {
    let options = Keys.schema.options
    #expect(options.map(\.name) == ["count", "flavour", "names", "share", "target", "ratios"])
    #expect(options.map(\.isRequired) == [false, false, true, false, false, false])
    #expect(options[0].minimum == 1 && options[0].type.description == "an integer")
    #expect(options[1].type.description == "one of \"sweet\", \"sour\"")
    #expect(options[4].type.description == "a number, or a list of numbers")
    #expect(throws: CompressError.self) { try read("{}") }
    #expect(throws: CompressError.self) { try read("{ names = 'a', flavour = 'bitter' }") }
  }
}
