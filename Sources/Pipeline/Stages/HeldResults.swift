import Diagnostics
import Tensors

/// Results in memory, within a limit. When there are more, those go that can be had again, what was asked for longest
/// ago first.
struct HeldResults {
  private struct Held {
    let result: StageResult
    /// Whether the store has it, too.
    let isStored: Bool
    var lastUse: Int
  }

  let limit: Int
  /// Of tensors in memory; those that several results share count once.
  private(set) var bytes = 0

  private var held: [String: Held] = [:]
  /// By storage, its bytes and how many of the results' tensors lie in it.
  private var storages: [ObjectIdentifier: (bytes: Int, uses: Int)] = [:]
  private var uses = 0

  init(limit: Int) { self.limit = limit }

  func has(_ digest: String) -> Bool { held[digest] != nil }

  subscript(digest: String) -> StageResult? {
    mutating get {
      uses += 1
      held[digest]?.lastUse = uses
      return held[digest]?.result
    }
  }

  /// - Throws: `CompressError` of kind `.limit` when there is no room for it, and nothing that could go; it is then not
  ///   held.
  mutating func hold(_ result: StageResult, of digest: String, isStored: Bool) throws {
    uses += 1
    drop(digest)
    held[digest] = Held(result: result, isStored: isStored, lastUse: uses)
    for tensor in result.model.tensors where tensor.heldBytes > 0 {
      let known = storages[tensor.storageIdentity]
      if known == nil { bytes += tensor.heldBytes }
      storages[tensor.storageIdentity] = (tensor.heldBytes, (known?.uses ?? 0) + 1)
    }
    while bytes > limit {
      // The newest only when all others are gone: who asked for it has it anyway.
      guard let oldest = held.filter({ $0.value.isStored }).min(by: { $0.value.lastUse < $1.value.lastUse }) else {
        let wanted = bytes, count = held.count
        drop(digest)
        throw CompressError(
          "the models of \(count) stages take \(wanted) bytes, more than the \(limit) that may be held, and are in no "
            + "store to be read from again", kind: .limit,
          hint: "without --no-cache they would be, unless what they depend on cannot be repeated")
      }
      drop(oldest.key)
    }
  }

  private mutating func drop(_ digest: String) {
    guard let old = held.removeValue(forKey: digest) else { return }
    for tensor in old.result.model.tensors where tensor.heldBytes > 0 {
      guard let known = storages[tensor.storageIdentity] else { continue }
      storages[tensor.storageIdentity] = known.uses > 1 ? (known.bytes, known.uses - 1) : nil
      if known.uses == 1 { bytes -= known.bytes }
    }
  }
}
