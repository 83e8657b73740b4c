import Diagnostics
import Foundation
import Pipeline
import Synchronization

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Logs runs to an MLflow server through its REST API 2.0.
///
/// A run is logged once under its name, however often it is handed over. `MLFLOW_TRACKING_TOKEN`, or
/// `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`, say who logs, as with MLflow's own clients.
public final class MLflowClient {
  private let server: URL
  private let session: URLSession
  private let authorization: String?
  private let experiment: String

  private static let uidTag = "compress.uid"
  /// MLflow cuts what is longer, or refuses it.
  private static let longestParam = 500

  /// Finds the experiment, or makes it.
  ///
  /// - Throws: `CompressError` when the address is none, or the server does not answer as MLflow does.
  public init(
    _ address: String, experiment name: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws {
    guard let url = URL(string: address), let scheme = url.scheme, ["http", "https"].contains(scheme), url.host != nil
    else {
      throw CompressError("--mlflow \(address): write http://HOST:PORT")
    }
    server = url
    let configuration = URLSessionConfiguration.ephemeral
    configuration.timeoutIntervalForRequest = 30
    session = URLSession(configuration: configuration)
    if let token = environment["MLFLOW_TRACKING_TOKEN"] {
      authorization = "Bearer \(token)"
    } else if let user = environment["MLFLOW_TRACKING_USERNAME"], let password = environment["MLFLOW_TRACKING_PASSWORD"]
    {
      authorization = "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    } else {
      authorization = nil
    }
    experiment = try Self.experiment(name, server, session, authorization)
  }

  private struct Experiment: Decodable {
    struct Content: Decodable { let experiment_id: String }
    let experiment: Content
  }

  private struct Info: Decodable {
    let run_id: String
    let status: String
    let artifact_uri: String?
  }

  private struct Run: Decodable { let info: Info }
  private struct Created: Decodable { let run: Run }
  private struct Found: Decodable { let runs: [Run]? }

  private static func experiment(
    _ name: String, _ server: URL, _ session: URLSession, _ authorization: String?
  ) throws -> String {
    let escaped = name.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? name
    let path = "api/2.0/mlflow/experiments/get-by-name?experiment_name=\(escaped)"
    let answer = try Self.send("GET", path, nil, server, session, authorization)
    if answer.status == 200 { return try decode(Experiment.self, answer, path).experiment.experiment_id }
    guard answer.status == 404 else { throw refusal(answer, path) }
    let body = try JSONSerialization.data(withJSONObject: ["name": name])
    let made = try Self.send("POST", "api/2.0/mlflow/experiments/create", body, server, session, authorization)
    return try decode(Experiment.Content.self, made, "experiments/create").experiment_id
  }

  /// Logs a run with its params, metrics, tags and files, unless that was done before.
  ///
  /// - Parameter folder: where its files are; nil logs none.
  public func log(_ run: RunRecord, files folder: String?) throws {
    let known = try post(
      "runs/search",
      ["experiment_ids": [experiment], "filter": "tags.\"\(Self.uidTag)\" = '\(run.uid)'", "max_results": 1],
      Found.self
    ).runs?.first?.info
    // One that was left unfinished is completed: what is logged twice is logged the same.
    if let known, known.status != "RUNNING" { return }
    let info = try known ?? create(run)
    try post("runs/log-batch", batch(run, info.run_id))
    if let folder, let root = info.artifact_uri {
      for artifact in run.artifacts { try upload("\(folder)/\(artifact.path)", to: root, as: artifact.path) }
    }
    let status = run.status == .done ? "FINISHED" : run.status == .failed ? "FAILED" : "KILLED"
    try post(
      "runs/update",
      ["run_id": info.run_id, "status": status, "end_time": Self.milliseconds(run.started + run.seconds)])
  }

  private func create(_ run: RunRecord) throws -> Info {
    var tags = [
      Self.uidTag: run.uid, "compress.script": run.script, "compress.script_sha256": run.scriptDigest ?? "",
      "compress.version": run.environment.program, "compress.cpu": run.environment.cpu,
      "compress.isa": run.environment.isa, "compress.command": run.command.joined(separator: " "),
    ]
    if let error = run.error { tags["compress.error"] = String(error.prefix(4000)) }
    return try post(
      "runs/create",
      [
        "experiment_id": experiment, "run_name": run.uid, "start_time": Self.milliseconds(run.started),
        "tags": tags.sorted { $0.key < $1.key }.map { ["key": $0.key, "value": $0.value] },
      ], Created.self
    ).run.info
  }

  private func batch(_ run: RunRecord, _ id: String) -> [String: Any] {
    var params = run.params.mapValues(\.text)
    params["seed"] = params["seed"] ?? String(run.seed)
    params["threads"] = params["threads"] ?? String(run.threads)
    let time = Self.milliseconds(run.started + run.seconds)
    var metrics: [[String: Any]] = []
    func add(_ variant: RunRecord.Variant, _ prefix: String) {
      for metric in Metric.allCases {
        guard let value = variant[metric] else { continue }
        metrics.append(["key": prefix + metric.name, "value": value, "timestamp": time, "step": 0])
      }
    }
    for variant in run.variants { add(variant, Self.name(variant.name) + "/") }
    // The last one is what the script ends with; its metrics go without a name too, for charts over runs.
    if let last = run.variants.last { add(last, "") }
    return [
      "run_id": id, "metrics": metrics,
      "params": params.sorted { $0.key < $1.key }.map {
        ["key": Self.name($0.key), "value": String($0.value.prefix(Self.longestParam))]
      },
    ]
  }

  /// What MLflow admits in names.
  private static func name(_ text: String) -> String {
    String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber || "_-. ".contains($0)) ? $0 : "-" }.prefix(200))
  }

  /// Through the server where it keeps artifacts itself; one that only names a place elsewhere is not written to.
  private func upload(_ path: String, to root: String, as name: String) throws {
    let scheme = "mlflow-artifacts:"
    guard root.hasPrefix(scheme) else { return }
    // `mlflow-artifacts:/1/…` or `mlflow-artifacts://host:port/1/…`.
    var place = root.dropFirst(scheme.count)
    if place.hasPrefix("//") { place = place.dropFirst(2).drop { $0 != "/" } }
    guard let content = FileManager.default.contents(atPath: path) else {
      throw CompressError("cannot be read", kind: .input).at(file: path)
    }
    let target = "api/2.0/mlflow-artifacts/artifacts\(place)/\(name)"
    let answer = try Self.send("PUT", target, content, server, session, authorization, type: "application/octet-stream")
    guard (200..<300).contains(answer.status) else { throw Self.refusal(answer, target) }
  }

  // MARK: Requests

  private func post(_ path: String, _ body: [String: Any]) throws {
    let answer = try send(path, body)
    guard answer.status == 200 else { throw Self.refusal(answer, path) }
  }

  private func post<Value: Decodable>(_ path: String, _ body: [String: Any], _ type: Value.Type) throws -> Value {
    try Self.decode(type, send(path, body), path)
  }

  private func send(_ path: String, _ body: [String: Any]) throws -> Answer {
    let data = try JSONSerialization.data(withJSONObject: body)
    return try Self.send("POST", "api/2.0/mlflow/\(path)", data, server, session, authorization)
  }

  private struct Answer: Sendable {
    var status = 0
    var body = Data()
    var problem: String?
  }

  private static func send(
    _ method: String, _ path: String, _ body: Data?, _ server: URL, _ session: URLSession, _ authorization: String?,
    type: String = "application/json"
  ) throws -> Answer {
    guard let url = URL(string: path, relativeTo: server.appendingPathComponent("")) else {
      throw CompressError("\(path) is no address below \(server.absoluteString)")
    }
    var request = URLRequest(url: url)
    request.httpMethod = method
    request.httpBody = body
    request.setValue(type, forHTTPHeaderField: "Content-Type")
    if let authorization { request.setValue(authorization, forHTTPHeaderField: "Authorization") }
    let answer = Mutex(Answer()), done = DispatchSemaphore(value: 0)
    session.dataTask(with: request) { data, response, error in
      answer.withLock {
        $0.status = (response as? HTTPURLResponse)?.statusCode ?? 0
        $0.body = data ?? Data()
        $0.problem = error?.localizedDescription
      }
      done.signal()
    }.resume()
    done.wait()
    let result = answer.withLock { $0 }
    if let problem = result.problem {
      throw CompressError("MLflow at \(server.absoluteString): \(problem)", kind: .system)
    }
    return result
  }

  private static func decode<Value: Decodable>(_ type: Value.Type, _ answer: Answer, _ path: String) throws -> Value {
    guard answer.status == 200, let value = try? JSONDecoder().decode(type, from: answer.body) else {
      throw refusal(answer, path)
    }
    return value
  }

  private static func refusal(_ answer: Answer, _ path: String) -> CompressError {
    struct Message: Decodable { let message: String }
    let message = (try? JSONDecoder().decode(Message.self, from: answer.body))?.message
    return CompressError(
      "MLflow answered \(path) with status \(answer.status)\(message.map { ": \($0.prefix(300))" } ?? "")",
      kind: .system)
  }

  private static func milliseconds(_ date: Date) -> Int { Int((date.timeIntervalSince1970 * 1000).rounded()) }
}
