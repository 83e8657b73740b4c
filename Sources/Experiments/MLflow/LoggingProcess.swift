import Confinement
import Diagnostics
import Foundation
import Runs

/// Logs runs through a process of its own, which has sockets: the one that runs scripts has none.
///
/// They talk in lines of JSON: a `Task` there, an `Answer` back.
public final class LoggingProcess: RunLogger {
  enum Task: Codable {
    /// Comes first: the experiment to log to.
    case begin(experiment: String)
    case log(RunRecord, files: String?)
  }

  struct Answer: Codable {
    /// What went wrong, and its `CompressError.Kind`; nil when nothing did.
    var error: String?
    var kind: String?
  }

  private let process: ChildProcess
  private let input = Pipe()
  private let output = Pipe()
  private var unread = Data()

  /// - Parameter program: runs `LoggingService`; without values.
  /// - Throws: `CompressError` as `MLflowClient` does when the server does not answer.
  public init(_ program: BrokeredProgram, experiment: String) throws {
    process = try program.start(
      input: input.fileHandleForReading.fileDescriptor, output: output.fileHandleForWriting.fileDescriptor,
      errors: STDERR_FILENO)
    try? input.fileHandleForReading.close()
    try? output.fileHandleForWriting.close()
    try ask(.begin(experiment: experiment))
  }

  public func log(_ run: RunRecord, files folder: String?) throws { try ask(.log(run, files: folder)) }

  private func ask(_ task: Task) throws {
    let line = try JSONEncoder().encode(task) + [0x0A]
    guard (try? input.fileHandleForWriting.write(contentsOf: line)) != nil, let data = nextLine() else {
      throw CompressError("the process that logs has ended", kind: .system)
    }
    let answer = try JSONDecoder().decode(Answer.self, from: data)
    if let error = answer.error {
      throw CompressError(error, kind: answer.kind.flatMap(CompressError.Kind.init) ?? .system)
    }
  }

  private func nextLine() -> Data? {
    while true {
      if let end = unread.firstIndex(of: 0x0A) {
        defer { unread = Data(unread[(end + 1)...]) }
        return Data(unread[..<end])
      }
      let more = output.fileHandleForReading.availableData
      if more.isEmpty { return nil }
      unread += more
    }
  }
}

/// What the process that logs does: tasks from standard input, answers to standard output, until the first ends.
public enum LoggingService {
  /// - Parameter address: the server's.
  public static func run(_ address: String) {
    var client: MLflowClient?
    while let line = readLine() {
      var answer = LoggingProcess.Answer()
      do {
        switch try JSONDecoder().decode(LoggingProcess.Task.self, from: Data(line.utf8)) {
        case .begin(let experiment): client = try MLflowClient(address, experiment: experiment)
        case .log(let run, let folder): try client?.log(run, files: folder)
        }
      } catch {
        answer.error = "\(error)"
        answer.kind = (error as? CompressError)?.kind.rawValue
      }
      guard let data = try? JSONEncoder().encode(answer) else { return }
      FileHandle.standardOutput.write(data + [0x0A])
    }
  }
}
