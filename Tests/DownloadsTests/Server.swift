import Foundation
import Synchronization

/// A web server on 127.0.0.1, as badly behaved as a test wants it: one thread a connection, one answer a connection.
final class Server: Sendable {
  struct Request: Sendable {
    let path: String
    /// Names in lower case.
    let headers: [String: String]

    /// The first byte that a `Range: bytes=5-` asks for.
    var start: Int? { headers["range"].flatMap { Int($0.dropFirst("bytes=".count).dropLast()) } }
  }

  /// What is sent: the head, then bytes; then the connection is closed.
  struct Answer: Sendable {
    var status = 200
    var headers: [String: String] = [:]
    var body: [UInt8] = []
    /// Sent of the body before the connection breaks.
    var sent: Int?
    /// Seconds between pieces of 1000 bytes.
    var pause = 0.0
    /// Announces no length.
    var lengthless = false
  }

  let port: UInt16
  private let socket: Int32
  private let answer: @Sendable (Request) -> Answer
  private let log = Mutex<[Request]>([])

  var address: String { "http://127.0.0.1:\(port)" }
  /// What was asked for so far.
  var requests: [Request] { log.withLock { $0 } }

  init(_ answer: @escaping @Sendable (Request) -> Answer) throws {
    self.answer = answer
    socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = socket
    let port = withUnsafeMutablePointer(to: &place) { place in
      place.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> Bool in
        bind(listener, address, length) == 0 && listen(listener, 16) == 0
          && getsockname(listener, address, &length) == 0
      }
    }
    guard port else { throw POSIXError(.EADDRNOTAVAIL) }
    self.port = UInt16(bigEndian: place.sin_port)
    Thread.detachNewThread { [weak self] in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else {
          // Closed here and nowhere else: nobody waits at a number that another socket may have by now.
          close(listener)
          return
        }
        guard let server = self else {
          close(connection)
          continue
        }
        Thread.detachNewThread {
          server.serve(connection)
          close(connection)
        }
      }
    }
  }

  deinit {
    shutdown(socket, Int32(SHUT_RDWR))
  }

  private func serve(_ connection: Int32) {
    var head: [UInt8] = [], byte: UInt8 = 0
    while !head.suffix(4).elementsEqual([13, 10, 13, 10]) {
      guard recv(connection, &byte, 1, 0) == 1 else { return }
      head.append(byte)
    }
    let lines = String(decoding: head, as: UTF8.self).components(separatedBy: "\r\n")
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2 { headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces) }
    }
    let request = Request(path: lines[0].components(separatedBy: " ")[1], headers: headers)
    log.withLock { $0.append(request) }
    let answer = answer(request)
    var text = "HTTP/1.1 \(answer.status) Answer\r\nConnection: close\r\n"
    if !answer.lengthless { text += "Content-Length: \(answer.body.count)\r\n" }
    for (name, value) in answer.headers { text += "\(name): \(value)\r\n" }
    guard send(connection, Array((text + "\r\n").utf8)) else { return }
    let body = answer.body.prefix(answer.sent ?? answer.body.count)
    guard answer.pause > 0 else {
      _ = send(connection, Array(body))
      return
    }
    for start in stride(from: 0, to: body.count, by: 1000) {
      guard send(connection, Array(body[start..<min(start + 1000, body.count)])) else { return }
      Thread.sleep(forTimeInterval: answer.pause)
    }
  }

  private func send(_ connection: Int32, _ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Foundation.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }
}

extension Server.Answer {
  /// A file as a good server gives it, or its rest.
  static func file(_ bytes: [UInt8], _ request: Server.Request, tag: String? = nil) -> Server.Answer {
    var answer = Server.Answer(body: bytes)
    if let tag { answer.headers["ETag"] = tag }
    let unchanged = request.headers["if-range"] == nil || request.headers["if-range"] == tag
    if let start = request.start, unchanged {
      guard start < bytes.count else { return Server.Answer(status: 416) }
      answer.status = 206
      answer.headers["Content-Range"] = "bytes \(start)-\(bytes.count - 1)/\(bytes.count)"
      answer.body = Array(bytes[start...])
    }
    return answer
  }
}
