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
      measure: .accuracy, baseline: 0.9, shares: [0.2, 0.8],
      parts: [.init(layers: open[0], scores: [0.9, 0.9]), .init(layers: open[1], scores: [0.8, 0.3])])
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

  /// In whole steps, and by what is lost for what is saved.
  @Test func stepsGoWhereTheyCostLeastForWhatTheySave() throws {
    let net = try Zoo.entry("lenet5").graph(Zoo.entry("lenet5").defaults)
    let groups = ChannelGroups(net), open = groups.groups.map(\.producers).prefix(2)
    let widths = groups.groups.prefix(2).map(\.width)
    func scan(_ first: [Double], _ second: [Double]) -> Sensitivity {
      Sensitivity(
        measure: .agreement, baseline: 1, shares: [0.25, 0.5, 0.75],
        parts: [.init(layers: open[0], scores: first), .init(layers: open[1], scores: second)])
    }
    let sensitivity = scan([0.9, 0.8, 0.7], [0.99, 0.98, 0.97])
    for (share, multiple) in [(0.9, 1), (0.8, 2), (0.6, 5)] {
      let ratios = try sensitivity.ratios(for: .macs(share), of: net, multiple: multiple)
      for (ratio, width) in zip(ratios, widths) where ratio > 0 {
        let left = (1 - ratio) * Double(width)
        #expect(abs(left / Double(multiple) - (left / Double(multiple)).rounded()) < 1e-9, "\(ratios) of \(widths)")
      }
      let removal = Dictionary(uniqueKeysWithValues: zip(ratios, widths).enumerated().map {
        ($0.offset, Set(0..<Int(($0.element.0 * Double($0.element.1)).rounded())))
      })
      let whole = groups.cost(removing: [:]).macs
      #expect(Double(groups.cost(removing: removal).macs) <= share * Double(whole))
    }
    // The second saves less for each share, and loses a tenth: it goes first.
    #expect(try sensitivity.ratios(for: .macs(0.95), of: net, multiple: 1)[0] == 0)
    #expect(try scan([1, 1, 1], [0.5, 0.4, 0.3]).ratios(for: .macs(0.95), of: net, multiple: 1)[1] == 0)
    let error = #expect(throws: CompressError.self) { try sensitivity.ratios(for: .macs(0.05), of: net, multiple: 5) }
    #expect(error?.message.contains("multiples of 5") == true)
  }

  @Test func partsThatMatterMostComeFirst() throws {
    let sensitivity = Sensitivity(
      measure: .accuracy, baseline: 0.9, shares: [0.2, 0.8],
      parts: [
        .init(layers: ["a"], scores: [0.9, 0.8]), .init(layers: ["b"], scores: [0.5, 0.1]),
        .init(layers: ["c"], scores: [0.9, 0.8]), .init(layers: ["d"], scores: [0.7, 0.2]),
        .init(layers: ["e"], scores: [0.9, 0.9]),
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
