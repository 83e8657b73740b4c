import Diagnostics
import Files
import Formats
import Foundation

// What `compress cache` does. All of it may happen while runs use the store: a stage that is removed is
// computed anew when it is next wanted, and what a run is writing is too young to be removed.
extension StageStore {
  /// One stored stage.
  public struct Item: Sendable {
    public let key: String
    public let kind: String
    public let label: String
    /// When a run last stored or read it.
    public let used: Date
    /// Its tensors and its own file; tensors that other stages name too are counted in each.
    public let bytes: Int
    let blobs: Set<String>
  }

  public struct Contents: Sendable {
    /// The stage used last comes first.
    public let stages: [Item]
    /// Stage files that are not whole, or of another version of the program.
    public let brokenStages: Int
    public let blobs: Int
    /// Everything on disk, each tensor once.
    public let bytes: Int
    /// Stages that were interrupted, and can be taken up where they were.
    public let checkpoints: Int
    /// Parts of data files that are kept unpacked, and their bytes.
    public let unpacked: Int
    public let unpackedBytes: Int
    /// Blobs that nothing names, and their bytes.
    public let unnamedBlobs: Int
    public let unnamedBytes: Int
  }

  public struct Removal: Sendable {
    public internal(set) var stages = 0
    public internal(set) var blobs = 0
    public internal(set) var bytes = 0
    /// Parts of data files that were kept unpacked.
    public internal(set) var unpacked = 0
    /// Blobs that nothing names and that are too young to be removed: a run may be about to name them.
    public internal(set) var young = 0
  }

  public struct Verification: Sendable {
    public internal(set) var stages = 0
    public internal(set) var blobs = 0
    /// Bytes read.
    public internal(set) var bytes = 0
    /// What was removed, and why, as sentences.
    public internal(set) var broken: [String] = []
  }

  /// Files younger than this are left alone: a run writes a stage's tensors before the entry that names them.
  public static let graceSeconds: Double = 3600

  /// What is stored.
  ///
  /// - Throws: `CompressError` when the folder cannot be read.
  public func contents() throws -> Contents {
    let stageFiles = try files(in: "stages", suffix: ".json"), blobFiles = try files(in: "blobs", suffix: "")
    let checkpoints = try files(in: "checkpoints", suffix: ".checkpoint")
    let predictions = try files(in: "predictions", suffix: ".bin")
    let unpackedFiles = try files(in: "unpacked", suffix: Self.unpackedSuffix)
    let sizes = Dictionary(blobFiles.map { ($0.digest, $0.bytes) }, uniquingKeysWith: { first, _ in first })
    let items = stageFiles.compactMap { file in item(file, sizes) }
    let unpacked = Set(unpackedFiles.compactMap { Self.blob(namedAt: $0.path, $0.digest) })
    let named = items.reduce(into: unpacked) { $0.formUnion($1.blobs) }
    let unnamed = blobFiles.filter { !named.contains($0.digest) }
    let all = stageFiles + blobFiles + checkpoints + predictions + unpackedFiles
    return Contents(
      stages: items.sorted { ($1.used, $0.key) < ($0.used, $1.key) }, brokenStages: stageFiles.count - items.count,
      blobs: blobFiles.count, bytes: all.reduce(0) { $0 + $1.bytes }, checkpoints: checkpoints.count,
      unpacked: unpackedFiles.count, unpackedBytes: unpacked.reduce(0) { $0 + (sizes[$1] ?? 0) },
      unnamedBlobs: unnamed.count, unnamedBytes: unnamed.reduce(0) { $0 + $1.bytes })
  }

  /// Removes stage files that are broken, or that no run used for `seconds` (none when nil), and checkpoints, predictions
  /// and unpacked data as old; then blobs that nothing names; then what interrupted writers left behind.
  ///
  /// - Parameter now: ages are counted from here.
  /// - Throws: `CompressError` when the folder cannot be read or a file cannot be removed.
  public func collect(unusedFor seconds: Double?, now: Date = Date()) throws -> Removal {
    var removal = Removal()
    var named = Set<String>()
    for file in try files(in: "stages", suffix: ".json") {
      if let item = item(file, [:]), seconds.map({ now.timeIntervalSince(file.changed) < $0 }) ?? true {
        named.formUnion(item.blobs)
      } else {
        try remove(file.path)
        removal.stages += 1
        removal.bytes += file.bytes
      }
    }
    for file in try files(in: "unpacked", suffix: Self.unpackedSuffix) {
      let isYoung = seconds.map { now.timeIntervalSince(file.changed) < $0 } ?? true
      if isYoung, let blob = Self.blob(namedAt: file.path, file.digest) {
        named.insert(blob)
      } else {
        try remove(file.path)
        removal.unpacked += 1
        removal.bytes += file.bytes
      }
    }
    for file in try files(in: "blobs", suffix: "") where !named.contains(file.digest) {
      // Asked again: a run may have taken it up since the folder was read.
      guard let changed = Self.status(file.path)?.changed, now.timeIntervalSince(changed) >= Self.graceSeconds else {
        removal.young += 1
        continue
      }
      try remove(file.path)
      removal.blobs += 1
      removal.bytes += file.bytes
    }
    let aged = try files(in: "checkpoints", suffix: ".checkpoint") + files(in: "predictions", suffix: ".bin")
    for file in aged
    where seconds.map({ now.timeIntervalSince(file.changed) >= $0 }) ?? false {
      try remove(file.path)
      removal.bytes += file.bytes
    }
    removeUnheldClaims()
    for path in try leftovers() {
      guard let status = Self.status(path), now.timeIntervalSince(status.changed) >= Self.graceSeconds else { continue }
      try remove(path)
      removal.bytes += status.bytes
    }
    return removal
  }

  /// Reads everything, and removes blobs that are not what their names say and stages that are not whole.
  ///
  /// - Throws: `CompressError` when the folder cannot be read or a file cannot be removed.
  public func verify() throws -> Verification {
    var result = Verification()
    for file in try files(in: "blobs", suffix: "") {
      result.blobs += 1
      result.bytes += file.bytes
      if try blobs.get(file.digest) == nil {
        result.broken.append("blob \(file.digest.prefix(12)) is not what its name says")
      }
    }
    for file in try files(in: "stages", suffix: ".json") {
      result.stages += 1
      result.bytes += file.bytes
      let reason: String
      if let item = item(file, [:]) {
        guard let lost = item.blobs.sorted().first(where: { !Folders.isFile(blobs.path(of: $0)) }) else { continue }
        reason = "(\(item.label)) lacks blob \(lost.prefix(12))"
      } else {
        reason = "is not whole, of another version of the program, or another stage's"
      }
      try remove(file.path)
      result.broken.append("stage \(file.digest.prefix(12)) \(reason)")
    }
    for file in try files(in: "predictions", suffix: ".bin") {
      result.bytes += file.bytes
      if StoredPredictions.isWhole(at: file.path, key: file.digest) { continue }
      try remove(file.path)
      result.broken.append("predictions \(file.digest.prefix(12)) are not whole, or another model's")
    }
    for file in try files(in: "unpacked", suffix: Self.unpackedSuffix) {
      result.bytes += file.bytes
      let blob = Self.blob(namedAt: file.path, file.digest)
      if let blob, Folders.isFile(blobs.path(of: blob)) { continue }
      try remove(file.path)
      result.broken.append("unpacked data \(file.digest.prefix(12)) is not there any more")
    }
    return result
  }

  private struct StoredFile {
    let path: String
    let digest: String
    let bytes: Int
    let changed: Date
  }

  /// The files of one kind, by name. What lies there under no digest's name is not ours to touch.
  private func files(in folder: String, suffix: String) throws -> [StoredFile] {
    try paths(in: folder).compactMap { path in
      let name = path.splitByBytes(at: "/").last!
      guard name.hasSuffix(suffix), Digest.isDigest(String(name.dropLast(suffix.count))), let status = Self.status(path)
      else { return nil }
      return StoredFile(
        path: path, digest: String(name.dropLast(suffix.count)), bytes: status.bytes, changed: status.changed)
    }
  }

  /// What `AtomicFile` was writing when the machine stopped.
  private func leftovers() throws -> [String] {
    try ["stages", "blobs", "checkpoints", "predictions", "unpacked"].flatMap(paths).filter { path in
      let name = path.splitByBytes(at: "/").last!
      return name.hasPrefix(".compress-") && name.hasSuffix(".tmp")
    }
  }

  private func paths(in folder: String) throws -> [String] {
    let top = "\(root)/\(folder)"
    guard Folders.exists(top) else { return [] }
    do {
      return try FileManager.default.contentsOfDirectory(atPath: top).sorted().flatMap { part in
        guard Folders.exists("\(top)/\(part)") else { return [String]() }
        return try FileManager.default.contentsOfDirectory(atPath: "\(top)/\(part)").sorted().map {
          "\(top)/\(part)/\($0)"
        }
      }
    } catch let error where !(error is CompressError) {
      throw CompressError("cannot read folder: \(error.localizedDescription)", kind: .system).at(file: top)
    }
  }

  private func item(_ file: StoredFile, _ sizes: [String: Int]) -> Item? {
    guard let entry = Self.entry(at: file.path, of: file.digest),
      let manifest = try? ModelManifest<String>(json: Array(entry.manifest.utf8))
    else { return nil }
    let blobs = Set(manifest.references.map(\.location))
    return Item(
      key: file.digest, kind: entry.stage, label: entry.label, used: file.changed,
      bytes: file.bytes + blobs.reduce(0) { $0 + (sizes[$1] ?? 0) }, blobs: blobs)
  }

  private static func status(_ path: String) -> (bytes: Int, changed: Date)? {
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
      attributes[.type] as? FileAttributeType == .typeRegular, let size = attributes[.size] as? NSNumber,
      let changed = attributes[.modificationDate] as? Date
    else { return nil }
    return (size.intValue, changed)
  }

  /// A file that somebody else removed meanwhile is as good as removed.
  private func remove(_ path: String) throws {
    do { try FileManager.default.removeItem(atPath: path) } catch {
      guard Self.status(path) != nil else { return }
      throw CompressError("cannot remove: \(error.localizedDescription)", kind: .system).at(file: path)
    }
  }
}
