import Diagnostics
import Foundation
import Synchronization

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Requests to one server, with what proves who asks.
///
/// Who asks is proved to that server alone: an answer that leads elsewhere is an error, because the next request would
/// carry the proof, and what is logged, to whoever the answer names.
final class MLflowTransfer {
  struct Answer: Sendable {
    var status = 0
    var body = Data()
  }

  /// Scheme, host, port and path of the server; nothing else of the address is kept.
  private let server: URL
  private let authorization: String?
  private let session: URLSession
  private let delegate = Delegate()

  /// Bytes of an answer.
  static let longestAnswer = 8 << 20

  /// - Throws: `CompressError`, without the address's credentials, when it is none.
  init(_ address: String, _ environment: [String: String]) throws {
    guard var parts = URLComponents(string: address), let scheme = parts.scheme?.lowercased(),
      ["http", "https"].contains(scheme), let host = parts.host, !host.isEmpty
    else {
      let shown = Secrets.removed(from: address).escapedForTerminal.shortened(to: 100)
      // Without a scheme a password cannot be told from a host.
      throw CompressError("--mlflow\(address.contains("@") ? "" : " \(shown)"): write http://HOST:PORT")
    }
    let user = parts.user, password = parts.password
    (parts.user, parts.password, parts.query, parts.fragment) = (nil, nil, nil, nil)
    guard let url = parts.url else { throw CompressError("--mlflow: write http://HOST:PORT") }
    server = url
    func basic(_ user: String, _ password: String) -> String {
      "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }
    // What the command line says comes before what the environment says.
    if let user {
      authorization = basic(user, password ?? "")
    } else if let token = environment["MLFLOW_TRACKING_TOKEN"] {
      authorization = "Bearer \(token)"
    } else if let user = environment["MLFLOW_TRACKING_USERNAME"], let password = environment["MLFLOW_TRACKING_PASSWORD"]
    {
      authorization = basic(user, password)
    } else {
      authorization = nil
    }
    let configuration = URLSessionConfiguration.ephemeral
    configuration.timeoutIntervalForRequest = 30
    configuration.urlCache = nil
    configuration.urlCredentialStorage = nil
    configuration.httpShouldSetCookies = false
    session = URLSession(configuration: configuration, delegate: delegate, delegateQueue: nil)
  }

  deinit { session.invalidateAndCancel() }

  /// - Parameter path: below the server's address.
  /// - Throws: `CompressError` when the network fails, the answer leads elsewhere or is too long.
  func send(_ method: String, _ path: String, _ body: Data?, type: String = "application/json") throws -> Answer {
    guard let url = URL(string: path, relativeTo: server.appendingPathComponent("")) else {
      throw CompressError("\(path.escapedForTerminal.shortened(to: 200)) is no address below \(server.absoluteString)")
    }
    var request = URLRequest(url: url)
    request.httpMethod = method
    request.httpBody = body
    request.setValue(type, forHTTPHeaderField: "Content-Type")
    if let authorization { request.setValue(authorization, forHTTPHeaderField: "Authorization") }
    let exchange = Exchange()
    delegate.exchange.withLock { $0 = exchange }
    session.dataTask(with: request).resume()
    exchange.done.wait()
    let result = exchange.state.withLock { $0 }
    if let problem = result.problem {
      throw CompressError("MLflow at \(server.absoluteString): \(problem)", kind: .system)
    }
    return result.answer
  }

  private final class Exchange: Sendable {
    struct State {
      var answer = Answer()
      var problem: String?
    }

    let state = Mutex(State())
    let done = DispatchSemaphore(value: 0)
  }

  /// `@unchecked Sendable`: its one field locks.
  private final class Delegate: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    /// One request at a time.
    let exchange = Mutex<Exchange?>(nil)
    private var current: Exchange? { exchange.withLock { $0 } }

    func urlSession(
      _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
      newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
      let target = Secrets.removed(from: request.url?.absoluteString ?? "").escapedForTerminal.shortened(to: 200)
      current?.state.withLock {
        $0.problem = "it sends requests on to \(target), where they do not go; name that with --mlflow if it is right"
      }
      completionHandler(nil)
      task.cancel()
    }

    func urlSession(
      _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
      completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
      current?.state.withLock { $0.answer.status = (response as? HTTPURLResponse)?.statusCode ?? 0 }
      completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
      let isTooLong =
        current?.state.withLock { state in
          guard state.answer.body.count + data.count <= MLflowTransfer.longestAnswer else {
            state.problem = "an answer of more than \(MLflowTransfer.longestAnswer) bytes"
            return true
          }
          state.answer.body.append(data)
          return false
        } ?? true
      if isTooLong { dataTask.cancel() }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
      let current = current
      current?.state.withLock { state in
        // Of several problems the first is the reason of the others.
        if let error, state.problem == nil {
          state.problem = Secrets.removed(from: error.localizedDescription).escapedForTerminal.shortened(to: 200)
        }
      }
      current?.done.signal()
    }
  }
}
