import Devices
import Diagnostics
import Runtime

extension Comparer {
  /// What is sent to another machine of the images to time: some of them at least.
  private static let mostBytes = 64 << 20

  /// How many of the images are laid down to be timed: all; for another machine as many as are worth sending.
  func imagesToTime(_ comparison: Comparison) -> Int {
    guard remote != nil else { return comparison.images }
    let bytes = comparison.variants[0].stage.graph.inputShape.count * 4
    return max(1, min(comparison.images, Self.mostBytes / bytes))
  }

  /// Times all variants in turns on another machine, in processes of their own there.
  ///
  /// - Parameters:
  ///   - images: a file with `count` of them; where there are fewer than runs, they come again.
  func time(on remote: Remote, _ comparison: Comparison, images: String, count: Int) throws -> DeviceMeasurement {
    let progress = executor.context.progress, variants = comparison.variants
    let runs = min(comparison.images, RunnerJob.mostRuns)
    let plan = TurnPlan(variants: variants.count, images: runs, turns: comparison.turns)
    var job = RunnerJob(plans: variants.count, samples: count)
    job.threads = remote.threads ?? 0
    (job.warmUp, job.runs, job.turns) = (comparison.warmUp, runs / plan.turns.count, plan.turns.count)
    job.leastMilliseconds = Int(MeasurementWorker.leastSeconds * 1000)
    if comparison.cooldown > 0 { progress.note("another machine does not rest between turns: cooldown is left out") }
    progress.begin("measure on \(remote.device.address)", total: plan.processes)
    let found = try Cancellation.$current.withValue(executor.context.cancellation) {
      try DeviceMeasurement(
        on: remote.device, count: variants.count, model: { try executor.result(of: variants[$0].stage).model },
        job: job, samples: images, isExact: false)
    }
    progress.end(
      detail: "\(found.device.name): \(variants.count) \(variants.count == 1 ? "variant" : "variants") in \(job.turns) "
        + "\(job.turns == 1 ? "turn" : "turns"), medians "
        + found.measured.prefix(6).map { $0.timing.p50.formatted(4) }.joined(separator: ", ")
        + (found.measured.count > 6 ? " …" : "") + " ms")
    return found
  }
}
