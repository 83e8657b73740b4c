import Crypto
import Diagnostics
import Files
import Foundation
import Training

/// Where a stage that takes long writes down how far it is: `checkpoints/12/1234….checkpoint`, the bytes and then
/// the SHA-256 of its own name and them. It goes when the stage is finished.
///
/// Written after an epoch, within one every few minutes, and when the run is asked to stop. Epochs shorter than
/// `shortest`, or so short that writing would take more than a twentieth of the time, are not worth it each.
public final class StageCheckpoint {
  let path: String
  private var last = ContinuousClock.now
  private var cost = Duration.zero
  private var hasFailed = false

  static let shortest = Duration.milliseconds(500)
  static let withinEpochs = Duration.seconds(120)
  private static let digestBytes = SHA256.byteCount

  init(path: String) { self.path = path }

  /// The name counts: under another stage's name it is not believed.
  private func beginning() -> SHA256 {
    var hash = SHA256()
    hash.update(data: Data((path.splitByBytes(at: "/").last ?? "").utf8))
    return hash
  }

  /// What an interrupted run left; nil when there is nothing whole.
  func load() -> Content? {
    AtomicFile.removeLeftovers(in: Folders.parent(of: path))
    guard let file = try? MappedFile(path) else { return nil }
    let isWhole = file.withBytes { bytes in
      guard bytes.count > Self.digestBytes else { return false }
      var hash = beginning()
      hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes.dropLast(Self.digestBytes)))
      return hash.finalize().elementsEqual(bytes.suffix(Self.digestBytes))
    }
    return isWhole ? Content(file: file) : nil
  }

  struct Content {
    fileprivate let file: MappedFile

    func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
      try file.withBytes { try body(UnsafeRawBufferPointer(rebasing: $0.dropLast(StageCheckpoint.digestBytes))) }
    }
  }

  /// Writes if it is time to. A training can do without: what went wrong is returned, once.
  func save(
    _ moment: CheckpointMoment, _ content: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) -> CompressError? {
    let now = ContinuousClock.now
    let isDue =
      switch moment {
      case .step: now - last >= Self.withinEpochs
      case .epoch: now - last >= max(Self.shortest, cost * 20)
      case .required: true
      }
    guard isDue, !hasFailed else { return nil }
    do {
      try Folders.create(Folders.parent(of: path))
      try AtomicFile.write(to: path) { writer in
        var hash = beginning()
        try content { bytes in
          hash.update(bufferPointer: bytes)
          try writer.write(bytes)
        }
        try writer.write(Array(hash.finalize()))
      }
    } catch {
      hasFailed = true
      return error as? CompressError ?? CompressError("\(error)", kind: .system)
    }
    last = .now
    cost = last - now
    return nil
  }

  /// The stage is finished.
  func remove() { try? FileManager.default.removeItem(atPath: path) }
}

extension StageStore {
  func checkpoint(of key: StageKey) -> StageCheckpoint {
    StageCheckpoint(path: "\(root)/checkpoints/\(key.digest.prefix(2))/\(key.digest).checkpoint")
  }
}
