import Foundation
import Pipeline

/// What the store holds, for other programs: what `compress cache list --json` writes.
struct CacheContents: Encodable {
  struct Stage: Encodable {
    let kind, label, key: String
    /// When a run last stored or read it, ISO 8601.
    let used: String
    let bytes: Int
  }

  private let folder: String
  private let stages: [Stage]
  private let blobs, bytes, unpacked, unpackedBytes, checkpoints, unnamedBlobs, unnamedBytes, brokenStages: Int

  init(_ contents: StageStore.Contents, folder: String) {
    self.folder = folder
    stages = contents.stages.map {
      Stage(kind: $0.kind, label: $0.label, key: $0.key, used: $0.used.formatted(.iso8601), bytes: $0.bytes)
    }
    blobs = contents.blobs
    bytes = contents.bytes
    unpacked = contents.unpacked
    unpackedBytes = contents.unpackedBytes
    checkpoints = contents.checkpoints
    unnamedBlobs = contents.unnamedBlobs
    unnamedBytes = contents.unnamedBytes
    brokenStages = contents.brokenStages
  }

  private enum CodingKeys: String, CodingKey {
    case folder, stages, blobs, bytes, unpacked, unpackedBytes = "unpacked_bytes", checkpoints
    case unnamedBlobs = "unnamed_blobs", unnamedBytes = "unnamed_bytes", brokenStages = "broken_stages"
  }
}
