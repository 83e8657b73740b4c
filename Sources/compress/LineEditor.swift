import CEdit
import Foundation

/// Lines of a terminal, with history and completion by libedit; of a pipe as they come.
enum LineEditor {
  /// What completes words. Read on the main thread alone, while it waits for a line.
  private nonisolated(unsafe) static var completion: (String) -> [String] = { _ in [] }
  private nonisolated(unsafe) static var candidates: [String] = []
  private static let isInteractive = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1

  private static let longestHistory: Int32 = 1000

  /// Reads what the library wants to know of the terminal: to be called while this process may read it.
  ///
  /// - Parameter history: a file with the lines of earlier conversations; nil: none is kept.
  static func begin(history: String?) {
    guard isInteractive else { return }
    rl_initialize()
    using_history()
    stifle_history(longestHistory)
    if let history { read_history(history) }
    cedit_set_completion { text, _, _ in
      cedit_end_completion()
      LineEditor.candidates = LineEditor.completion(text.map { String(cString: $0) } ?? "")
      return rl_completion_matches(text) { _, state in
        let place = Int(state)
        return LineEditor.candidates.indices.contains(place) ? strdup(LineEditor.candidates[place]) : nil
      }
    }
  }

  static func complete(with completion: @escaping (String) -> [String]) { self.completion = completion }

  /// - Returns: nil at the end of the input.
  static func line(_ prompt: String) -> String? {
    guard isInteractive else { return Swift.readLine() }
    guard let text = readline(prompt) else { return nil }
    defer { free(text) }
    if text.pointee != 0 { add_history(text) }
    return String(cString: text)
  }

  static func end(history: String?) {
    if isInteractive, let history { write_history(history) }
  }
}
