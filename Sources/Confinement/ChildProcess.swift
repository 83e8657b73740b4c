import CConfinement
import Diagnostics
import Foundation
import Synchronization

/// A process that the broker started.
public final class ChildProcess: Sendable {
  /// How it ended.
  public enum Ending: Sendable, Equatable {
    case exited(Int32)
    case signalled(Int32)
    /// The broker ended before it, which ends it as well.
    case lost
  }

  public let id: Int32
  /// What the broker says of it arrives here.
  private let news: FileHandle
  private let known = Mutex<Ending?>(nil)

  init(_ descriptor: Int32, _ name: String) throws {
    news = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    guard let first = Self.next(descriptor) else {
      throw CompressError("the process that starts others has ended", kind: .system)
    }
    guard Int(first.kind) == Int(cbroker_started) else {
      throw CompressError("cannot start \(name): \(String(cString: strerror(first.value)))", kind: .system)
    }
    id = first.value
  }

  private static func next(_ descriptor: Int32) -> cbroker_news? {
    var news = cbroker_news()
    while true {
      let count = read(descriptor, &news, MemoryLayout<cbroker_news>.size)
      if count == MemoryLayout<cbroker_news>.size { return news }
      if count >= 0 || errno != EINTR { return nil }
    }
  }

  /// Waits until it has ended.
  @discardableResult
  public func wait() -> Ending {
    known.withLock { known in
      if let known { return known }
      let ending = Self.next(news.fileDescriptor).map { Self.ending($0.value) } ?? .lost
      known = ending
      return ending
    }
  }

  /// How it ended; nil while it runs.
  public var ending: Ending? {
    var event = pollfd(fd: news.fileDescriptor, events: Int16(POLLIN), revents: 0)
    return known.withLock { $0 } ?? (poll(&event, 1, 0) == 0 ? nil : wait())
  }

  /// As `waitpid` tells it.
  private static func ending(_ status: Int32) -> Ending {
    let signal = status & 0x7F
    return signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
  }

  /// Asks it to stop (SIGTERM), or ends it (SIGKILL).
  public func send(_ signal: Int32) { _ = cbroker_kill(id, signal) }
}
