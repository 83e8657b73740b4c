import Diagnostics
import Files
import Foundation

/// A process on this machine for each point, so many at a time.
public final class LocalWorkers: SweepWorkers {
  private let jobs: Int
  private let program: String
  private let folder: SweepFolder
  private var processes: [Int: Process] = [:]

  /// Seconds between asking a worker to stop and ending it: a training writes its checkpoint meanwhile.
  private static let patience = 30.0

  /// - Parameter program: called with `point FOLDER NUMBER --parent PID`.
  public init(jobs: Int, program: String, folder: SweepFolder) {
    self.jobs = jobs
    self.program = program
    self.folder = folder
  }

  public var room: Int { jobs - processes.count }
  public var running: [Int] { processes.keys.sorted() }

  public func start(_ points: [SweepDefinition.Point]) throws {
    for point in points {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: program)
      process.arguments = ["point", folder.path, String(point.number), "--parent", String(getpid())]
      process.standardInput = FileHandle.nullDevice
      let log = try folder.held().begin(SweepFolder.name(of: point.number) + "/log.txt")
      let handle = FileHandle(fileDescriptor: log, closeOnDealloc: true)
      process.standardOutput = handle
      process.standardError = handle
      do { try process.run() } catch {
        throw CompressError("cannot start \(program): \(error.localizedDescription)", kind: .system)
      }
      processes[point.number] = process
    }
  }

  public func ended() -> [(point: Int, ending: WorkerEnding)] {
    let done = processes.filter { !$0.value.isRunning }.sorted { $0.key < $1.key }
    return done.map { number, process in
      processes[number] = nil
      let status = process.terminationStatus
      guard process.terminationReason == .uncaughtSignal else { return (number, .exited(status)) }
      let fromOutside = [SIGKILL, SIGTERM, SIGHUP, SIGINT].contains(status)
      return (number, fromOutside ? .lost("signal \(status)") : .crashed(status))
    }
  }

  public func stop() {
    for process in processes.values where process.isRunning { kill(process.processIdentifier, SIGTERM) }
    let end = Date(timeIntervalSinceNow: Self.patience)
    while processes.values.contains(where: \.isRunning) {
      if Date() > end {
        for process in processes.values where process.isRunning { kill(process.processIdentifier, SIGKILL) }
      }
      Thread.sleep(forTimeInterval: 0.02)
    }
    processes.removeAll()
  }
}
