import Diagnostics
import Dispatch
import Foundation
import Pipeline

/// Ctrl-C and `kill` ask for an orderly stop: the running step ends, finished stages stay. A second
/// Ctrl-C ends the process at once.
final class StopSignals {
  private let sources: [any DispatchSourceSignal]

  init(_ cancellation: Cancellation) {
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        if cancellation.isRequested { _exit(130) }
        cancellation.request()
      }
      source.resume()
      return source
    }
  }

  /// Leaves Ctrl-C to whoever started this process.
  func ignoreInterrupts() { sources[0].cancel() }

  func stop() {
    for source in sources { source.cancel() }
    for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
  }
}
