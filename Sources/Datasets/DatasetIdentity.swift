/// What a data set's samples depend on, for cache keys.
///
/// The source is either a recipe, which says everything, or files, whose content counts and whose paths do
/// not. A key is made of the source (recipe, or format and each file's digest in order) and the steps in order.
public struct DatasetIdentity: Sendable, Hashable {
  public enum Source: Sendable, Hashable {
    /// Generated: the text names the generator, its version and all its options.
    case recipe(String)
    /// Read from files, whose content is to be hashed; `format` names how they are understood.
    case files([String], format: String)
  }

  public let source: Source
  /// How the samples were chosen from the source, for example `["shuffled, seed 3", "0..<500"]`.
  public let steps: [String]

  public init(_ source: Source, steps: [String] = []) {
    self.source = source
    self.steps = steps
  }

  func adding(_ step: String) -> DatasetIdentity { adding([step]) }
  func adding(_ more: [String]) -> DatasetIdentity { DatasetIdentity(source, steps: steps + more) }
}
