import Confinement
import Experiments
import Files

/// The programs that this one starts, as the broker is told of them: this one, with other arguments.
enum Programs {
  /// `measure JOB`, which may read the models in a folder and write into the scratch folder.
  static func measure(models: String?, scratch: String, _ confinement: ConfinementOptions) throws -> BrokeredProgram {
    let rights = Rights(readable: [models].compactMap { $0 }, writable: [scratch])
    return try Broker.add([ArgumentForm("measure"), .path] + forms(rights.arguments + confinement.arguments))
  }

  /// `log-runs URL`, which may read the files of the runs in a folder.
  static func log(to address: String, files folder: String?, _ confinement: ConfinementOptions) throws
    -> BrokeredProgram
  {
    let rights = Rights(readable: [folder].compactMap { $0 })
    let arguments = ["log-runs"] + rights.arguments + confinement.arguments + ["--", address]
    return try Broker.add(forms(arguments))
  }

  /// `point FOLDER NUMBER`, with no more rights than the process that starts it.
  ///
  /// - Parameter folder: the sweep's; nil: it is the first value.
  static func point(of folder: String?, _ rights: Rights, _ confinement: ConfinementOptions) throws -> BrokeredProgram {
    let parent = ["--parent", String(Broker.process)]
    return try Broker.add(
      [ArgumentForm("point"), try folder.map { try ArgumentForm($0) } ?? .path, .digits]
        + forms(rights.arguments + parent + confinement.arguments))
  }

  /// A point as a task of Slurm's, on another machine; the folder and the number come behind.
  static func task(_ rights: Rights, _ confinement: ConfinementOptions) -> [String] {
    [Compress.program, "point", "--log"] + rights.arguments + confinement.arguments
  }

  private static func forms(_ arguments: [String]) throws -> [ArgumentForm] {
    try arguments.map { try ArgumentForm($0) }
  }
}
