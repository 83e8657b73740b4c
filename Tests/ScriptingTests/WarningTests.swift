import Foundation
import Pipeline
import Testing

/// What nobody should miss is said when it happens, with its numbers, and stays with the stage.
@Suite struct WarningTests {
  /// The warnings of a script's last stage, each of which was also told.
  private func warnings(_ text: String) throws -> [String] {
    let result = try run("local digits = dataset \"digits\"\n" + text)
    let leaf = try #require(result.outcome.leaves.last)
    let warnings = try result.executor.record(of: leaf).warnings ?? []
    let notes = result.executor.context.progress as? NoteCollector
    for warning in warnings { #expect(notes?.notes.contains("\(leaf.work.label): \(warning)") == true, "\(warning)") }
    return warnings
  }

  @Test func aSparsityOfOneEmptiesEveryLayer() throws {
    let warnings = try warnings("prune(zoo.quick_cnn(), use 'global_magnitude' {}, { sparsity = 1 })")
    #expect(
      warnings == [
        "all 9064 weights of 3 layers are zero (\"conv1\", \"conv2\", \"dense\"): their outputs are the same for every "
          + "sample"
      ])
  }

  @Test func aLayerEmptiedWholeIsNamed() throws {
    let one = try warnings("prune(zoo.quick_cnn(), use 'global_magnitude' {}, { ratios = { 0, 1, 0.5 } })")
    #expect(one == ["all 1152 weights of \"conv2\" are zero: its output is the same for every sample"])
    #expect(try warnings("prune(zoo.quick_cnn(), use 'global_magnitude' {}, { sparsity = 0.5 })").isEmpty)
    // It was empty before.
    #expect(
      try warnings(
        """
        local m = prune(zoo.quick_cnn(), use 'global_magnitude' {}, { ratios = { 0, 1, 0.5 } })
        quantize(m, use 'float16' {})
        """
      ).isEmpty)
  }

  @Test func protectingEverythingPrunesNothing() throws {
    #expect(
      try warnings("prune(zoo.quick_cnn(), use 'global_magnitude' {}, { sparsity = 0.5, protect = '*' })") == [
        "nothing was pruned, where zeros for 50.0 % were asked for: all 3 layers with weights (9064 weights) "
          + "are protected or skipped"
      ])
    #expect(
      try warnings("quantize(zoo.quick_cnn(), use 'dynamic_range' { skip = '*' })") == [
        "nothing was quantized: \"dynamic_range\" leaves all 3 layers with weights float32"
      ])
    #expect(
      failure("factorize(zoo.quick_cnn(), { energy = 0.9, protect = '*' })")?.message
        == "there is no layer to factorize: all 3 layers with weights are protected, or depthwise or grouped convolutions"
    )
    #expect(
      try warnings("factorize(zoo.quick_cnn(), { energy = 1 })").contains {
        $0.hasPrefix("no layer was factorized: each of 3")
      })
  }

  /// Wanted and reached, and why, where a training ends before the last removal.
  @Test func aPruningThatEndedEarlySaysWhatItReached() throws {
    let text = """
      local d = digits.train:take(160)
      prune(zoo.quick_cnn(), use "global_magnitude" {}, { schedule = use "polynomial" { from = 0.2, to = 0.8 }, every = 1,
        train = { data = d, epochs = 3, on_step = function(s) if s.step == 3 then return { stop = true } end end } })
      """
    let result = try run("local digits = dataset \"digits\"\n" + text)
    let record = try result.executor.record(of: result.outcome.leaves[0])
    let reached = String(format: "%.1f %%", 100 * (record.facts["sparsity"] ?? 0))
    #expect(try #require(record.facts["sparsity"]) < 0.5)
    #expect(
      record.warnings == [
        "\(reached) of the weights are zero, where 80.0 % were asked for: the training ended after step 3 of 15, and the last "
          + "removal is due before step 12"
      ])
    let progress = try #require(result.executor.context.progress as? NoteCollector)
    #expect(progress.ends.contains { $0.hasPrefix("reached \(reached)  loss ") }, "\(progress.ends)")
    // To its end it reaches what was asked for, and says nothing.
    let whole = try warnings(text.replacing("if s.step == 3 then return { stop = true } end", with: ""))
    #expect(whole.isEmpty)
  }

  @Test func blocksThatDoNotDivideAreTheReason() throws {
    let warnings = try warnings("prune(zoo.quick_cnn(), use 'block' { rows = 64, columns = 64 }, { sparsity = 0.5 })")
    #expect(
      warnings == [
        "51.2 % of the weights are zero, where 50.0 % were asked for: blocks of 64 by 64 go or stay as a whole"
      ])
  }

  /// The true reason, which is an option of the user's.
  @Test func aTargetMissedNamesWhatHeldIt() throws {
    #expect(
      try warnings("prune(zoo.quick_cnn(), use 'filter_l1' {}, { filters = 0.6, keep_at_least = 8 })") == [
        "filters: a share of 0.5 stays where 0.4 was asked for; no group can give more, since each group keeps at least 8 "
          + "channels (keep_at_least = 8)"
      ])
    #expect(
      failure("prune(zoo.quick_cnn(), use 'filter_l1' {}, { filters = 0.6, keep_at_least = 99 })")?.message
        == "there are no channels to remove: each group keeps at least 99 channels (keep_at_least = 99), and the widest "
        + "group that may be pruned has 16")
    #expect(
      try warnings("prune(zoo.quick_cnn(), use 'filter_l1' {}, { ratios = { 0.5, 0.75 }, keep_at_least = 6 })") == [
        "ratios: conv1 loses 2 of 8 channels where 4 were asked for; conv2 loses 10 of 16 channels where 12 were asked for; "
          + "each group keeps at least 6 channels (keep_at_least = 6)"
      ])
    let unreached = failure("prune(zoo.quick_cnn(), use 'filter_l1' {}, { macs = 0.05, keep_at_least = 8 })")
    #expect(unreached?.message.contains("(keep_at_least = 8)") == true)
  }

  @Test func aTrainingThatCameApartSaysSo() throws {
    let apart = try warnings(
      "train(zoo.lab_cnn(), { data = digits.train:take(64):with { scale = 1e10 }, optimizer = 'sgd', learning_rate = 1e-30 })"
    )
    #expect(
      apart.count == 1
        && apart[0].contains(/the loss ended at \d\.\d+e\+\d+, where guessing one of 10 classes costs 2\.3/), "\(apart)"
    )
    #expect(try warnings("train(zoo.quick_cnn(), { data = digits.train:take(640) })").isEmpty)
  }

  @Test func outputsThatNoLabelAsksForAreSaid() throws {
    let idle = try warnings("train(zoo.quick_cnn { classes = 12 }, { data = digits.train:take(640) })")
    #expect(idle.count == 1 && idle[0].hasPrefix("the network has 12 outputs, \"digits.train\" 10 classes"), "\(idle)")
  }

  /// Said again when the stage comes out of the store: the second run is as wrong as the first.
  @Test func whatIsStoredIsToldAgain() throws {
    let folder = try ScriptFolder()
    let store = StageStore(root: folder.path + "/store")
    for _ in 0..<2 {
      let result = try run(
        "prune(zoo.quick_cnn(), use 'global_magnitude' {}, { sparsity = 1 })", in: folder, store: store)
      try result.executor.tellWarnings(of: result.outcome.leaves)
      let notes = try #require(result.executor.context.progress as? NoteCollector).notes
      #expect(notes.count { $0.contains("all 9064 weights of 3 layers are zero") } == 1, "\(notes)")
    }
  }

  /// Folding a batch norm makes biases: weights alone are never more of them than before.
  @Test func zerosOfWeightsAndBiasesAreToldApart() throws {
    let result = try run(
      """
      local digits = dataset "digits"
      local net = recalibrate(zoo.resnet8 { input = { 28, 28, 1 } }, { data = digits.train:take(64), batches = 2 })
      local p = prune(net, use "global_magnitude" {}, { sparsity = 0.5 })
      local q = quantize(p, use "dynamic_range" {})
      local a, b = p:cost(), q:cost()
      print(a.weights == b.weights, b.nonzero_weights <= a.nonzero_weights, b.nonzero - b.nonzero_weights > 0)
      print(a.nonzero_weights, a.weights)
      """)
    #expect(result.printed[0] == "true\ttrue\ttrue")
    let counts = result.printed[1].split(separator: "\t").compactMap { Int($0) }
    #expect(abs(2 * counts[0] - counts[1]) <= 1)
  }
}
