import Confinement
import Diagnostics
import Files
import Foundation

/// What is said to a program and what it says, at once, so that neither waits for the other: within bounds of size and
/// time.
struct DeviceExchange {
  private let child: ChildProcess
  private var input: Int32
  private let output: Int32, errors: Int32
  private var received: [UInt8] = []
  private var complaints: [UInt8] = []
  private var isOver = false, hasComplained = false
  private let deadline = ContinuousClock.now + .seconds(longestSeconds)

  /// What the runner takes at most, and some minutes to reach the device and to send it all.
  private static let longestSeconds = 4200
  private static let mostBytes = 64 << 20
  /// Of what is said on standard error; the rest is dropped.
  private static let mostComplaints = 4096

  init(_ program: BrokeredProgram) throws {
    signal(SIGPIPE, SIG_IGN)
    let pipes = try (0..<3).map { _ in try Self.pipe() }
    (input, output, errors) = (pipes[0].writing, pipes[1].reading, pipes[2].reading)
    let others = [pipes[0].reading, pipes[1].writing, pipes[2].writing]
    defer { others.forEach { close($0) } }
    do {
      child = try program.start(input: others[0], output: others[1], errors: others[2])
    } catch {
      [input, output, errors].forEach { close($0) }
      throw error
    }
    for descriptor in [input, output, errors] { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
  }

  private static func pipe() throws -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [0, 0]
    guard Foundation.pipe(&ends) == 0 else {
      throw CompressError("cannot make a pipe: \(String(cString: strerror(errno)))", kind: .system)
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  /// Ends the program, if it has not ended by itself.
  mutating func end() {
    child.send(SIGKILL)
    closeInput()
    close(output)
    close(errors)
  }

  private mutating func closeInput() {
    if input >= 0 { close(input) }
    input = -1
  }

  /// Its status, once it has said all: 128 and the signal where one ended it.
  var status: Int32 {
    switch child.wait() {
    case .exited(let status): status
    case .signalled(let signal): 128 + signal
    case .lost: 127
    }
  }

  /// The end of what it said on standard error, on one line.
  var complaint: String {
    let text = String(decoding: complaints, as: UTF8.self)
    return text.split(whereSeparator: \.isNewline).suffix(3).joined(separator: "; ").escapedForTerminal
      .shortened(to: 500)
  }

  /// The first line that it says; nil where it says none.
  mutating func readLine() throws -> String? {
    while true {
      if let end = received.firstIndex(of: 0x0A) {
        let line = String(decoding: received[..<end], as: UTF8.self)
        received.removeFirst(end + 1)
        return line
      }
      guard received.count <= 256 else { throw CompressError("it says no line", kind: .input) }
      if isOver { return nil }
      _ = try wait(sending: nil)
    }
  }

  mutating func send(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try send($0) } }

  private mutating func send(_ bytes: UnsafeRawBufferPointer) throws {
    var done = 0
    // What it says of its own accord stands in its complaint, and is told when its status is looked at.
    while done < bytes.count, input >= 0, !isOver {
      done += try wait(sending: UnsafeRawBufferPointer(rebasing: bytes[done...]))
    }
  }

  mutating func send(file path: String, size: Int) throws {
    let file = try MappedFile(path)
    try file.withBytes { bytes in
      guard bytes.count == size else { throw CompressError("has changed meanwhile", kind: .input).at(file: path) }
      try send(bytes)
    }
  }

  /// What it says up to its end, once all is sent.
  mutating func readRest() throws -> [UInt8] {
    closeInput()
    while !isOver { _ = try wait(sending: nil) }
    return received
  }

  /// Waits until something can be read or sent.
  ///
  /// - Returns: bytes that were sent.
  private mutating func wait(sending bytes: UnsafeRawBufferPointer?) throws -> Int {
    try Cancellation.checkCurrent()
    guard ContinuousClock.now < deadline else {
      throw CompressError("it has not answered within \(Self.longestSeconds / 60) minutes", kind: .system)
    }
    var events = [
      pollfd(fd: output, events: Int16(POLLIN), revents: 0),
      pollfd(fd: hasComplained ? -1 : errors, events: Int16(POLLIN), revents: 0),
      pollfd(fd: bytes == nil ? -1 : input, events: Int16(POLLOUT), revents: 0),
    ]
    guard poll(&events, nfds_t(events.count), 100) > 0 else { return 0 }
    if events[1].revents != 0 { listen() }
    if events[0].revents != 0 {
      guard let more = read(output) else {
        isOver = true
        // The reason, which comes about as early as the end.
        while !hasComplained {
          var event = pollfd(fd: errors, events: Int16(POLLIN), revents: 0)
          if poll(&event, 1, 1000) <= 0 { break }
          listen()
        }
        return 0
      }
      received += more
      guard received.count <= Self.mostBytes else {
        throw CompressError("it says more than \(Self.mostBytes) bytes", kind: .input)
      }
    }
    guard events[2].revents != 0, let bytes else { return 0 }
    let count = write(input, bytes.baseAddress, min(bytes.count, 1 << 16))
    if count < 0, errno != EAGAIN, errno != EINTR { closeInput() }
    return max(count, 0)
  }

  private mutating func listen() {
    guard let more = read(errors) else {
      hasComplained = true
      return
    }
    complaints += more.prefix(Self.mostComplaints - complaints.count)
  }

  /// What can be read right now; nil at the end.
  private func read(_ descriptor: Int32) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = Foundation.read(descriptor, &bytes, bytes.count)
    if count < 0 { return errno == EAGAIN || errno == EINTR ? [] : nil }
    return count == 0 ? nil : Array(bytes.prefix(count))
  }
}
