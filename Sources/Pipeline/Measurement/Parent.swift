import Foundation

/// The process that started this one.
public enum Parent {
  /// Ends this process when the given one is no longer its parent, killed or not: nobody would read what it finds out.
  ///
  /// - Parameter descriptor: the other end of a pipe that the parent holds: the thread sleeps until that is closed, and
  ///   asks again and again only from then on. Nil: from the beginning.
  public static func follow(_ parent: pid_t, onceClosed descriptor: Int32? = nil) {
    Thread.detachNewThread {
      if let descriptor {
        var input = pollfd(fd: descriptor, events: 0, revents: 0)
        while poll(&input, 1, -1) < 0, errno == EINTR {}
      }
      while getppid() == parent { Thread.sleep(forTimeInterval: 0.05) }
      _exit(1)
    }
  }
}
