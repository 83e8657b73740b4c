import Crypto
import Diagnostics
import Files
import Foundation

// Data sets that come as one archive. What is unpacked is listed in SHA256SUMS beside it, to be verified later.
extension Downloader {
  private static let list = "SHA256SUMS"

  /// Whether every member is there as it was unpacked.
  func hasMembers(_ data: PublishedDataset, _ folder: String) throws -> Bool {
    guard let text = try? String(contentsOfFile: "\(folder)/\(Self.list)", encoding: .utf8) else { return false }
    let sums = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    return try data.members.allSatisfy { member in
      let path = "\(folder)/\(member.name)"
      guard Folders.isFile(path), try Folders.size(ofFile: path) == member.bytes else { return false }
      return sums.contains([try Self.digest(path), member.name])
    }
  }

  /// Takes the members, and nothing else, from the archive, which is then removed.
  func unpack(_ data: PublishedDataset, _ archive: String, into folder: String) throws {
    let reader = try TarReader(archive)
    var sums: [String: String] = [:]
    let total = data.members.reduce(0) { $0 + $1.bytes }
    var done = 0
    while let entry = try reader.next() {
      guard let member = data.members.first(where: { $0.path == entry.path }) else { continue }
      guard entry.size == member.bytes, sums[member.name] == nil else {
        throw CompressError(
          "\(entry.path.escapedForTerminal) has \(entry.size) bytes, not \(member.bytes), or is there twice",
          kind: .input
        ).at(file: archive)
      }
      var hash = SHA256()
      try AtomicFile.write(to: "\(folder)/\(member.name)") { writer in
        try reader.read { bytes in
          if isCancelled() { throw CompressError("stopped on request; the archive is kept", kind: .cancelled) }
          hash.update(bufferPointer: bytes)
          try writer.write(bytes)
          done += bytes.count
        }
        onProgress(member.name, done, total)
      }
      sums[member.name] = Self.hex(hash)
    }
    if let missing = data.members.first(where: { sums[$0.name] == nil }) {
      throw CompressError("\(missing.path) is not in the archive", kind: .input).at(file: archive)
    }
    try AtomicFile.write(
      data.members.map { "\(sums[$0.name]!)  \($0.name)\n" }.joined().utf8, to: "\(folder)/\(Self.list)")
    try? FileManager.default.removeItem(atPath: archive)
  }
}
