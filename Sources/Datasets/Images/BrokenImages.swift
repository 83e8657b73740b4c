import Synchronization

/// What is to become of images that cannot be read.
public enum BrokenImagePolicy: String, Sendable, CaseIterable {
  /// The first one met is an error.
  case error
  /// Those that are no images, cut off or too large are left out when the folder is opened. One that turns out to be
  /// damaged only when it is decoded is replaced by the next image of its class.
  case skip
}

/// The images of a folder that could not be read, found so far.
public final class BrokenImages: Sendable {
  public struct Item: Sendable, Hashable {
    public let file: String
    public let reason: String
    /// Whether another image stands in for it; else it was left out.
    public let isReplaced: Bool
  }

  private let found = Mutex<[String: Item]>([:])

  /// By file.
  public var items: [Item] { found.withLock { $0.values.sorted { $0.file < $1.file } } }

  func add(_ item: Item) { found.withLock { $0[item.file] = item } }
}
