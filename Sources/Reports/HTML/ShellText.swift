import Diagnostics

/// Arguments as a line that a POSIX shell takes apart again into the same arguments.
public enum ShellText {
  public static func line(_ arguments: [String]) -> String { arguments.map(quoted).joined(separator: " ") }

  private static func quoted(_ argument: String) -> String {
    let isPlain = argument.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
      case UInt8(ascii: "0")...UInt8(ascii: "9"): true
      default: "-_./=:,+@%".utf8.contains(byte)
      }
    }
    return isPlain && !argument.isEmpty ? argument : "'" + argument.replacingScalars(["'": #"'\''"#]) + "'"
  }
}
