import ArgumentParser
import Datasets
import Diagnostics

/// How pixels become what a model takes, where that is not what it says itself.
struct NormalizationOptions: ParsableArguments {
  @Option(
    help: "How pixels are normalized: mnist, cifar10, imagenet, symmetric … (default: as the model says).",
    completion: .normalization)
  var normalize: String?

  @Option(parsing: .unconditional, help: "What pixels from 0 to 1 are multiplied by: 255 for a model that takes bytes.")
  var scale: Float?

  /// - Returns: nil where nothing was asked for.
  /// - Throws: `CompressError` when both were, there is no such normalization, or the scale is no number to scale by.
  func chosen() throws -> Normalization? {
    if let scale {
      guard normalize == nil else { throw CompressError("--scale and --normalize: give one of them") }
      do { return try Normalization(scale: scale) } catch let error as CompressError {
        throw CompressError("--scale: \(error.message)")
      }
    }
    guard let normalize else { return nil }
    guard let named = Normalization.named[normalize] else {
      throw CompressError(
        "--normalize: there is no normalization \"\(normalize)\""
          + Suggestion.text(for: normalize, among: Normalization.named.keys.sorted()))
    }
    return named
  }
}
