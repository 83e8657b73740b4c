import Diagnostics
import Network

/// What a model's input and output mean, a line each; empty where nobody said.
public struct SignatureText {
  private let signature: ModelSignature

  public init(_ signature: ModelSignature) { self.signature = signature }

  private static let mostNames = 10

  public func rendered(for terminal: Terminal) -> String {
    var lines: [(String, String)] = []
    if let preprocessing = signature.preprocessing { lines.append(("input", "\(preprocessing)")) }
    if let classes = signature.classes {
      // Names come from files.
      let names = classes.prefix(Self.mostNames).map { $0.escapedForTerminal.shortened(to: 40) }
      let others = classes.count - names.count
      lines.append(("classes", names.joined(separator: ", ") + (others > 0 ? " and \(others) more" : "")))
    }
    return lines.map { terminal.told("\($0) ", .dim, text: $1) }.joined()
  }
}
