import Tensors

/// How long each step of a plan takes, run by run, in runs of their own: to tell the time costs a little.
public struct StepTimes: Sendable {
  /// Of each step of each session's plan, the median in milliseconds.
  public let milliseconds: [[Double]]

  /// Runs the sessions in turns, so that what the machine does meanwhile hits all of them alike.
  ///
  /// - Parameters:
  ///   - input: what each of them is given, `batch` samples of its plan's `inputShape`.
  ///   - goesOn: asked before each round of runs with the number of those that were made.
  public init(_ sessions: [Session], input: Tensor, while goesOn: (Int) throws -> Bool) rethrows {
    let batch = input.shape.dims[0]
    var outputs = sessions.map { Tensor(zeros: $0.plan.outputShape.batched(batch)) }
    var times = sessions.map { [[UInt64]](repeating: [], count: $0.plan.steps.count) }
    for session in sessions { session.isTimingSteps = true }
    defer { for session in sessions { session.isTimingSteps = false } }
    var rounds = 0
    while try goesOn(rounds) {
      for (index, session) in sessions.enumerated() {
        let before = session.stepNanoseconds
        input.withElements(Float.self) { input in
          outputs[index].withMutable(Float.self) { session.run(input: input, output: $0) }
        }
        for step in before.indices { times[index][step].append(session.stepNanoseconds[step] - before[step]) }
      }
      rounds += 1
    }
    milliseconds = times.map { $0.map { LatencyStatistics(nanoseconds: $0).p50 } }
  }
}

/// What zeros save in a layer whose kernel leaves them out: its time beside that of the same layer with every weight
/// multiplied.
public struct ZerosSaved: Codable, Sendable, Equatable {
  public var layer: String
  /// Medians of one run.
  public var milliseconds: Double
  public var denseMilliseconds: Double

  public init(layer: String, milliseconds: Double, denseMilliseconds: Double) {
    self.layer = layer
    self.milliseconds = milliseconds
    self.denseMilliseconds = denseMilliseconds
  }
}

extension Plan {
  /// Whether the zeros of any layer are left out.
  public var leavesZerosOut: Bool { steps.contains { $0.choice?.algorithm == .sparse } }
}

extension StepTimes {
  /// Of the first session's layers that leave zeros out, beside the same of the second, whose plan does not.
  public func zerosSaved(_ sparse: Plan, beside dense: Plan) -> [ZerosSaved] {
    let times = Dictionary(zip(dense.steps.map(\.layer), milliseconds[1]), uniquingKeysWith: { own, _ in own })
    return zip(sparse.steps, milliseconds[0]).compactMap { step, milliseconds in
      guard step.choice?.algorithm == .sparse, let dense = times[step.layer] else {
        return nil
      }
      return ZerosSaved(layer: step.layer, milliseconds: milliseconds, denseMilliseconds: dense)
    }
  }
}
