import Confinement
import Diagnostics
import Files
import Foundation

/// A process on this machine for each point, so many at a time.
public final class LocalWorkers: SweepWorkers {
  private let jobs: Int
  private let program: BrokeredProgram
  private let values: [String]
  private let folder: SweepFolder
  private var processes: [Int: ChildProcess] = [:]

  /// Seconds between asking a worker to stop and ending it: a training writes its checkpoint meanwhile.
  private static let patience = 30.0

  /// - Parameters:
  ///   - program: runs a point.
  ///   - values: for the program, before the point's number.
  public init(jobs: Int, program: BrokeredProgram, values: [String], folder: SweepFolder) {
    self.jobs = jobs
    self.program = program
    self.values = values
    self.folder = folder
  }

  public var room: Int { jobs - processes.count }
  public var running: [Int] { processes.keys.sorted() }

  public func start(_ points: [SweepDefinition.Point]) throws {
    for point in points {
      let log = try folder.held().begin(SweepFolder.name(of: point.number) + "/log.txt")
      let handle = FileHandle(fileDescriptor: log, closeOnDealloc: true)
      processes[point.number] = try program.start(
        values + [String(point.number)], input: nil, output: handle.fileDescriptor,
        errors: handle.fileDescriptor)
    }
  }

  public func ended() -> [(point: Int, ending: WorkerEnding)] {
    let done = processes.compactMap { number, process in process.ending.map { (number, $0) } }
    return done.sorted { $0.0 < $1.0 }.map { number, ending in
      processes[number] = nil
      switch ending {
      case .exited(let status): return (number, .exited(status))
      case .signalled(let signal) where ![SIGKILL, SIGTERM, SIGHUP, SIGINT].contains(signal):
        return (number, .crashed(signal))
      case .signalled(let signal): return (number, .lost("signal \(signal)"))
      case .lost: return (number, .lost("with the process that started it"))
      }
    }
  }

  public func stop() {
    for process in processes.values where process.ending == nil { process.send(SIGTERM) }
    let end = Date(timeIntervalSinceNow: Self.patience)
    while processes.values.contains(where: { $0.ending == nil }) {
      if Date() > end {
        for process in processes.values where process.ending == nil { process.send(SIGKILL) }
      }
      Thread.sleep(forTimeInterval: 0.02)
    }
    processes.removeAll()
  }
}
