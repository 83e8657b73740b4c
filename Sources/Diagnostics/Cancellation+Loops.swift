// How long loops hear a request to stop without asking for it in every iteration.

extension Cancellation {
  /// - Throws: `CompressError` of kind `.cancelled` once the running work was asked to stop.
  public static func checkCurrent() throws { try current?.check() }

  /// The indices below `count` in runs of some milliseconds' work. Once stopping was requested no more follow; the rest
  /// of the result is then what it was before. For example:
  ///
  ///     for run in Cancellation.runs(count) {
  ///       for i in run { to[i] = from[i] + 1 }
  ///     }
  ///
  /// - Parameter size: of a run; the standard one is for a few operations an index.
  public static func runs(_ count: Int, of size: Int = standardRun) -> Runs { Runs(count, of: size) }

  /// About a million of the operations of a loop take some milliseconds, and some tens of them where each is a call of
  /// the mathematical library.
  public static let standardRun = 1 << 20

  public struct Runs: Sequence, IteratorProtocol {
    private let count, size: Int
    private let cancellation: Cancellation?
    private var start = 0

    fileprivate init(_ count: Int, of size: Int) {
      self.count = count
      self.size = Swift.max(size, 1)
      // What takes one run need not look who may stop it.
      cancellation = count > size ? Cancellation.current : nil
    }

    public mutating func next() -> Range<Int>? {
      guard start < count, cancellation?.isRequested != true else { return nil }
      let run = start..<start + Swift.min(size, count - start)
      start = run.upperBound
      return run
    }
  }

  /// Counts the operations of nested loops, and asks whether to stop once there were enough to be worth it:
  ///
  ///     var pace = Cancellation.Pace()
  ///     for row in 0..<rows {
  ///       if pace.stops(after: columns) { return }
  ///       …
  ///     }
  public struct Pace {
    private let cancellation: Cancellation?
    private var done = 0

    public init() { cancellation = Cancellation.current }

    /// On a thread of a pool, where nothing is current.
    public init(of cancellation: Cancellation?) { self.cancellation = cancellation }

    /// - Parameter operations: done since this was called before.
    @inline(__always)
    public mutating func stops(after operations: Int) -> Bool {
      done &+= operations
      return done >= Cancellation.standardRun && isOver()
    }

    /// - Throws: `CompressError` of kind `.cancelled` once stopping was requested.
    public mutating func check(after operations: Int) throws {
      if stops(after: operations) { throw Cancellation.error }
    }

    private mutating func isOver() -> Bool {
      guard cancellation?.isRequested == true else {
        done = 0
        return false
      }
      return true
    }
  }
}
