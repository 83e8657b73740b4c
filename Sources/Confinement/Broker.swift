import CConfinement
import Diagnostics
import Foundation

/// The process that starts others for one that is confined.
///
/// It is forked before anything else happens. It is then told of programs with the forms of their arguments, and is
/// sealed before anything is read that others wrote: from then on it starts those programs and no others, in the
/// environment and the folder it was forked in. It ends with the process that forked it, and all its children with it.
public enum Broker {
  /// Forks it. Must be called once, while the process has one thread.
  public static func begin() throws {
    let error = cbroker_begin()
    if error != 0 { throw failure("cannot fork the process that starts others", error) }
  }

  /// The process.
  public static var process: Int32 { cbroker_process() }

  /// Makes a program known, before `seal`.
  ///
  /// - Parameter path: absolute; nil for the program that this process was started from.
  /// - Throws: `CompressError` when the broker is gone, or there are too many arguments.
  public static func add(_ arguments: [ArgumentForm], path: String? = nil) throws -> BrokeredProgram {
    let texts = [path ?? CommandLine.arguments[0]] + arguments.map(\.text)
    let number = withCStrings(texts) { cbroker_add($0.baseAddress!, $0.count, path == nil) }
    if number < 0 { throw failure("cannot make a program known to the process that starts others", -number) }
    return BrokeredProgram(number: number, name: path ?? "this program")
  }

  /// Has a folder removed, with all in it, when this process has ended, however that comes about.
  public static func remove(afterwards folder: String) throws {
    let error = cbroker_scratch(folder)
    if error != 0 { throw failure("cannot reach the process that starts others", error) }
  }

  /// From now on no more programs can be made known.
  public static func seal() throws {
    let error = cbroker_seal()
    if error != 0 { throw failure("cannot reach the process that starts others", error) }
  }

  /// Ends it and its children; returns when it is gone.
  public static func end() { cbroker_end() }

  static func failure(_ what: String, _ error: Int32) -> CompressError {
    let gone = [EPIPE, ECONNRESET, ENOTCONN].contains(error)
    return CompressError(
      gone ? "the process that starts others has ended" : "\(what): \(String(cString: strerror(error)))", kind: .system)
  }
}

/// A program that the broker starts.
public struct BrokeredProgram: Sendable {
  let number: Int32
  let name: String

  /// - Parameters:
  ///   - values: for the places among its arguments, in their order.
  ///   - input: a descriptor, which stays open here; so do the others. Nil: there is nothing to read.
  /// - Throws: `CompressError` of kind `.system` when it cannot be started, or the broker refuses the values.
  public func start(_ values: [String] = [], input: Int32?, output: Int32, errors: Int32) throws -> ChildProcess {
    guard let input else {
      let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
      defer { close(nothing) }
      return try start(values, input: nothing, output: output, errors: errors)
    }
    var news: Int32 = -1
    let error = withCStrings(values) {
      cbroker_start(number, $0.baseAddress, $0.count, [input, output, errors], &news)
    }
    if error != 0 { throw Broker.failure("cannot start \(name)", error) }
    return try ChildProcess(news, name)
  }

  /// Runs it to its end, with nothing to read.
  ///
  /// - Returns: its exit status, or 128 and the signal that ended it; and what it said, which must fit a pipe.
  public func output(_ values: [String] = []) throws -> (status: Int32, output: String, errors: String) {
    let output = Pipe(), errors = Pipe()
    let child = try start(
      values, input: nil, output: output.fileHandleForWriting.fileDescriptor,
      errors: errors.fileHandleForWriting.fileDescriptor)
    for pipe in [output, errors] { try? pipe.fileHandleForWriting.close() }
    let said = (try? output.fileHandleForReading.readToEnd()) ?? Data()
    let complained = (try? errors.fileHandleForReading.readToEnd()) ?? Data()
    let status: Int32 =
      switch child.wait() {
      case .exited(let status): status
      case .signalled(let signal): 128 + signal
      case .lost: throw CompressError("the process that starts others has ended", kind: .system)
      }
    return (status, String(decoding: said, as: UTF8.self), String(decoding: complained, as: UTF8.self))
  }
}
