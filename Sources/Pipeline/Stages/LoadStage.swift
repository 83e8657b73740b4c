import Formats
import Network

/// A model from a file; its content, not its path, decides the key.
public struct LoadStage: StageWork {
  public let path: String
  private let model: Model
  private let digest: String

  /// - Throws: `CompressError` naming the file when it cannot be read or is broken.
  public init(path: String) throws {
    self.path = path
    model = try ModelFile.read(path)
    let parts = try ModelFile.parts(path)
    var digests = try parts.map { try Digest.of(file: $0) }
    // What a foreign format becomes is ours to say, and may change.
    if let reading = try ModelFile.reading(path) { digests.append(reading) }
    digest = digests.joined(separator: " ")
  }

  public var kind: String { "load" }
  public var label: String { path }
  public func recipe() throws -> Recipe { ["file": .string(digest)] }
  public func graph(inputs: [Graph]) throws -> Graph { model.graph }
  public func signature(inputs: [ModelSignature]) -> ModelSignature { model.signature }
  public func run(inputs: [Model], context: StageContext) throws -> StageResult { StageResult(model) }
}
