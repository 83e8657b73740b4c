import Crypto
import Diagnostics
import Files
import Foundation

/// Fetches the files of a published data set into a folder, so that each is there whole and verified, or not at all.
///
/// What arrives before a failure or Ctrl-C stays beside the target as `.NAME.part`, and the next attempt asks for the
/// rest only. Mirrors are tried in order; a file counts when its SHA-256 is the published one, wherever it came from.
public struct Downloader {
  /// Where to fetch from instead of the data set's own mirrors; empty: from those.
  public var mirrors: [String] = []
  /// Seconds without a byte after which a mirror is given up.
  public var timeout = 60.0
  /// How often a mirror that breaks off is asked for the rest, as long as each time something arrives.
  public var attempts = 5
  /// Called with the name of a file, the bytes of it that are there and those there will be.
  public var onProgress: (_ file: String, _ done: Int, _ total: Int) -> Void = { _, _, _ in }
  /// Called with a sentence about what went wrong before the next thing is tried.
  public var onNote: (String) -> Void = { _ in }
  public var isCancelled: () -> Bool = { false }

  public init() {}

  /// What was done.
  public struct Result: Sendable {
    /// Files that were there already, verified.
    public var present: [String] = []
    public var fetched: [String] = []
  }

  /// - Throws: `CompressError` when a file cannot be had from any mirror (with what each said) or not be written.
  public func fetch(_ data: PublishedDataset, into folder: String) throws -> Result {
    let mirrors = try (self.mirrors.isEmpty ? data.mirrors : self.mirrors).map(Self.checked)
    try Folders.prepare(folder)
    var result = Result()
    if !data.members.isEmpty, try hasMembers(data, folder) {
      result.present = data.members.map(\.name)
      return result
    }
    for file in data.files {
      let path = "\(folder)/\(file.name)"
      // The gzipped file, verified, is what counts; an unpacked one says nothing about itself.
      if Folders.isFile(path), try Folders.size(ofFile: path) == file.bytes, try Self.digest(path) == file.sha256 {
        result.present.append(file.name)
        continue
      }
      try fetch(file, of: data.name, to: path, from: mirrors, isOwn: self.mirrors.isEmpty)
      result.fetched.append(file.name)
    }
    if !data.members.isEmpty, let archive = data.files.first {
      try unpack(data, "\(folder)/\(archive.name)", into: folder)
      result.fetched = data.members.map(\.name)
    }
    return result
  }

  private static func checked(_ mirror: String) throws -> String {
    guard let url = URL(string: mirror), let scheme = url.scheme?.lowercased(), ["http", "https"].contains(scheme),
      url.host?.isEmpty == false
    else {
      let shown = Secrets.removed(from: mirror)
      throw CompressError("a mirror is an address that begins with https:// or http://, not \"\(shown)\"")
    }
    return mirror.hasSuffix("/") ? String(mirror.dropLast()) : mirror
  }

  static func digest(_ path: String) throws -> String {
    var hash = SHA256()
    try MappedFile(path).withBytes { hash.update(bufferPointer: $0) }
    return hex(hash)
  }

  static func hex(_ hash: SHA256) -> String {
    hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

// MARK: One file

extension Downloader {
  private func fetch(_ file: PublishedFile, of name: String, to path: String, from mirrors: [String], isOwn: Bool)
    throws
  {
    let part = try PartialFile(for: path)
    // The network's threads may hold on to it a while after a failure.
    defer { part.release() }
    // What an earlier run left may be whole, or too much.
    if part.count >= file.bytes, try finish(part, file) == nil { return }
    var failures: [String] = []
    for mirror in mirrors {
      // A mirror that was named may be of several data sets, with a folder for each.
      for folder in isOwn ? [""] : ["/\(name)", ""] {
        guard let url = URL(string: "\(mirror)\(folder)/\(file.name)") else { continue }
        if let failure = failures.last { onNote(failure) }
        do {
          return try fetch(file, to: part, from: url)
        } catch let error as CompressError where error.kind != .cancelled && error.file == nil {
          failures.append(error.message)
          // Where nobody answers the next address does not, either.
          if error.kind == .system { break }
        }
      }
    }
    if part.count == 0 {
      part.discard()
      PartialOrigin.forget(part)
    }
    throw CompressError(
      "\(name): \(file.name) could not be fetched: " + failures.joined(separator: "; "), kind: .system,
      hint: "the network may be away, or the mirrors have moved: name one with --mirror URL or $COMPRESS_MIRROR; "
        + "or put the file (SHA-256 \(file.sha256)) at \(path)")
  }

  /// Errors without a file are the mirror's: another may do better.
  private func fetch(_ file: PublishedFile, to part: PartialFile, from url: URL) throws {
    var failures = 0
    while true {
      let start = part.count
      do {
        try transfer(file, to: part, from: url)
      } catch let error as CompressError where error.kind == .system && error.file == nil {
        // Broken off: the rest may come.
        failures += 1
        guard part.count > start, failures < attempts else { throw error }
        onNote("\(error.message); \(part.count) of \(file.bytes) bytes are here, asking for the rest")
        continue
      }
      guard let found = try finish(part, file) else { return }
      guard start > 0 else {
        throw CompressError(
          "\(Secrets.removed(from: url.absoluteString)) is another file: SHA-256 \(found), not \(file.sha256)",
          kind: .input)
      }
      // The beginning may have been of another file.
      onNote("\(Secrets.removed(from: url.absoluteString)): the parts do not fit together; starting again")
    }
  }

  /// Publishes what is there when it is the file; else forgets it and returns its SHA-256.
  private func finish(_ part: PartialFile, _ file: PublishedFile) throws -> String? {
    var hash = SHA256()
    try part.read { hash.update(bufferPointer: $0) }
    let found = Self.hex(hash)
    guard found == file.sha256, part.count == file.bytes else {
      try part.clear()
      return found
    }
    try part.publish()
    PartialOrigin.forget(part)
    return nil
  }

  /// The rest of a file, or all of it when the server gives no parts or has another file by now.
  private func transfer(_ file: PublishedFile, to part: PartialFile, from url: URL) throws {
    var headers: [String: String] = [:]
    if part.count > 0 {
      headers["Range"] = "bytes=\(part.count)-"
      if let tag = PartialOrigin.tag(of: part, from: url) { headers["If-Range"] = tag }
    }
    let receiver = Receiver(part, file, url)
    defer { receiver.close() }
    try HTTPTransfer(timeout: timeout).get(
      url, headers: headers,
      isCancelled: {
        onProgress(file.name, receiver.count, file.bytes)
        return isCancelled()
      },
      onAnswer: receiver.begin, onBytes: receiver.receive)
    onProgress(file.name, part.count, file.bytes)
    guard part.count == file.bytes else {
      throw CompressError(
        "\(Secrets.removed(from: url.absoluteString)) broke off after \(part.count) of \(file.bytes) bytes",
        kind: .system)
    }
  }
}
