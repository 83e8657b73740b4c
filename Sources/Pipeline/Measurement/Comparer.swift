import Analysis
import Confinement
import Datasets
import Devices
import Diagnostics
import Files
import Formats
import Foundation
import Network
import Runtime
import Synchronization
import Tensors

/// Measures the variants of a comparison in turns, each turn of each variant in a process of its own, so that its peak
/// memory and its caches are its own, and that what the machine does meanwhile hits all variants alike.
public struct Comparer {
  /// The program to start; its value is the path of a job.
  let worker: BrokeredProgram
  let executor: Executor
  let seed: UInt64
  /// Another machine to time the variants on; nil: this one. What they predict is found out here in any case.
  let remote: Remote?

  /// A machine, and how many threads to have there; nil for as many as it has processors.
  public struct Remote: Sendable {
    let device: RemoteDevice
    let threads: Int?

    public init(_ device: RemoteDevice, threads: Int?) {
      self.device = device
      self.threads = threads
    }
  }

  public init(worker: BrokeredProgram, executor: Executor, seed: UInt64, remote: Remote? = nil) {
    self.worker = worker
    self.executor = executor
    self.seed = seed
    self.remote = remote
  }

  /// - Parameter keepModels: a folder that receives every variant's native file, and the same in the format that the
  ///   model came in, where that can be written; nil keeps none.
  /// - Throws: `CompressError` when a stage fails or a measuring process does.
  public func run(_ comparison: Comparison, keepModels folder: String?) throws -> ComparisonOutcome {
    // Everything is computed before anything is measured: nothing else runs while the clock does.
    for variant in comparison.variants { _ = try executor.result(of: variant.stage) }
    let context = executor.context
    let scratch = try ScratchFolder()
    let images = "\(scratch.path)/images.f32", imageCount = imagesToTime(comparison)
    try writeImages(comparison, count: imageCount, to: images)

    if let folder {
      try Folders.create(folder)
      // A folder of results that somebody else prepared must not lead elsewhere.
      guard !Folders.isLink(folder) else {
        throw CompressError("is a symbolic link, where models are to be written", kind: .input).at(file: folder)
      }
    }
    let files = comparison.variants.enumerated().map {
      "\(folder ?? scratch.path)/\(Self.modelFile($1.name, $0))"
    }
    for (variant, file) in zip(comparison.variants, files) {
      try NativeFormat.write(try executor.result(of: variant.stage).model, to: file)
    }
    let shipped = try comparison.variants.enumerated().map { index, variant in
      try folder.flatMap { try ship(variant, index, into: $0) }
    }
    let timings: [Timing], plans: [Plan], measured: DeviceMeasurement?
    if let remote {
      let found = try time(on: remote, comparison, images: images, count: imageCount)
      (timings, plans, measured) = (found.measured.map(\.timing), found.measured.map(\.plan), found)
    } else {
      timings = try time(files, comparison, images: images, scratch)
      plans = try comparison.variants.map { try compile(try executor.result(of: $0.stage).model) }
      measured = nil
    }
    let zerosSaved =
      measured == nil
      ? try timeZeros(files, plans, comparison, images: images, scratch)
      : [[ZerosSaved]](repeating: [], count: files.count)
    var results: [VariantResult] = [], firstPredictions: [Int32] = []
    for (index, variant) in comparison.variants.enumerated() {
      let file = files[index]
      let model = try executor.result(of: variant.stage).model, cost = ModelCost(model)
      let judged = try judge(variant, model, file, comparison, &firstPredictions, scratch)
      var result =
        VariantResult(
          name: variant.name, accuracy: judged.accuracy, agreement: judged.agreement, undefined: judged.undefined,
          flips: judged.flips, gained: judged.gained, lost: judged.lost, parameters: cost.parameters,
          nonzero: cost.nonzero, macs: cost.macs,
          nativeBytes: try Folders.size(ofFile: file), gzipBytes: try Gzip.compressedSize(ofFile: file),
          timing: timings[index], history: try history(of: variant.stage),
          layers: VariantResult.Layer.all(cost, plans[index], zerosSaved[index]),
          outputs: comparison.data.hasLabels ? model.graph.outputShape.count : nil,
          files: [Self.modelFile(variant.name, index)] + (shipped[index].map { [$0] } ?? []))
      // Takes less time than gzip -9 does.
      result.packedBytes = try PackedFormat.byteCount(model)
      result.classes = judged.classes
      result.mistakes = judged.mistakes
      results.append(result)
    }
    var outcome = ComparisonOutcome(
      data: comparison.data.name, evaluated: comparison.data.count,
      classes: comparison.data.hasLabels ? comparison.data.classCount : nil,
      images: comparison.images, order: comparison.order, warmUp: comparison.warmUp, cooldown: comparison.cooldown,
      turns: comparison.turns, threads: measured?.measured[0].answer.threads ?? context.pool.threads, variants: results,
      courses: try PruningCourse.all(in: comparison, results, executor), scans: try scans(comparison))
    outcome.device = measured?.device
    return outcome
  }

  /// Times all variants in turns, while no other process of a sweep computes.
  private func time(
    _ files: [String], _ comparison: Comparison, images: String, _ scratch: ScratchFolder
  ) throws -> [Timing] {
    let context = executor.context, names = comparison.variants.map(\.name)
    var plan = TurnPlan(variants: files.count, images: comparison.images, turns: comparison.turns)
    var turns = [[Timing.Turn]](repeating: [], count: files.count)
    context.progress.begin("measure", total: plan.processes)
    try context.measuring {
      var number = 0, done = 0
      while number < plan.turns.count {
        // What the processes took for anything but timed images: to start, load, compile and warm up.
        var overhead = 0.0
        for variant in plan.order(ofTurn: number) {
          let turn = "turn \(number + 1) of \(plan.turns.count), \(names[variant])"
          try rest(comparison.cooldown / Double(plan.turns.count), before: turn, done: done)
          context.progress.update(done: done, detail: turn)
          let range = plan.turns[number]
          let job = MeasurementJob(
            model: files[variant], images: images, firstImage: range.lowerBound, imageCount: range.count,
            warmUp: comparison.warmUp, threads: context.pool.threads, evaluated: 0,
            report: "\(scratch.path)/report.json")
          let start = ContinuousClock.now
          guard let timing = try perform(job, scratch, sending: { _ in }).timing else {
            throw CompressError("the measuring process timed nothing", kind: .system)
          }
          overhead += (ContinuousClock.now - start) / .seconds(1) - timing.samples.reduce(0, +) / 1e3
          turns[variant] += timing.turns
          done += 1
        }
        number += 1
        plan.shorten(after: number, overhead: overhead)
      }
    }
    let medians = turns.map { Timing(turns: $0).p50.formatted(4) }.prefix(6).joined(separator: ", ")
    context.progress.end(
      detail: "\(files.count) \(files.count == 1 ? "variant" : "variants") in \(plan.turns.count) "
        + "\(plan.turns.count == 1 ? "turn" : "turns"), medians \(medians)\(turns.count > 6 ? " …" : "") ms")
    return turns.map { Timing(turns: $0) }
  }

  /// Of variants with layers that leave zeros out, what that saves in each, found out once, after everything else was
  /// timed and while nothing else computes.
  private func timeZeros(
    _ files: [String], _ plans: [Plan], _ comparison: Comparison, images: String, _ scratch: ScratchFolder
  ) throws -> [[ZerosSaved]] {
    let context = executor.context
    var saved = [[ZerosSaved]](repeating: [], count: files.count)
    let leaving = plans.indices.filter { plans[$0].leavesZerosOut }
    guard !leaving.isEmpty else { return saved }
    context.progress.begin("time zeros", total: leaving.count)
    try context.measuring {
      for (done, variant) in leaving.enumerated() {
        context.progress.update(done: done, detail: comparison.variants[variant].name)
        let job = MeasurementJob(
          model: files[variant], images: images, firstImage: 0, imageCount: 0, warmUp: 0,
          threads: context.pool.threads, evaluated: 0, timesZeros: true, report: "\(scratch.path)/report.json")
        saved[variant] = try perform(job, scratch, sending: { _ in }).zerosSaved ?? []
      }
    }
    let (sparse, dense) = saved.joined().reduce((0, 0)) { ($0.0 + $1.milliseconds, $0.1 + $1.denseMilliseconds) }
    context.progress.end(
      detail: "layers that leave zeros out take \(sparse.formatted(4)) ms, \(dense.formatted(4)) ms with every weight")
    return saved
  }

  /// Writes a variant in the format that its model came in.
  ///
  /// - Returns: the file's name; nil where that is our own format, is not written, or cannot hold this model.
  private func ship(_ variant: Comparison.Variant, _ index: Int, into folder: String) throws -> String? {
    let model = try executor.result(of: variant.stage).model, progress = executor.context.progress
    guard let format = model.signature.interface?.format, format != NativeFormat.fileExtension,
      ModelFile.extensions.contains(format)
    else { return nil }
    let name = Self.modelFile(variant.name, index, format)
    do {
      try ModelFile.write(model, to: "\(folder)/\(name)")
      return name
    } catch let error as CompressError where error.kind != .cancelled && error.kind != .system {
      progress.note("\(variant.name) is written as .\(NativeFormat.fileExtension) alone: \(error)")
      return nil
    }
  }

  /// How good a variant's answers are.
  private struct Judgement {
    let accuracy: Double
    var agreement: Agreement?
    var undefined = 0
    let flips: Int
    var gained = 0
    let lost: Int
    var classes: ClassResults?
    var mistakes: [Mistake] = []
  }

  private func judge(
    _ variant: Comparison.Variant, _ model: Model, _ file: String, _ comparison: Comparison,
    _ firstPredictions: inout [Int32], _ scratch: ScratchFolder
  ) throws -> Judgement {
    guard comparison.data.hasLabels else {
      let first = try executor.result(of: comparison.variants[0].stage).model
      let agreement = try Agreement(first, model, on: comparison.data, context: executor.context.work)
      let others = agreement.count - agreement.outputs[0].same
      return Judgement(accuracy: agreement.share, agreement: agreement, flips: others, lost: others)
    }
    let found = try predictions(of: variant, file, on: comparison.data, scratch)
    if variant.name == comparison.variants[0].name { firstPredictions = found.predictions }
    let evaluation = Evaluation(predictions: found.predictions, labels: found.labels)
    if evaluation.undefined > 0 {
      executor.context.progress.note(
        "\(variant.name) answers NaN to \(evaluation.undefined) of \(evaluation.count) samples; they count as wrong")
    }
    let (gained, lost) = Self.exchanged(found.predictions, firstPredictions, found.labels)
    return Judgement(
      accuracy: evaluation.accuracy, undefined: evaluation.undefined,
      flips: zip(found.predictions, firstPredictions).count { $0 != $1 }, gained: gained, lost: lost,
      classes: ClassResults(
        predictions: found.predictions, labels: found.labels, names: comparison.data.classNames ?? []),
      mistakes: try Mistake.surest(found.answers, on: comparison.data, labels: found.labels))
  }

  /// What a variant predicts for the data, where that is not known from before: found out once, in a process that times
  /// nothing.
  private func predictions(
    of variant: Comparison.Variant, _ file: String, on data: any Dataset, _ scratch: ScratchFolder
  ) throws -> StoredPredictions {
    if let known = try executor.knownPredictions(of: variant.stage, on: data) { return known }
    let context = executor.context
    let job = MeasurementJob(
      model: file, images: "", firstImage: 0, imageCount: 0, warmUp: 0, threads: context.pool.threads,
      evaluated: data.count, report: "\(scratch.path)/report.json")
    context.progress.begin("predict with \(variant.name)", total: data.count)
    var labels: [Int32] = []
    let report = try perform(job, scratch) { labels = try send(data, to: $0) }
    let found = StoredPredictions(report.answers, labels: labels)
    try executor.keep(found, of: variant.stage, on: data)
    let accuracy = Evaluation(predictions: found.predictions, labels: found.labels).accuracy
    context.progress.end(detail: "accuracy \((accuracy * 100).formatted(2)) %")
    return found
  }

  private func scans(_ comparison: Comparison) throws -> [SensitivityScan] {
    try comparison.scans.compactMap { stage in
      try executor.record(of: stage).sensitivity.map {
        SensitivityScan(label: stage.work.label, key: stage.key.digest, result: $0)
      }
    }
  }

  private func history(of stage: Stage) throws -> [VariantResult.Step] {
    try stage.lineage.map {
      VariantResult.Step(
        stage: $0.work.kind, label: $0.work.label, key: $0.key.digest, record: try executor.record(of: $0))
    }
  }

  /// Samples that became right, and that became wrong.
  static func exchanged(_ predictions: [Int32], _ first: [Int32], _ labels: [Int32]) -> (gained: Int, lost: Int) {
    var gained = 0, lost = 0
    for (i, label) in labels.enumerated() {
      switch (predictions[i] == label, first[i] == label) {
      case (true, false): gained += 1
      case (false, true): lost += 1
      default: break
      }
    }
    return (gained, lost)
  }

  /// The variant's name as the name of a file: letters, digits, `-`; the number in front keeps it unique.
  public static func modelFile(
    _ name: String, _ index: Int, _ fileExtension: String = NativeFormat.fileExtension
  ) -> String {
    let plain = name.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
    return "\(index + 1)-\(String(plain.prefix(60))).\(fileExtension)"
  }

  /// Removes the models that an earlier run left in a folder: a reader would take them for this run's.
  ///
  /// - Parameter names: files that stay. So does whatever is not called as models of variants are.
  public static func removeModels(in folder: String, but names: [String]) throws {
    guard Folders.exists(folder), !Folders.isLink(folder) else { return }
    let stale = try FileManager.default.contentsOfDirectory(atPath: folder).filter { name in
      guard !names.contains(name), let match = name.wholeMatch(of: #/[0-9]+-[-a-z0-9]*\.(?<ending>[a-z]+)/#) else {
        return false
      }
      return ModelFile.extensions.contains(String(match.output.ending))
    }
    for name in stale { try FileManager.default.removeItem(atPath: "\(folder)/\(name)") }
  }

  private func writeImages(_ comparison: Comparison, count timed: Int, to path: String) throws {
    let count = comparison.data.count
    var random = SeededRandom(seed: seed).stream("images to time")
    let order = comparison.order == .first ? Array(0..<count) : random.permutation(count)
    try AtomicFile.write(to: path) { writer in
      for start in stride(from: 0, to: timed, by: Classifier.batch) {
        try executor.context.cancellation.check()
        let indices = Array(order[start..<min(start + Classifier.batch, timed)])
        try comparison.data.batch(indices).images.withBytes { try writer.write($0) }
      }
    }
  }

  private func rest(_ seconds: Double, before what: String, done: Int) throws {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
      try executor.context.cancellation.check()
      let left = (end - ContinuousClock.now) / .seconds(1)
      executor.context.progress.update(done: done, detail: "cools down \(left.formatted(1)) s, then \(what)")
      Thread.sleep(forTimeInterval: min(0.05, max(0.001, (end - ContinuousClock.now) / .seconds(1))))
    }
  }

  /// Starts a process for a job, and waits for its end.
  ///
  /// - Parameter sending: writes the samples that the job is to predict.
  private func perform(
    _ job: MeasurementJob, _ scratch: ScratchFolder, sending: (FileHandle) throws -> Void
  ) throws -> MeasurementReport {
    let jobFile = "\(scratch.path)/job.json"
    try AtomicFile.write(CanonicalJSON.encode(job), to: jobFile)
    try? FileManager.default.removeItem(atPath: job.report)
    let input = Pipe(), output = Pipe()
    let started = Mutex<ChildProcess?>(nil)
    let end: @Sendable () -> Void = { started.withLock { $0?.send(SIGKILL) } }
    var finished = false
    defer {
      if !finished {
        end()
        // It has ended before the pipe is closed: samples that end early would seem a fault to it, which it would tell.
        _ = started.withLock(\.self)?.wait()
      }
      try? input.fileHandleForWriting.close()
    }
    // While the clock runs this process waits for the other, and hears of a request to stop here only.
    return try executor.context.cancellation.withHandler(end) {
      let process = try worker.start(
        [jobFile], input: input.fileHandleForReading.fileDescriptor,
        output: output.fileHandleForWriting.fileDescriptor, errors: STDERR_FILENO)
      try? input.fileHandleForReading.close()
      try? output.fileHandleForWriting.close()
      started.withLock { $0 = process }
      try executor.context.cancellation.check()
      // The measuring process closes its output when it has timed the last image.
      _ = try? output.fileHandleForReading.readToEnd()
      if job.evaluated > 0 { try sending(input.fileHandleForWriting) }
      try? input.fileHandleForWriting.close()
      let ending = process.wait()
      finished = true
      return try report(ending, at: job.report)
    }
  }

  /// Returns the labels of what was sent.
  private func send(_ data: any Dataset, to pipe: FileHandle) throws -> [Int32] {
    // The samples flow through a pipe: the measuring process never holds more than a batch of them, and
    // reads none before it has timed its images.
    var labels: [Int32] = []
    var isBroken = false
    try Batches(data, size: Classifier.batch).forEach(threads: executor.context.pool.threads) { batch in
      try executor.context.step()
      labels += batch.labels
      let bytes = batch.images.withBytes { Data($0) }
      // A process that died no longer reads; its exit status says more than the broken pipe.
      isBroken = isBroken || (try? pipe.write(contentsOf: bytes)) == nil
      executor.context.progress.update(done: labels.count, detail: "")
    }
    try? pipe.close()
    return labels
  }

  private func report(_ ending: ChildProcess.Ending, at path: String) throws -> MeasurementReport {
    guard ending == .exited(0), let data = FileManager.default.contents(atPath: path) else {
      try executor.context.cancellation.check()
      let how =
        switch ending {
        // Ctrl-C goes to both processes, and may end the other before this one hears of it.
        case .signalled(SIGINT): throw Cancellation.error
        case .signalled(let signal): "signal \(signal)"
        case .exited(let status): "exit status \(status)"
        case .lost: "the one that started it, which was ended from outside"
        }
      throw CompressError("the measuring process ended with \(how)", kind: .system)
    }
    return try JSONDecoder().decode(MeasurementReport.self, from: data)
  }
}
