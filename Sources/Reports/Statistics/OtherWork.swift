import Pipeline
import Runtime

/// What else the machine did while variants were timed, all turns together.
public struct OtherWork {
  /// Shares of the processors' time that went to other processes, and to other virtual machines of the host.
  let others, stolen: Double?
  /// Share of the time in which a thread of the machine waited for a processor.
  let waiting: Double?
  /// How often the measuring processes had to leave a processor to another thread.
  let preemptions: Int

  /// Shares from which on something else did compute. The system counts in hundredths of a second: of less than
  /// `shortest` seconds shares of processors say nothing.
  static let mostOthers = 0.1, mostStolen = 0.02, mostWaiting = 0.1, shortest = 0.2

  /// - Parameter fillsMachine: whether the measuring processes have more threads than there are processors: they wait
  ///   for each other.
  public init(_ loads: [MachineLoad], fillsMachine: Bool) {
    let seconds = loads.reduce(0) { $0 + $1.seconds }
    preemptions = loads.reduce(0) { $0 + $1.preemptions }
    func share(_ value: (MachineLoad) -> Double?, of whole: (MachineLoad) -> Double) -> Double? {
      let known = loads.compactMap { load in value(load).map { (value: $0, whole: whole(load)) } }
      let total = known.reduce(0) { $0 + $1.whole }
      return total > 0 ? known.reduce(0) { $0 + $1.value } / total : nil
    }
    func processors(_ load: MachineLoad) -> Double { load.seconds * Double(load.processors ?? 1) }
    let isLong = seconds >= Self.shortest
    others = isLong ? share({ $0.others }, of: processors) : nil
    stolen = isLong ? share({ $0.stolen }, of: processors) : nil
    waiting = fillsMachine ? nil : share({ $0.waiting }, of: { $0.seconds })
  }

  init(_ results: ResultsFile) {
    self.init(
      results.variants.flatMap(\.timing.turns).compactMap(\.load),
      fillsMachine: results.comparison.threads > results.machine.cores)
  }

  /// What there is to say, with numbers; empty when nothing else was noticed.
  public var remarks: [String] {
    func remark(_ share: Double?, _ most: Double, _ text: (String) -> String) -> [String] {
      guard let share, share.isFinite, share > most else { return [] }
      return [text(Formatting.percent(share, digits: 0))]
    }
    return remark(others, Self.mostOthers) { "other processes took \($0) of the processors' time" }
      + remark(stolen, Self.mostStolen) { "the host gave \($0) of it to other virtual machines" }
      + remark(waiting, Self.mostWaiting) { "threads waited for a processor during \($0) of the time" }
  }
}
