/// Hears how far the work is. Implementations draw it; the engine only reports.
public protocol ProgressSink: AnyObject {
  /// A piece of work begins; `total` steps are ahead (0 when unknown).
  func begin(_ label: String, total: Int)
  /// `done` steps are behind; `detail` is a few words such as the current loss.
  func update(done: Int, detail: String)
  /// The piece that began last has ended.
  func end(detail: String)
  /// A sentence for the user, apart from any piece of work.
  func note(_ text: String)
  /// What is under way while there is no piece of work, until something else is told; nil: nothing is any more.
  func show(_ text: String?)
}

extension ProgressSink {
  public func show(_ text: String?) {}
}

/// Says nothing.
public final class SilentProgress: ProgressSink {
  public init() {}
  public func begin(_ label: String, total: Int) {}
  public func update(done: Int, detail: String) {}
  public func end(detail: String) {}
  public func note(_ text: String) {}
}
