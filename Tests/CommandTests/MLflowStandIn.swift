import Foundation
import Synchronization

/// As much of an MLflow server, on 127.0.0.1, as logging a run takes.
final class MLflowStandIn: Sendable {
  let port: UInt16
  private let socket: Int32
  private let seen = Mutex<[(request: String, body: String)]>([])

  var address: String { "http://127.0.0.1:\(port)" }
  /// `POST /api/…` and so on, with what came with them.
  var requests: [(request: String, body: String)] { seen.withLock { $0 } }

  init() throws {
    socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = socket
    let isThere = withUnsafeMutablePointer(to: &place) { place in
      place.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(listener, address, length) == 0 && listen(listener, 16) == 0
          && getsockname(listener, address, &length) == 0
      }
    }
    guard isThere else { throw POSIXError(.EADDRNOTAVAIL) }
    port = UInt16(bigEndian: place.sin_port)
    Thread.detachNewThread { [weak self] in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return _ = close(listener) }
        self?.serve(connection)
        close(connection)
      }
    }
  }

  deinit { shutdown(socket, Int32(SHUT_RDWR)) }

  /// One request a connection.
  private func serve(_ connection: Int32) {
    var bytes: [UInt8] = [], byte: UInt8 = 0
    while !bytes.suffix(4).elementsEqual([13, 10, 13, 10]) {
      guard recv(connection, &byte, 1, 0) == 1 else { return }
      bytes.append(byte)
    }
    let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
    let header = lines.first { $0.lowercased().hasPrefix("content-length:") }
    let wanted = header.flatMap { Int($0.split(separator: ":")[1].trimmingCharacters(in: .whitespaces)) } ?? 0
    if lines.contains(where: { $0.lowercased().hasPrefix("expect:") }) {
      send("HTTP/1.1 100 Continue\r\n\r\n", connection)
    }
    var body = [UInt8](repeating: 0, count: wanted), have = 0
    while have < wanted {
      let count = body.withUnsafeMutableBytes { recv(connection, $0.baseAddress! + have, wanted - have, 0) }
      guard count > 0 else { return }
      have += count
    }
    let request = lines[0].split(separator: " ").prefix(2).joined(separator: " ")
    seen.withLock { $0.append((request, String(decoding: body, as: UTF8.self))) }
    let answer =
      if request.contains("experiments/get-by-name") {
        #"{"experiment": {"experiment_id": "1"}}"#
      } else if request.contains("runs/create") {
        #"{"run": {"info": {"run_id": "r", "status": "RUNNING", "artifact_uri": "mlflow-artifacts:/1/r"}}}"#
      } else {
        "{}"
      }
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
    send(head + "Content-Length: \(answer.utf8.count)\r\n\r\n" + answer, connection)
  }

  private func send(_ text: String, _ connection: Int32) {
    let bytes = Array(text.utf8)
    _ = bytes.withUnsafeBytes { Foundation.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
  }
}
