import Compression
import Diagnostics
import Network
import Testing

@testable import Analysis
@testable import Pipeline
@testable import Scripting

@Suite struct SensitivityTests {
  static let head =
    preamble + """
      local m = train(net, { data = data, batch = 25, epochs = 3 })
      local held = digits.test:take(200)

      """

  @Test func whatItSaysIsWhatPruningGives() throws {
    let result = try run(
      Self.head + """
        local function check(strategy, option)
          local scan = sensitivity(m, { strategy = strategy, data = held, shares = { 0.25, 0.75 } })
          print(#scan.parts, scan.parts[1].name, scan.baseline == evaluate(m, held).accuracy)
          local alone = prune(m, strategy, option)
          print(scan.parts[1].accuracy[2] == evaluate(alone, held).accuracy, #scan.parts[1].accuracy)
        end
        check(use "filter_l1" {}, { ratios = { 0.75 } })
        check(use "global_magnitude" { skip = "dense" }, { sparsity = 0.75 })
        """)
    #expect(result.printed == ["1\tconv\ttrue", "true\t2", "1\tconv\ttrue", "true\t2"])
    let stages = result.outcome.stages.filter { $0.work.kind == "sensitivity" }
    #expect(stages.count == 2 && stages[0].key != stages[1].key)
  }

  @Test func ratiosMeetTheTarget() throws {
    let result = try run(
      FilterPruningTests.residual + """
        local m = train(net, { data = data, batch = 25 })
        local scan = sensitivity(m, {
          strategy = use "filter_taylor" {}, data = data, samples = data, shares = { 0.5, 0.9 } })
        local ratios = scan:ratios { macs = 0.6 }
        local less = prune(m, use "filter_taylor" {}, { ratios = ratios, samples = data })
        print(#ratios == #scan.parts, m:cost().macs, less:cost().macs)
        """)
    let words = result.printed[0].split(separator: "\t")
    let share = Double(words[2])! / Double(words[1])!
    #expect(words[0] == "true" && share <= 0.601 && share > 0.5, "\(share)")
  }

  @Test func partsThatCostLessGiveMore() throws {
    let net = try Zoo.entry("lenet5").graph(Zoo.entry("lenet5").defaults)
    let groups = ChannelGroups(net).groups.map(\.producers)
    let open = groups.prefix(2)
    let sensitivity = Sensitivity(
      baseline: 0.9, shares: [0.2, 0.8],
      parts: [.init(layers: open[0], accuracies: [0.9, 0.9]), .init(layers: open[1], accuracies: [0.8, 0.3])])
    // What costs nothing is enough, and less than all of it.
    let gentle = try sensitivity.ratios(for: .channels(0.1), of: net)
    #expect(gentle[0] > 0.2 && gentle[0] < 0.8 && gentle[1] == 0)
    let harder = try sensitivity.ratios(for: .channels(0.6), of: net)
    #expect(harder[0] == 0.8 && harder[1] > 0.2 && harder[1] < 0.8)
    do {
      _ = try sensitivity.ratios(for: .channels(0.95), of: net)
      Issue.record("must fail")
    } catch let error as CompressError { #expect(error.message.contains("cannot be reached")) }
  }

  @Test func partsThatMatterMostComeFirst() throws {
    let sensitivity = Sensitivity(
      baseline: 0.9, shares: [0.2, 0.8],
      parts: [
        .init(layers: ["a"], accuracies: [0.9, 0.8]), .init(layers: ["b"], accuracies: [0.5, 0.1]),
        .init(layers: ["c"], accuracies: [0.9, 0.8]), .init(layers: ["d"], accuracies: [0.7, 0.2]),
        .init(layers: ["e"], accuracies: [0.9, 0.9]),
      ])
    #expect(abs(sensitivity.importance(of: sensitivity.parts[1]) - 0.6) < 1e-12)
    #expect(try sensitivity.spread([0.1, 0.2, 0.3, 0.4, 0.5]) == [0.3, 0.1, 0.4, 0.2, 0.5])
    #expect(try sensitivity.spread([0.1, 0.2]) == [0.1, 0.1, 0.2, 0.1, 0.2])
    #expect(try sensitivity.spread([0.1]) == [0.1, 0.1, 0.1, 0.1, 0.1])
    for values in [[], [Double](repeating: 0, count: 6)] {
      let error = #expect(throws: CompressError.self) { try sensitivity.spread(values) }
      #expect(error?.message.contains("5 parts") == true)
    }
  }

  @Test func scriptsSeeImportanceAndATable() throws {
    let result = try run(
      Self.head + """
        local scan = sensitivity(m, { strategy = use "filter_l1" {}, data = held, shares = { 0.25, 0.75 } })
        local part = scan.parts[1]
        print(math.abs(part.importance - (scan.baseline - (part.accuracy[1] + part.accuracy[2]) / 2)) < 1e-9)
        print(scan:spread({ 0.4 })[1], scan:summary():find("conv", 1, true) ~= nil, scan:summary():find("-75 %", 1, true) ~= nil)
        """)
    #expect(result.printed == ["true", "0.4\ttrue\ttrue"])
  }

  @Test(arguments: [
    ("{ strategy = use 'n_m' {}, data = held }", "no shares to try"),
    ("{ strategy = use 'random' {}, data = held, shares = { 0.5, 0.2 } }", "ascend"),
    ("{ strategy = use 'random' {}, data = held, shares = {} }", "ascend"),
    ("{ strategy = use 'taylor' {}, data = held }", "needs gradients"),
    ("{ strategy = use 'linear' { to = 1 }, data = held }", "schedule plugin"),
    ("{ strategy = use 'random' {} }", "data"),
  ])
  func mistakesAreNamed(_ options: String, _ expected: String) {
    let error = failure(Self.head + "sensitivity(m, \(options))")
    #expect(error?.message.contains(expected) == true, "\(String(describing: error))")
  }

  @Test func ratiosAreOfFilters() {
    let error = failure(
      Self.head + "sensitivity(m, { strategy = use 'random' {}, data = held, shares = { 0.5 } }):ratios { macs = 0.5 }")
    #expect(error?.message.contains("prune filters") == true, "\(String(describing: error))")
    let two = failure(
      Self.head + "sensitivity(m, { strategy = use 'filter_l1' {}, data = held, shares = { 0.5 } }):ratios {}")
    #expect(two?.message.contains("one target") == true)
    let word = failure(
      Self.head
        + "sensitivity(m, { strategy = use 'filter_l1' {}, data = held, shares = { 0.5 } }):spread { 0.1, 'x' }")
    #expect(word?.message.contains("a list of numbers") == true)
  }
}
