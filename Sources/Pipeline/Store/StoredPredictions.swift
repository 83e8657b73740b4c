import Analysis
import Datasets
import Diagnostics
import Files
import Foundation

/// What a stage's model predicts for a data set, how sure it is, and what is right: the same whenever and wherever it
/// is asked, and so kept like a stage: `predictions/12/1234….bin` in the store, named by the stage's key and the
/// data.
struct StoredPredictions {
  var answers: Classifier.Answers
  var labels: [Int32]
  var predictions: [Int32] { answers.predictions }

  fileprivate static func key(_ stage: StageKey, _ data: any Dataset) throws -> String {
    let recipe: Recipe = ["answers of": .string(stage.digest), "on": try data.identity.recipe()]
    return Digest.of(recipe.canonicalBytes)
  }

  /// The SHA-256 of the key and the lists, then the lists one after the other: predictions, labels, and confidences by
  /// their bits.
  fileprivate func bytes(_ key: String) -> [UInt8] {
    let confidences = answers.confidences.map { Int32(bitPattern: $0.bitPattern) }
    let body = (predictions + labels + confidences).withUnsafeBytes { [UInt8]($0) }
    return Array((Self.digest(Digest.of(body), key) + "\n").utf8) + body
  }

  /// Of the lists alone it would be right under any name.
  private static func digest(_ body: String, _ key: String) -> String { Digest.of("\(key) \(body)") }

  /// What follows the first line of a file that is whole and the key's own.
  private static func body(_ bytes: UnsafeRawBufferPointer, _ key: String) -> UnsafeRawBufferPointer? {
    guard bytes.count >= 65 else { return nil }
    let body = UnsafeRawBufferPointer(rebasing: bytes[65...])
    guard let found = try? Digest.of(body) else { return nil }
    return digest(found, key) == String(decoding: bytes[..<64], as: UTF8.self) ? body : nil
  }

  static func isWhole(at path: String, key: String) -> Bool {
    (try? MappedFile(path))?.withBytes { body($0, key) != nil } ?? false
  }

  /// Nil when the file is not whole, another key's or not of so many samples.
  fileprivate init?(_ file: MappedFile, count: Int, key: String) {
    let size = 3 * count * MemoryLayout<Int32>.size
    let values: [Int32]? = file.withBytes { bytes in
      guard bytes.count == 65 + size, let body = Self.body(bytes, key) else { return nil }
      return (0..<3 * count).map { body.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self) }
    }
    guard let values else { return nil }
    answers = Classifier.Answers(
      predictions: Array(values[..<count]),
      confidences: values[(2 * count)...].map { Float(bitPattern: UInt32(bitPattern: $0)) })
    labels = Array(values[count..<2 * count])
  }

  init(_ answers: Classifier.Answers, labels: [Int32]) {
    self.answers = answers
    self.labels = labels
  }
}

extension StageStore {
  private func path(ofPredictions digest: String) -> String { "\(root)/predictions/\(digest.prefix(2))/\(digest).bin" }

  func predictions(of stage: StageKey, on data: any Dataset) throws -> StoredPredictions? {
    let key = try StoredPredictions.key(stage, data), path = path(ofPredictions: key)
    // Its age is the time since it was last of use.
    guard Folders.touch(path), let file = try? MappedFile(path) else { return nil }
    return StoredPredictions(file, count: data.count, key: key)
  }

  func save(_ predictions: StoredPredictions, of stage: StageKey, on data: any Dataset) throws {
    let key = try StoredPredictions.key(stage, data), path = path(ofPredictions: key)
    try Folders.create(Folders.parent(of: path))
    try AtomicFile.write(predictions.bytes(key), to: path)
  }
}
