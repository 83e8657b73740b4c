/// The one error type of the project: what went wrong, and where, with the numbers involved.
///
/// Rooms close to the metal know only the message; each room above adds the place it knows with
/// `at(file:)`, `at(layer:)` or `at(script:line:)`. For example:
///
///     throw CompressError("kernel 5x5 is larger than its input 3x3").at(layer: "conv2")
///     // pipelines/mine.lua:12: layer "conv2": kernel 5x5 is larger than its input 3x3
public struct CompressError: Error, Sendable, Equatable {
  /// Decides the exit status of the command line.
  public enum Kind: String, Sendable {
    /// The script, an option or the command line asks for something that cannot be.
    case usage
    /// A file's content is broken, missing or not what it claims to be.
    case input
    /// The machine refused: disk full, no permission, no memory.
    case system
    /// A limit of the sandbox was reached.
    case limit
    /// The user asked to stop.
    case cancelled
  }

  public var kind: Kind
  public var message: String
  /// The data or model file concerned.
  public var file: String?
  /// The Lua file, and the line in it, that asked for what failed.
  public var script: String?
  public var line: Int?
  /// The layer of the model concerned.
  public var layer: String?
  /// What the user could do about it.
  public var hint: String?

  public init(_ message: String, kind: Kind = .usage, hint: String? = nil) {
    self.kind = kind
    self.message = message
    self.hint = hint
  }

  /// Adds the file, unless an inner room already named one.
  public func at(file: String) -> CompressError {
    var error = self
    error.file = error.file ?? file
    return error
  }

  /// Adds the layer, unless an inner room already named one.
  public func at(layer: String) -> CompressError {
    var error = self
    error.layer = error.layer ?? layer
    return error
  }

  /// Adds the script position, unless an inner room already named one.
  public func at(script: String, line: Int?) -> CompressError {
    guard self.script == nil else { return self }
    var error = self
    error.script = script
    error.line = line
    return error
  }

  /// 2 for what the user can mend in script, options or files; 3 for the machine; 4 for a sandbox
  /// limit; 130 (as shells do for SIGINT) when cancelled.
  public var exitStatus: Int32 {
    switch kind {
    case .usage, .input: 2
    case .system: 3
    case .limit: 4
    case .cancelled: 130
    }
  }
}

extension CompressError: CustomStringConvertible {
  /// Names of files and layers come from outside, and have no say in where a line ends.
  public var description: String {
    var text = ""
    if let script = script?.escapedForTerminal { text += line.map { "\(script):\($0): " } ?? "\(script): " }
    if let file { text += "\(file.escapedForTerminal): " }
    if let layer { text += "layer \"\(layer.escapedForTerminal.shortened(to: 200))\": " }
    text += message
    if let hint { text += "\n  hint: \(hint)" }
    return text
  }
}

/// Runs `body`; any `CompressError` it throws gains the layer's name.
public func atLayer<R>(_ layer: @autoclosure () -> String, _ body: () throws -> R) throws -> R {
  do { return try body() } catch let error as CompressError { throw error.at(layer: layer()) }
}

/// Runs `body`; any `CompressError` it throws gains the file's name.
public func atFile<R>(_ file: @autoclosure () -> String, _ body: () throws -> R) throws -> R {
  do { return try body() } catch let error as CompressError { throw error.at(file: file()) }
}
