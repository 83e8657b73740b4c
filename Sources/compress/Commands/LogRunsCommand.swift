import ArgumentParser
import Confinement
import Experiments
import Foundation

/// What `compress run --mlflow` and `compress sweep --mlflow` start; not for people.
struct LogRunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log-runs", abstract: "Log runs, as they come on standard input.", shouldDisplay: false)

  @Argument(help: "The server's address.")
  var address: String

  @Option(parsing: .singleValue, help: "A folder to read.")
  var read: [String] = []

  @OptionGroup var confinement: ConfinementOptions

  func run() throws {
    // Ctrl-C reaches the whole group; a run that was stopped is logged as such.
    signal(SIGINT, SIG_IGN)
    if !confinement.noConfinement { try confinement.confine(Rights(readable: read, network: true)) }
    LoggingService.run(address)
  }
}
