import Crypto
import Datasets
import Diagnostics
import Files
import Foundation

/// Names a stage's result before it is computed: SHA-256 over everything that decides it. Threads and
/// instruction set do not: the kernels give the same bits for all of them.
public struct StageKey: Sendable, Hashable {
  /// 64 hexadecimal digits.
  public let digest: String
  /// Why the result must not be taken from the store nor put there; nil when it may.
  public let uncacheableReason: String?

  /// Raised whenever a change of the engine changes what a stage computes, or what its model predicts.
  static let numericVersion = 6

  /// - Parameters:
  ///   - stage: the stage's kind, `train`, `prune` …
  ///   - inputs: keys of the models it starts from, in order.
  public init(stage: String, recipe: Recipe, inputs: [StageKey]) {
    let full: Recipe = [
      "engine": .int(Self.numericVersion), "stage": .string(stage), "recipe": recipe,
      "inputs": .list(inputs.map { .string($0.digest) }),
    ]
    digest = Digest.of(full.canonicalBytes)
    uncacheableReason = recipe.uncacheableReason ?? inputs.lazy.compactMap(\.uncacheableReason).first
  }
}

/// SHA-256, as lower-case hexadecimal.
public enum Digest {
  /// - Throws: `CompressError` of kind `.cancelled` when the running work is to stop.
  public static func of(_ bytes: UnsafeRawBufferPointer) throws -> String {
    var hash = SHA256()
    for start in stride(from: 0, to: bytes.count, by: piece) {
      try Cancellation.checkCurrent()
      hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + piece, bytes.count)]))
    }
    return hex(hash.finalize())
  }

  /// Some hundredths of a second where the processor has no instructions for it.
  private static let piece = 8 << 20

  /// Of what is not large.
  public static func of(_ bytes: [UInt8]) -> String { hex(SHA256.hash(data: bytes)) }
  public static func of(_ text: String) -> String { of(Array(text.utf8)) }

  /// The content of a file, mapped rather than read.
  public static func of(file path: String) throws -> String { try MappedFile(path).withBytes(of) }

  /// Whether the text could be one.
  static func isDigest(_ text: String) -> Bool {
    text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  private static func hex(_ digest: SHA256.Digest) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}

extension DatasetIdentity {
  /// Files enter by content, not by path.
  public func recipe() throws -> Recipe {
    let origin: Recipe
    switch source {
    case .recipe(let text): origin = .string(text)
    case .files(let paths, let format):
      origin = [
        "format": .string(format), "files": .list(try paths.map { .string(try FileDigests.shared.digest(of: $0)) }),
      ]
    }
    return ["source": origin, "steps": .list(steps.map { .string($0) })]
  }
}
