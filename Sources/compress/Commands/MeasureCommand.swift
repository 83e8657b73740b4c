import ArgumentParser
import Confinement
import Pipeline

/// What `compress run` starts for each variant; not for people.
struct MeasureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "measure", abstract: "Measure one model, as a job file says.", shouldDisplay: false)

  @Argument(help: "The job, a JSON file.")
  var job: String

  @Option(parsing: .singleValue, help: "A folder to read.")
  var read: [String] = []

  @Option(parsing: .singleValue, help: "A folder to write.")
  var write: [String] = []

  @OptionGroup var confinement: ConfinementOptions

  func run() throws {
    if !confinement.noConfinement { try confinement.confine(Rights(readable: read, writable: write)) }
    try MeasurementWorker.run(jobFile: job)
  }
}
