import Formats
import Network
import Synchronization

/// A model from a file; its content, not its path, decides the key.
public struct LoadStage: StageWork {
  public let path: String
  private let model: Model
  private let digest: String
  private let allowsUnknown: Bool
  /// What was left out.
  private let notes: [String]

  /// - Throws: `CompressError` naming the file when it cannot be read or is broken.
  ///
  /// - Parameter options: their `note` is not asked: the stage keeps the notes, and tells them when it runs.
  public init(path: String, reading options: ModelFile.ReadOptions = ModelFile.ReadOptions()) throws {
    self.path = path
    allowsUnknown = options.allowsUnknown
    let notes = Mutex<[String]>([])
    var options = options
    options.note = { note in notes.withLock { $0.append(note) } }
    model = try ModelFile.read(path, options)
    self.notes = notes.withLock { $0 }
    let parts = try ModelFile.parts(path)
    var digests = try parts.map { try Digest.of(file: $0) }
    // What a foreign format becomes is ours to say, and may change.
    if let reading = try ModelFile.reading(path) { digests.append(reading) }
    digests += options.inputShapes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    digest = digests.joined(separator: " ")
  }

  public var kind: String { "load" }
  public var label: String { path }
  public func recipe() throws -> Recipe {
    allowsUnknown ? ["file": .string(digest), "allow_unknown": .bool(true)] : ["file": .string(digest)]
  }
  public func graph(inputs: [Graph]) throws -> Graph { model.graph }
  public func signature(inputs: [ModelSignature]) -> ModelSignature { model.signature }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    for note in notes { context.progress.note("\(path): \(note)") }
    var result = StageResult(model)
    result.record.notes = notes
    return result
  }
}
