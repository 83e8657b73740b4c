import ArgumentParser
import Diagnostics
import Foundation
import Kernels
import Reports

/// What commands take that compute. All have the same default.
struct ThreadOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: "Threads to compute and measure with (default: all cores).")
  var threads: Int?

  /// As many as are asked for.
  ///
  /// - Throws: `CompressError` when the number is out of range.
  func pool() throws -> ThreadPool {
    let pool = try ThreadPool(threads: count)
    tellTooMany()
    return pool
  }

  /// What nobody gains by is allowed, and told.
  func tellTooMany() {
    let cores = ProcessInfo.processInfo.activeProcessorCount
    if let threads, threads > cores {
      tellAssumption(
        "\(threads) threads on \(cores) \(cores == 1 ? "core" : "cores") wait for each other: times are longer, not shorter"
      )
    }
  }

  /// How many that is.
  var count: Int { threads ?? ProcessInfo.processInfo.activeProcessorCount }
}

/// What a command assumed, or is to be known of its options, on standard error.
func tellAssumption(_ text: String) {
  let terminal = Terminal(.errors)
  terminal.write(terminal.told("note: ", .yellow, text: text.escapedBlock))
}
