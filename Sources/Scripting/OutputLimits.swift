import Files

/// How much a run may write and print, whatever its script asks for.
public struct OutputLimits: Codable, Sendable, Equatable {
  /// Bytes of the files a script saves under `--out`, all together; a file that is saved again counts again.
  public var savedBytes = 4 << 30
  /// How often a script may save.
  public var savedFiles = 1000
  /// Bytes of what a script prints.
  public var printedBytes = 16 << 20
  /// Bytes that a run may add to the store of stages.
  public var storedBytes = 16 << 30

  public init() {}

  /// What is left of the files.
  func saving() -> WriteBudget {
    WriteBudget(
      bytes: savedBytes, files: savedFiles, purpose: "what this script saves",
      hint: "allow more with --out-size MIB and --out-files N")
  }

  /// What is left of the text.
  func printing() -> WriteBudget {
    WriteBudget(
      bytes: printedBytes, purpose: "what this script prints", hint: "allow more with --print-size MIB")
  }
}
