import Datasets
import Diagnostics
import Files
import Foundation

/// What a stage's model predicts for a data set, and what is right: the same whenever and wherever it is asked, and so
/// kept like a stage: `predictions/12/1234….bin` in the store, named by the stage's key and the data.
struct StoredPredictions {
  var predictions: [Int32]
  var labels: [Int32]

  fileprivate static func key(_ stage: StageKey, _ data: any Dataset) throws -> String {
    let recipe: Recipe = ["predictions of": .string(stage.digest), "on": try data.identity.recipe()]
    return Digest.of(recipe.canonicalBytes)
  }

  /// The SHA-256 of the rest, then both lists one after the other.
  fileprivate var bytes: [UInt8] {
    let body = (predictions + labels).withUnsafeBytes { [UInt8]($0) }
    return Array((Digest.of(body) + "\n").utf8) + body
  }

  /// Nil when the file is not whole or not of so many samples.
  fileprivate init?(_ file: MappedFile, count: Int) {
    let size = 2 * count * MemoryLayout<Int32>.size
    let values: [Int32]? = file.withBytes { bytes in
      let head = bytes.count - size
      guard head == 65 else { return nil }
      let body = UnsafeRawBufferPointer(rebasing: bytes[head...])
      guard Digest.of(body) == String(decoding: bytes[..<(head - 1)], as: UTF8.self) else { return nil }
      return (0..<2 * count).map { body.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self) }
    }
    guard let values else { return nil }
    predictions = Array(values[..<count])
    labels = Array(values[count...])
  }

  init(predictions: [Int32], labels: [Int32]) {
    self.predictions = predictions
    self.labels = labels
  }
}

extension StageStore {
  private func path(ofPredictions digest: String) -> String { "\(root)/predictions/\(digest.prefix(2))/\(digest).bin" }

  func predictions(of stage: StageKey, on data: any Dataset) throws -> StoredPredictions? {
    let path = path(ofPredictions: try StoredPredictions.key(stage, data))
    // Its age is the time since it was last of use.
    guard Folders.touch(path), let file = try? MappedFile(path) else { return nil }
    return StoredPredictions(file, count: data.count)
  }

  func save(_ predictions: StoredPredictions, of stage: StageKey, on data: any Dataset) throws {
    let path = path(ofPredictions: try StoredPredictions.key(stage, data))
    try Folders.create(Folders.parent(of: path))
    try AtomicFile.write(predictions.bytes, to: path)
  }
}
