import Confinement
import Diagnostics
import Files
import Foundation
import Synchronization

/// The program that reads HDF5 files for this one: `compress-hdf5`. libhdf5 reads bytes that anybody wrote, so it is in a
/// process that has no rights, and what it says is checked like any file.
public enum HDF5Program {
  static let name = "compress-hdf5"
  /// As a confined process starts it.
  private static let brokered = Mutex<BrokeredProgram?>(nil)

  /// Beside this program, or in `../libexec/compress`, where `make install` puts what nobody is to start by hand.
  static var path: String {
    let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let folder = Folders.parent(of: own ?? CommandLine.arguments[0])
    let beside = "\(folder)/\(name)", installed = "\(Folders.parent(of: folder))/libexec/compress/\(name)"
    return access(beside, X_OK) != 0 && access(installed, X_OK) == 0 ? installed : beside
  }

  private static var isThere: Bool { access(path, X_OK) == 0 }

  /// Makes it known to the broker, before that is sealed. Where it is not there, that is told when it is needed.
  public static func addToBroker() throws {
    guard isThere else { return }
    let program = try Broker.add([], path: path)
    brokered.withLock { $0 = program }
  }

  /// Starts it.
  ///
  /// - Parameters:
  ///   - input: a descriptor with the bytes of a file.
  ///   - output: a descriptor for what it says.
  /// - Returns: what ends it and waits for it; its status, or 128 and the signal that ended it.
  private static func start(input: Int32, output: Int32) throws -> (_ kill: Bool) -> Int32 {
    if let program = brokered.withLock({ $0 }) {
      let child = try program.start(input: input, output: output, errors: STDERR_FILENO)
      return { kill in
        if kill { child.send(SIGKILL) }
        switch child.wait() {
        case .exited(let status): return status
        case .signalled(let signal): return 128 + signal
        case .lost: return 127
        }
      }
    }
    guard isThere else {
      throw CompressError(
        "is an HDF5 file, which another program reads: there is no \(path)", kind: .system,
        hint: "copy \(name) along with compress")
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.standardInput = FileHandle(fileDescriptor: input)
    process.standardOutput = FileHandle(fileDescriptor: output)
    do { try process.run() } catch { throw CompressError("cannot start \(path)", kind: .system) }
    return { kill in
      if kill { _ = Foundation.kill(process.processIdentifier, SIGKILL) }
      process.waitUntilExit()
      return process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0)
    }
  }

  /// Hands out what it says of the bytes, then waits until it has ended.
  static func reading<R>(_ bytes: UnsafeRawBufferPointer, _ body: (inout HDF5Stream) throws -> R) throws -> R {
    // A program that ended early is an error to be told, not a reason to die.
    signal(SIGPIPE, SIG_IGN)
    let input = try pipe(), output: (reading: Int32, writing: Int32)
    do { output = try pipe() } catch {
      close(input.reading)
      close(input.writing)
      throw error
    }
    defer { close(output.reading) }
    let end: (Bool) -> Int32
    do {
      defer {
        close(input.reading)
        close(output.writing)
      }
      do { end = try start(input: input.reading, output: output.writing) } catch {
        close(input.writing)
        throw error
      }
    }
    do {
      // It reads everything before it says anything.
      defer { close(input.writing) }
      do { try write(bytes, to: input.writing) } catch {
        _ = end(true)
        throw error
      }
    }
    var stream = HDF5Stream(output.reading)
    do {
      let result = try body(&stream)
      _ = end(true)
      return result
    } catch let error as HDF5Stream.Ended {
      throw error.explained(status: end(true))
    } catch {
      _ = end(true)
      throw error
    }
  }

  private static func pipe() throws -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [0, 0]
    guard Foundation.pipe(&ends) == 0 else { throw CompressError("cannot make a pipe", kind: .system) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) throws {
    var written = 0
    while written < bytes.count {
      try Cancellation.checkCurrent()
      let count = Foundation.write(descriptor, bytes.baseAddress! + written, min(bytes.count - written, 1 << 20))
      if count < 0, errno == EINTR { continue }
      // It says why it ended.
      if count <= 0 { return }
      written += count
    }
  }
}

/// What that program says, as it arrives.
struct HDF5Stream {
  /// It ended before it said that it was done.
  struct Ended: Error {
    func explained(status: Int32) -> CompressError {
      let reason =
        switch status {
        case 128 + SIGXCPU, 128 + SIGKILL: "took too long, or was ended"
        case 129...: "was ended by signal \(status - 128)"
        default: "ended with status \(status)"
        }
      return CompressError("cannot be read: the process that reads HDF5 files \(reason)", kind: .input)
    }
  }

  /// Of processor time it takes less; this is for one that does nothing.
  private static let mostSeconds: Double = 600

  private let descriptor: Int32
  private let start = ContinuousClock.now
  private var buffer: [UInt8] = []
  private var used = 0

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  private func receive(into space: UnsafeMutableRawBufferPointer) throws -> Int {
    while true {
      try Cancellation.checkCurrent()
      guard start.duration(to: .now) < .seconds(Self.mostSeconds) else { throw Ended() }
      var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&event, 1, 100) > 0 else { continue }
      let count = read(descriptor, space.baseAddress, space.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Ended() }
      return count
    }
  }

  /// - Precondition: the count was checked against what there can be.
  mutating func bytes(_ count: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { space, filled in
      let space = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(space)[..<count])
      while filled < count {
        if used < buffer.count {
          let piece = min(buffer.count - used, count - filled)
          buffer.withUnsafeBytes { space[filled..<filled + piece].copyBytes(from: $0[used..<used + piece]) }
          used += piece
          filled += piece
        } else if count - filled >= 1 << 16 {
          filled += try receive(into: UnsafeMutableRawBufferPointer(rebasing: space[filled...]))
        } else {
          buffer = try [UInt8](unsafeUninitializedCapacity: 1 << 16) {
            $1 = try receive(into: UnsafeMutableRawBufferPointer($0))
          }
          used = 0
        }
      }
    }
  }

  mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) throws -> T {
    try bytes(MemoryLayout<T>.size).withUnsafeBytes { T(littleEndian: $0.loadUnaligned(as: T.self)) }
  }
}
