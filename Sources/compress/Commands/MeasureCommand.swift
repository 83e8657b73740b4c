import ArgumentParser
import Pipeline

/// What `compress run` starts for each variant; not for people.
struct MeasureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "measure", abstract: "Measure one model, as a job file says.", shouldDisplay: false)

  @Argument(help: "The job, a JSON file.")
  var job: String

  func run() throws { try MeasurementWorker.run(jobFile: job) }
}
