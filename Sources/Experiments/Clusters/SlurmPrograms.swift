import Confinement
import Diagnostics
import Files
import Foundation
import Reports

/// The programs of Slurm, as the broker knows them: what becomes of a job is decided by the command line alone.
public struct SlurmPrograms: Sendable {
  let version: BrokeredProgram
  /// Values: the number of the last task, the sweep's folder, the array's number.
  let submit: BrokeredProgram
  /// Value: numbers of jobs.
  let queue: BrokeredProgram
  /// Value: the number of a job.
  let cancel: BrokeredProgram

  /// Makes them known to the broker.
  ///
  /// - Parameters:
  ///   - point: the arguments, this program's path first, that run a point of the sweep in the folder that the task
  ///     begins in; the point's number goes behind them.
  ///   - options: for `sbatch`, as they are.
  ///   - most: tasks at a time.
  ///   - threads: of each.
  /// - Throws: `CompressError` when Slurm is not there.
  public init(point: [String], options: [String], most: Int, threads: Int) throws {
    let sbatch = try Self.find("sbatch")
    version = try Broker.add([ArgumentForm("--version")], path: sbatch)
    submit = try Broker.add(
      [
        ArgumentForm("--parsable"), ArgumentForm("--array=0-") + .digits + ArgumentForm("%\(most)"),
        ArgumentForm("--cpus-per-task=\(threads)"), ArgumentForm("--job-name=compress-sweep"),
        ArgumentForm("--output=/dev/null"),
      ] + options.map { try ArgumentForm($0) } + [
        ArgumentForm("--chdir=") + .path,
        ArgumentForm("--wrap=number=$(sed -n \"$((SLURM_ARRAY_TASK_ID + 1))p\" slurm/array-") + .digits
          + ArgumentForm(Self.task(point)),
      ], path: sbatch)
    let states = "PENDING,RUNNING,SUSPENDED,COMPLETING,CONFIGURING,REQUEUED,RESIZING,SIGNALING,STAGE_OUT,STOPPED"
    queue = try Broker.add(
      [
        ArgumentForm("--noheader"), ArgumentForm("--array"), ArgumentForm("--states=\(states)"),
        ArgumentForm("--format=%F_%K"), ArgumentForm("--jobs=") + .list,
      ], path: try Self.find("squeue"))
    cancel = try Broker.add([.digits], path: try Self.find("scancel"))
  }

  /// The rest of what a task runs: the point whose number stands in its line of the array's file. Nothing else in that
  /// file, which a confined process wrote, counts.
  private static func task(_ point: [String]) -> String {
    """
    .points)
    case $number in ''|*[!0-9]*) exit 2 ;; esac
    exec \(ShellText.line(point)) . "$number"
    """
  }

  private static func find(_ name: String) throws -> String {
    if let path = Folders.program(name) { return path }
    throw CompressError(
      "--on slurm: there is no \(name) here", kind: .system, hint: "run this where jobs are submitted")
  }
}
