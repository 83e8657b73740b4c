import Diagnostics
import LuaHost
import Pipeline

/// A script that is said line by line, with an answer to each: what `compress repl` runs.
///
/// Variables stay from line to line, also those declared `local`. What is asked of a model computes it, as in a script.
public final class Conversation {
  public enum Answer {
    case done
    /// The text is the beginning of something: more is to follow.
    case incomplete
  }

  private let session: ScriptSession
  private let environment: LuaEnvironment
  private var lines = 0

  /// - Throws: `CompressError` when a plugin folder does not exist.
  public init(_ options: ScriptSession.Options, executor: Executor, print: @escaping (String) -> Void) throws {
    session = try ScriptSession(options, executor: executor, print: print)
    environment = session.state.makeEnvironment()
  }

  public var interrupt: LuaInterrupt { session.interrupt }

  /// Runs statements, or prints the values of an expression as `print` does.
  ///
  /// - Throws: `CompressError` of the script's.
  public func say(_ text: String) throws -> Answer {
    let state = session.state
    guard text.contains(where: { !$0.isWhitespace }) else { return .done }
    let name = "line \(lines + 1)"
    let function: LuaFunction
    if let expression = try? state.load("return " + text, name: name, environment: environment) {
      function = expression
    } else {
      do { function = try state.load(Self.withoutLocal(text), name: name, environment: environment) } catch let error
        as CompressError where error.message.hasSuffix("near <eof>")
      { return .incomplete }
    }
    lines += 1
    let values = try state.call(function)
    session.noteBrokenImages()
    if session.comparison != nil {
      session.comparison = nil
      session.executor.context.progress.note(
        "compare is measured when a script has ended; here: evaluate(model, data), agreement(a, b, { data })")
    }
    guard !values.allSatisfy(\.isNil) else { return .done }
    _ = try state.call(try state.load("print(...)", name: name), values)
    return .done
  }

  /// Every line is a chunk of its own, whose local variables nobody could see.
  private static func withoutLocal(_ text: String) -> String {
    guard let match = text.prefixMatch(of: #/\s*local\s+(?<rest>function\s|[A-Za-z_][A-Za-z0-9_,\s]*=)/#) else {
      return text
    }
    return String(text[match.rest.startIndex...])
  }

  /// What a word may become, sorted: a variable, a function, a member of a library, a method or property of a value.
  ///
  /// - Parameter word: letters, digits, `_`, and `.` or `:` between names.
  public func completions(of word: String) -> [String] {
    let definitions = session.state.definitions
    guard let separator = word.lastIndex(where: { ".:".contains($0) }) else {
      let names = definitions.filter { $0.owner == nil }.map(\.name) + definitions.compactMap(\.owner).filter(isLibrary)
      return Set(names + environment.variables.keys + Self.keywords).filter { $0.hasPrefix(word) && $0 != "" }.sorted()
    }
    let owner = String(word[..<separator]), begun = word[word.index(after: separator)...]
    let kind = className(of: owner)
    let members = definitions.filter { definition in
      guard definition.owner == owner || definition.owner == kind else { return false }
      switch definition.kind {
      case .function, .property: return word[separator] == "."
      case .method: return word[separator] == ":"
      case .operation: return false
      }
    }
    let start = word[...separator]
    return Set(members.map(\.name)).filter { $0.hasPrefix(begun) }.sorted().map { start + $0 }
  }

  private func isLibrary(_ owner: String) -> Bool { owner.first?.isLowercase ?? false }

  /// Of a variable's value.
  private func className(of variable: String) -> String? {
    let value = environment[variable]
    guard case .object = value else { return nil }
    return session.state.describe(value).split(separator: " ").last.map(String.init)
  }

  private static let keywords = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local", "nil", "not", "or",
    "repeat", "return", "then", "true", "until", "while",
  ]
}
