import Diagnostics
import Foundation
import Synchronization

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// One GET request whose body is handed on as it arrives.
///
/// URLSession does redirects, TLS and proxies (`https_proxy`); it comes with Swift, there is no library to install.
final class HTTPTransfer {
  /// What the server answered, before its body.
  struct Answer {
    let status: Int
    let headers: [String: String]

    init(status: Int, headers: [String: String]) {
      self.status = status
      self.headers = Dictionary(headers.map { ($0.lowercased(), $1) }) { first, _ in first }
    }

    /// First byte and total length of a `Content-Range: bytes 5-9/10`.
    var range: (start: Int, total: Int?)? {
      guard let text = headers["content-range"], text.hasPrefix("bytes ") else { return nil }
      let parts = text.dropFirst(6).split(separator: "/")
      guard parts.count == 2, let start = parts[0].split(separator: "-").first.flatMap({ Int($0) }) else { return nil }
      return (start, Int(parts[1]))
    }
  }

  private let session: URLSession
  private let delegate: Delegate

  /// - Parameter timeout: seconds without a byte after which the transfer fails.
  init(timeout: Double) {
    let configuration = URLSessionConfiguration.ephemeral
    configuration.timeoutIntervalForRequest = timeout
    configuration.urlCache = nil
    configuration.httpShouldSetCookies = false
    delegate = Delegate()
    session = URLSession(configuration: configuration, delegate: delegate, delegateQueue: nil)
  }

  deinit { session.invalidateAndCancel() }

  /// - Parameters:
  ///   - onAnswer: may throw to refuse the body.
  ///   - onBytes: called with pieces of the body, in order.
  /// - Throws: what the closures throw; `CompressError` with the URL when the network fails or (kind `cancelled`)
  ///   `isCancelled` says so.
  func get(
    _ url: URL, headers: [String: String], isCancelled: () -> Bool,
    onAnswer: @escaping @Sendable (Answer) throws -> Void, onBytes: @escaping @Sendable (Data) throws -> Void
  ) throws {
    var request = URLRequest(url: url)
    // The file as it lies there: its checksum is of that.
    request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
    for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
    let transfer = Delegate.Transfer(onAnswer: onAnswer, onBytes: onBytes)
    delegate.transfer.withLock { $0 = transfer }
    let task = session.dataTask(with: request)
    task.resume()
    while transfer.done.wait(timeout: .now() + 0.1) == .timedOut {
      if isCancelled() {
        task.cancel()
        _ = transfer.done.wait(timeout: .now() + 2)
        throw CompressError("stopped on request; what arrived so far is kept", kind: .cancelled)
      }
    }
    if let error = transfer.refusal.withLock({ $0 }) { throw error }
    if let error = transfer.failure.withLock({ $0 }) {
      throw CompressError("\(Secrets.removed(from: url.absoluteString)): \(Self.reason(error))", kind: .system)
    }
  }

  private static func reason(_ error: any Error) -> String {
    guard let error = error as? URLError else { return error.localizedDescription }
    switch error.code {
    case .cannotFindHost: return "there is no such host, or no network"
    case .cannotConnectToHost: return "nobody answers there, or no network"
    case .notConnectedToInternet: return "no network"
    case .networkConnectionLost: return "the connection broke"
    case .timedOut: return "no answer for too long"
    default: return error.localizedDescription
    }
  }

  /// `@unchecked Sendable`: its one field locks.
  private final class Delegate: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    /// A request in progress.
    final class Transfer: Sendable {
      let onAnswer: @Sendable (Answer) throws -> Void
      let onBytes: @Sendable (Data) throws -> Void
      let refusal = Mutex<(any Error)?>(nil)
      let failure = Mutex<(any Error)?>(nil)
      let done = DispatchSemaphore(value: 0)

      init(
        onAnswer: @escaping @Sendable (Answer) throws -> Void, onBytes: @escaping @Sendable (Data) throws -> Void
      ) {
        self.onAnswer = onAnswer
        self.onBytes = onBytes
      }

      /// Whether `body` went well, and everything before it.
      func attempt(_ body: () throws -> Void) -> Bool {
        guard refusal.withLock({ $0 == nil }) else { return false }
        do {
          try body()
          return true
        } catch {
          refusal.withLock { $0 = error }
          return false
        }
      }
    }

    let transfer = Mutex<Transfer?>(nil)
    private var current: Transfer? { transfer.withLock { $0 } }

    func urlSession(
      _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
      completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
      let response = response as? HTTPURLResponse
      var headers: [String: String] = [:]
      for case (let name as String, let value as String) in response?.allHeaderFields ?? [:] { headers[name] = value }
      let answer = Answer(status: response?.statusCode ?? 0, headers: headers)
      let current = current
      completionHandler(current?.attempt { try current?.onAnswer(answer) } == true ? .allow : .cancel)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
      let current = current
      if current?.attempt({ try current?.onBytes(data) }) != true { dataTask.cancel() }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
      let current = current
      current?.failure.withLock { $0 = error }
      current?.done.signal()
    }
  }
}
