import Crypto
import Diagnostics
import Files
import Foundation
import Synchronization
import Tensors
import Testing

@testable import Downloads

/// Against a server on this machine.
struct DownloaderTests {
  let folder: String
  /// Some tens of kilobytes that no accident repeats.
  let bytes: [UInt8]

  init() throws {
    folder = NSTemporaryDirectory() + "/compress-downloads-" + UUID().uuidString
    var random = SeededRandom(seed: 1)
    bytes = (0..<60_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }

  static func sha256(_ bytes: [UInt8]) -> String {
    SHA256.hash(data: bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  var data: PublishedDataset {
    PublishedDataset(
      name: "set", summary: "", mirrors: [],
      files: [PublishedFile("a.gz", bytes: bytes.count, sha256: Self.sha256(bytes))], members: [])
  }

  func downloader(_ servers: Server...) -> Downloader {
    var downloader = Downloader()
    downloader.mirrors = servers.map(\.address)
    downloader.timeout = 5
    return downloader
  }

  func failure(_ body: () throws -> Void, sourceLocation: SourceLocation = #_sourceLocation) throws -> CompressError {
    try #require(throws: CompressError.self, sourceLocation: sourceLocation) { try body() }
  }

  var content: [UInt8]? { FileManager.default.contents(atPath: folder + "/a.gz").map { [UInt8]($0) } }
  var left: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0 != "a.gz" }.sorted()
  }

  /// As an interrupted run leaves it.
  func leave(_ part: [UInt8], from: String? = nil) throws {
    try Folders.create(folder)
    try AtomicFile.write(part, to: folder + "/.a.gz.part")
    if let from { try AtomicFile.write(from.utf8, to: folder + "/.a.gz.part.from") }
  }

  @Test func aFileIsFetchedOnce() throws {
    let server = try Server { [bytes] in .file(bytes, $0) }
    var downloader = downloader(server)
    let seen = Mutex<[Int]>([])
    downloader.onProgress = { file, done, total in
      #expect(file == "a.gz" && total == 60_000)
      seen.withLock { $0.append(done) }
    }
    let first = try downloader.fetch(data, into: folder)
    #expect(first.fetched == ["a.gz"] && first.present == [])
    #expect(content == bytes)
    #expect(left == [])
    #expect(seen.withLock { $0.last } == 60_000)
    #expect(server.requests.map(\.path) == ["/set/a.gz"])
    #expect(server.requests[0].headers["accept-encoding"] == "identity")
    let second = try downloader.fetch(data, into: folder)
    #expect(second.fetched == [] && second.present == ["a.gz"])
    #expect(server.requests.count == 1)
    // Damaged meanwhile, it is fetched again.
    try AtomicFile.write(bytes.reversed(), to: folder + "/a.gz")
    #expect(try downloader.fetch(data, into: folder).fetched == ["a.gz"])
    #expect(content == bytes)
  }

  @Test func aMirrorMayBeOfThisSetAlone() throws {
    let server = try Server { [bytes] in $0.path == "/a.gz" ? .file(bytes, $0) : Server.Answer(status: 404) }
    _ = try downloader(server).fetch(data, into: folder)
    #expect(server.requests.map(\.path) == ["/set/a.gz", "/a.gz"])
    #expect(content == bytes)
  }

  @Test func redirectionsAreFollowed() throws {
    let server = try Server { [bytes] in
      $0.path == "/elsewhere" ? .file(bytes, $0) : Server.Answer(status: 302, headers: ["Location": "/elsewhere"])
    }
    _ = try downloader(server).fetch(data, into: folder)
    #expect(content == bytes)
  }

  @Test func theRestIsAskedFor() throws {
    let server = try Server { [bytes] in .file(bytes, $0, tag: "\"v1\"") }
    try leave(Array(bytes[..<20_000]), from: "\(server.address)/set/a.gz\n\"v1\"")
    _ = try downloader(server).fetch(data, into: folder)
    #expect(content == bytes)
    #expect(left == [])
    #expect(server.requests.count == 1)
    #expect(server.requests[0].headers["range"] == "bytes=20000-")
    #expect(server.requests[0].headers["if-range"] == "\"v1\"")
  }

  /// The tag of one address means nothing at another.
  @Test func theRestMayComeFromAnotherMirror() throws {
    let server = try Server { [bytes] in .file(bytes, $0, tag: "\"other\"") }
    try leave(Array(bytes[..<20_000]), from: "http://elsewhere/a.gz\n\"v1\"")
    _ = try downloader(server).fetch(data, into: folder)
    #expect(content == bytes)
    #expect(server.requests[0].headers["range"] == "bytes=20000-")
    #expect(server.requests[0].headers["if-range"] == nil)
  }

  @Test func aChangedFileIsFetchedWhole() throws {
    let server = try Server { [bytes] in .file(bytes, $0, tag: "\"v2\"") }
    try leave([UInt8](repeating: 7, count: 20_000), from: "\(server.address)/set/a.gz\n\"v1\"")
    _ = try downloader(server).fetch(data, into: folder)
    #expect(content == bytes)
    #expect(server.requests.count == 1, "the server saw from If-Range that it is another file")
  }

  @Test func withoutRangesItStartsAgain() throws {
    let server = try Server { [bytes] _ in Server.Answer(body: bytes) }
    try leave(Array(bytes[..<20_000]))
    _ = try downloader(server).fetch(data, into: folder)
    #expect(content == bytes)
    #expect(server.requests.count == 1)
  }

  @Test func partsThatDoNotFitAreFetchedAgain() throws {
    let server = try Server { [bytes] in .file(bytes, $0) }
    try leave([UInt8](repeating: 7, count: 20_000))
    _ = try downloader(server).fetch(data, into: folder)
    #expect(content == bytes)
    #expect(server.requests.map { $0.start } == [20_000, nil])
  }

  @Test(arguments: [60_000, 60_001, 70_000])
  func aPartThatIsAllOrMoreIsNoReasonToAsk(count: Int) throws {
    let server = try Server { [bytes] in .file(bytes, $0) }
    try leave(bytes + [UInt8](repeating: 0, count: count - 60_000))
    _ = try downloader(server).fetch(data, into: folder)
    #expect(content == bytes)
    #expect(server.requests.count == (count == 60_000 ? 0 : 1))
  }

  @Test(arguments: [false, true])
  func truncatedAnswersAreContinued(lengthless: Bool) throws {
    let server = try Server { [bytes] request in
      var answer = Server.Answer.file(bytes, request)
      answer.sent = 25_000
      answer.lengthless = lengthless
      return answer
    }
    _ = try downloader(server).fetch(data, into: folder)
    #expect(content == bytes)
    #expect(server.requests.map { $0.start } == [nil, 25_000, 50_000])
  }

  @Test func aServerThatSendsNothingIsGivenUpButThePartStays() throws {
    let server = try Server { [bytes] request in
      var answer = Server.Answer.file(bytes, request)
      answer.sent = request.start == nil ? 25_000 : 0
      return answer
    }
    let error = try failure { _ = try downloader(server).fetch(data, into: folder) }
    #expect(error.kind == .system)
    #expect(error.message.hasPrefix("set: a.gz could not be fetched: \(server.address)/set/a.gz"))
    #expect(error.hint?.contains("--mirror") == true)
    #expect(content == nil)
    #expect(try Folders.size(ofFile: folder + "/.a.gz.part") == 25_000)
    let good = try Server { [bytes] in .file(bytes, $0) }
    _ = try downloader(good).fetch(data, into: folder)
    #expect(good.requests.map { $0.start } == [25_000])
    #expect(content == bytes)
  }

  @Test func wrongBytesNameBothHashes() throws {
    var wrong = bytes
    wrong[30_000] ^= 1
    let server = try Server { [wrong] in .file(wrong, $0) }
    let error = try failure { _ = try downloader(server).fetch(data, into: folder) }
    #expect(error.message.contains("SHA-256 \(Self.sha256(wrong)), not \(Self.sha256(bytes))"))
    #expect(content == nil)
    #expect(left == [])
    // The next mirror may be better.
    let good = try Server { [bytes] in .file(bytes, $0) }
    var notes: [String] = []
    var both = downloader(server, good)
    both.onNote = { notes.append($0) }
    _ = try both.fetch(data, into: folder)
    #expect(content == bytes)
    #expect(notes.contains { $0.contains(Self.sha256(wrong)) })
  }

  @Test(arguments: [59_999, 60_001])
  func wrongLengths(count: Int) throws {
    let wrong = Array((bytes + [0])[..<count])
    let server = try Server { [wrong] in .file(wrong, $0) }
    let error = try failure { _ = try downloader(server).fetch(data, into: folder) }
    #expect(error.message.contains("is another file: \(count) bytes, not 60000"))
    #expect(left == [])
    let endless = try Server { [wrong] _ in Server.Answer(body: wrong + wrong, lengthless: true) }
    let more = try failure { _ = try downloader(endless).fetch(data, into: folder) }
    #expect(more.message.contains("more than 60000 bytes"))
    #expect(left == [])
  }

  @Test func answersThatAreNoFile() throws {
    let missing = try Server { _ in Server.Answer(status: 404, body: Array("<html>".utf8)) }
    #expect(try failure { _ = try downloader(missing).fetch(data, into: folder) }.message.contains("not there (404)"))
    let broken = try Server { _ in Server.Answer(status: 503) }
    #expect(try failure { _ = try downloader(broken).fetch(data, into: folder) }.message.contains("status 503"))
    let encoded = try Server { [bytes] _ in Server.Answer(headers: ["Content-Encoding": "gzip"], body: bytes) }
    #expect(try failure { _ = try downloader(encoded).fetch(data, into: folder) }.message.contains("is sent as gzip"))
    let other = try Server { [bytes] _ in
      Server.Answer(status: 206, headers: ["Content-Range": "bytes 5-59999/60000"], body: Array(bytes[5...]))
    }
    try leave(Array(bytes[..<20_000]))
    #expect(
      try failure { _ = try downloader(other).fetch(data, into: folder) }.message
        .contains("answered with bytes 5-59999/60000, not the bytes from 20000 of 60000"))
  }

  @Test func nobodyThere() throws {
    // A port that was free a moment ago.
    let address = try Server { _ in Server.Answer() }.address
    var downloader = Downloader()
    downloader.mirrors = [address]
    let error = try failure { _ = try downloader.fetch(data, into: folder) }
    #expect(error.kind == .system)
    #expect(error.message.contains("\(address)/set/a.gz: nobody answers there, or no network"), "\(error)")
    downloader.mirrors = ["http://no-such-host.invalid"]
    #expect(try failure { _ = try downloader.fetch(data, into: folder) }.message.contains("no such host"))
  }

  @Test func aServerThatStallsIsGivenUp() throws {
    let server = try Server { [bytes] request in
      var answer = Server.Answer.file(bytes, request)
      answer.pause = 60
      return answer
    }
    var impatient = downloader(server)
    impatient.timeout = 1
    impatient.attempts = 1
    let error = try failure { _ = try impatient.fetch(data, into: folder) }
    #expect(error.message.contains("no answer for too long"), "\(error)")
  }

  @Test func aSlowServerIsNot() throws {
    let server = try Server { [bytes] request in
      var answer = Server.Answer.file(bytes, request)
      answer.pause = 0.03
      return answer
    }
    var patient = downloader(server)
    patient.timeout = 1
    _ = try patient.fetch(data, into: folder)
    #expect(content == bytes)
    #expect(server.requests.count == 1)
  }

  @Test func stoppingKeepsWhatArrived() throws {
    let server = try Server { [bytes] request in
      var answer = Server.Answer.file(bytes, request)
      answer.pause = 0.1
      return answer
    }
    var downloader = downloader(server)
    let arrived = Mutex(0)
    downloader.onProgress = { _, done, _ in arrived.withLock { $0 = done } }
    downloader.isCancelled = { arrived.withLock { $0 > 2000 } }
    let error = try failure { _ = try downloader.fetch(data, into: folder) }
    #expect(error.kind == .cancelled)
    #expect(error.exitStatus == 130)
    #expect(try Folders.size(ofFile: folder + "/.a.gz.part") > 2000)
    #expect(content == nil)
  }

  @Test func oneAtATime() throws {
    try Folders.create(folder)
    let other = try PartialFile(for: folder + "/a.gz")
    let server = try Server { [bytes] in .file(bytes, $0) }
    let error = try failure { _ = try downloader(server).fetch(data, into: folder) }
    #expect(error.description == "\(folder)/a.gz: another process is fetching it")
    #expect(other.count == 0)
  }

  @Test func mirrorsAreWebAddresses() throws {
    var downloader = Downloader()
    for mirror in ["file:///etc", "ftp://x/y", "here", "", "http://"] {
      downloader.mirrors = [mirror]
      let error = try failure { _ = try downloader.fetch(data, into: folder) }
      #expect(error.message.contains("not \"\(mirror)\""))
    }
  }

  @Test func aFolderThatCannotBeWritten() throws {
    try AtomicFile.write([1], to: folder)
    let server = try Server { [bytes] in .file(bytes, $0) }
    #expect(throws: CompressError.self) { _ = try downloader(server).fetch(data, into: folder) }
    #expect(server.requests.isEmpty)
  }

  @Test func whatIsKnownIsComplete() throws {
    #expect(PublishedDataset.all.map(\.name) == ["cifar10", "fashion_mnist", "mnist"])
    for data in PublishedDataset.all {
      #expect(!data.mirrors.isEmpty && !data.files.isEmpty)
      #expect(data.files.allSatisfy { $0.sha256.count == 64 && $0.bytes > 0 })
    }
    #expect(try failure { _ = try PublishedDataset.named("minst") }.message.contains("(did you mean \"mnist\"?)"))
  }
}
