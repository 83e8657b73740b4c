import Diagnostics
import Foundation
import Runs
import Synchronization
import Testing

@testable import Experiments

/// A server on 127.0.0.1 that answers each request as the test has it, and remembers what it was sent.
private final class Listener: Sendable {
  struct Request: Sendable {
    let line: String
    let headers: [String: String]
    let body: String
  }

  let port: UInt16
  private let socket: Int32
  private let log = Mutex<[Request]>([])

  var requests: [Request] { log.withLock { $0 } }

  /// - Parameter answer: status, further headers and body.
  init(_ answer: @escaping @Sendable (Request) -> (Int, [String], String)) throws {
    let listener = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    socket = listener
    var place = sockaddr_in(), length = socklen_t(MemoryLayout<sockaddr_in>.size)
    place.sin_family = sa_family_t(AF_INET)
    place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let isListening = withUnsafeMutablePointer(to: &place) { place in
      place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &length) == 0
      }
    }
    guard isListening else { throw POSIXError(.EADDRNOTAVAIL) }
    port = UInt16(bigEndian: place.sin_port)
    Thread.detachNewThread { [weak self] in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0, let self else {
          close(connection >= 0 ? connection : listener)
          return
        }
        if let request = Self.read(connection) {
          self.log.withLock { $0.append(request) }
          let (status, headers, body) = answer(request)
          let head = ["HTTP/1.1 \(status) X", "Connection: close", "Content-Length: \(body.utf8.count)"] + headers
          let text = head.joined(separator: "\r\n") + "\r\n\r\n" + body
          _ = Array(text.utf8).withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        }
        close(connection)
      }
    }
  }

  deinit { shutdown(socket, Int32(SHUT_RDWR)) }

  private static func read(_ connection: Int32) -> Request? {
    var bytes: [UInt8] = [], byte: UInt8 = 0
    while !bytes.suffix(4).elementsEqual([13, 10, 13, 10]) {
      guard recv(connection, &byte, 1, 0) == 1 else { return nil }
      bytes.append(byte)
    }
    let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2 { headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces) }
    }
    var body: [UInt8] = []
    while body.count < Int(headers["content-length"] ?? "0") ?? 0, recv(connection, &byte, 1, 0) == 1 {
      body.append(byte)
    }
    return Request(line: lines[0], headers: headers, body: String(decoding: body, as: UTF8.self))
  }
}

@Suite(.serialized) struct MLflowSecretsTests {
  /// Answers as MLflow does.
  private static func answer(_ request: Listener.Request) -> (Int, [String], String) {
    let path = request.line.components(separatedBy: " ")[1]
    if path.contains("experiments/get-by-name") { return (200, [], #"{"experiment":{"experiment_id":"1"}}"#) }
    if path.hasSuffix("runs/search") { return (200, [], "{}") }
    if path.hasSuffix("runs/create") {
      return (200, [], #"{"run":{"info":{"run_id":"r","status":"RUNNING","artifact_uri":"mlflow-artifacts:/1/r"}}}"#)
    }
    return (200, [], "{}")
  }

  private func error(_ body: () throws -> Void) throws -> CompressError {
    try #require(throws: CompressError.self) { try body() }
  }

  @Test(arguments: [301, 302, 307, 308]) func nothingGoesToWhereAnAnswerLeads(_ status: Int) throws {
    let elsewhere = try Listener(Self.answer), target = "http://127.0.0.1:\(elsewhere.port)/"
    let server = try Listener { request in
      request.line.hasPrefix("GET") ? Self.answer(request) : (status, ["Location: \(target)"], "")
    }
    let client = try MLflowClient(
      "http://127.0.0.1:\(server.port)", experiment: "e", environment: ["MLFLOW_TRACKING_TOKEN": "word"])
    let found = try error { try client.log(sampleRun(1), files: nil) }
    #expect(found.description.contains("sends requests on to \(target)"))
    #expect(server.requests.allSatisfy { $0.headers["authorization"] == "Bearer word" })
    let leading = try Listener { _ in (status, ["Location: \(target)api/2.0/x?token=1"], "") }
    let shown = try error {
      _ = try MLflowClient(
        "http://me:word@127.0.0.1:\(leading.port)/?key=word", experiment: "e", environment: [:])
    }
    #expect(leading.requests.first?.headers["authorization"] == "Basic bWU6d29yZA==")
    #expect(elsewhere.requests.isEmpty, "neither the proof nor what is logged")
    #expect(!shown.description.contains("word") && !shown.description.contains("token=1"))
  }

  @Test func credentialsAreShownNowhere() throws {
    let server = try Listener(Self.answer), address = "http://me:word@127.0.0.1:\(server.port)/?key=word"
    let client = try MLflowClient(address, experiment: "e", environment: ["MLFLOW_TRACKING_TOKEN": "other"])
    var run = sampleRun(1)
    run.command = ["compress", "run", "a.lua", "--mlflow", address, "--mlflow=\(address)", "--set", "u=\(address)"]
    run.error = "no answer of \(address)"
    run.params["u"] = .string(address)
    try client.log(run, files: nil)
    #expect(server.requests.count == 5)
    for request in server.requests {
      #expect(request.headers["authorization"] == "Basic bWU6d29yZA==")
      #expect(!request.line.contains("word") && !request.body.contains("word"))
    }
    let folder = try TemporaryFolder()
    let store = try RunStore(folder.path + "/data/compress/runs.sqlite")
    try store.record(run)
    try store.writeOutside { _ = try $0.checkpoint(.truncate) }
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/data/compress")
    #expect(files.contains("runs.sqlite"))
    for name in files {
      let path = "\(folder.path)/data/compress/\(name)"
      let content = try Data(contentsOf: URL(fileURLWithPath: path))
      #expect(content.range(of: Data("word".utf8)) == nil, "\(name)")
      #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600, "\(name)")
    }
    let outcome = String(decoding: try JSONEncoder().encode(run), as: UTF8.self)
    #expect(!outcome.contains("word"))
  }

  @Test(arguments: ["me:word@host", "ftp://me:word@host", "http://me:word@", "http:me:word@host"])
  func addressesThatAreNone(_ address: String) throws {
    let found = try error { _ = try MLflowClient(address, experiment: "e", environment: [:]) }
    #expect(found.description.contains("write http://HOST:PORT") && !found.description.contains("word"))
  }

  @Test func answersAreBoundedAndShownAsText() throws {
    let loud = try Listener { _ in
      (500, [], "{\"message\":\"\\u001b[2J\\n" + String(repeating: "x", count: 5000) + "\"}")
    }
    let shown = try error { _ = try MLflowClient("http://127.0.0.1:\(loud.port)", experiment: "e", environment: [:]) }
    #expect(shown.description.count < 600 && !shown.description.contains("\u{1B}") && !shown.message.contains("\n"))
    let deep = try Listener { _ in (200, [], String(repeating: "[", count: 100_000)) }
    _ = try error { _ = try MLflowClient("http://127.0.0.1:\(deep.port)", experiment: "e", environment: [:]) }
    let long = try Listener { _ in (200, [], String(repeating: " ", count: MLflowTransfer.longestAnswer + 1)) }
    let refused = try error { _ = try MLflowClient("http://127.0.0.1:\(long.port)", experiment: "e", environment: [:]) }
    #expect(refused.description.contains("an answer of more than"))
  }

  @Test func onlyFilesOfTheRunAreSent() throws {
    let server = try Listener(Self.answer)
    let client = try MLflowClient("http://127.0.0.1:\(server.port)", experiment: "e", environment: [:])
    let folder = try TemporaryFolder()
    try Data("secret".utf8).write(to: URL(fileURLWithPath: folder.path + "/secret"))
    try FileManager.default.createDirectory(atPath: folder.path + "/run", withIntermediateDirectories: false)
    symlink(folder.path + "/secret", folder.path + "/run/link")
    for path in ["link", "../secret", folder.path + "/secret"] {
      var run = sampleRun(2)
      run.artifacts = [RunRecord.Artifact(path: path, bytes: 6, sha256: String(repeating: "0", count: 64))]
      _ = try error { try client.log(run, files: folder.path + "/run") }
    }
    #expect(!server.requests.contains { $0.body.contains("secret") || $0.line.hasPrefix("PUT") })
  }
}
