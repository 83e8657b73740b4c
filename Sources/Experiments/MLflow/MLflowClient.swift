import Diagnostics
import Files
import Foundation
import Pipeline
import Runs

/// Logs runs to an MLflow server through its REST API 2.0.
///
/// A run is logged once under its name, however often it is handed over. `MLFLOW_TRACKING_TOKEN`, or
/// `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`, say who logs, as with MLflow's own clients; so do a user
/// and a password in the address, which are taken out of it at once. They go to that server and nowhere else.
public final class MLflowClient {
  private let transfer: MLflowTransfer
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
    transfer = try MLflowTransfer(address, environment)
    experiment = try Self.experiment(name, transfer)
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

  private static func experiment(_ name: String, _ transfer: MLflowTransfer) throws -> String {
    let escaped = name.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? name
    let path = "api/2.0/mlflow/experiments/get-by-name?experiment_name=\(escaped)"
    let answer = try transfer.send("GET", path, nil)
    if answer.status == 200 { return try decode(Experiment.self, answer, path).experiment.experiment_id }
    guard answer.status == 404 else { throw refusal(answer, path) }
    let body = try JSONSerialization.data(withJSONObject: ["name": name])
    let made = try transfer.send("POST", "api/2.0/mlflow/experiments/create", body)
    return try decode(Experiment.Content.self, made, "experiments/create").experiment_id
  }

  /// Logs a run with its params, metrics, tags and files, unless that was done before.
  ///
  /// - Parameter folder: where its files are; nil logs none.
  public func log(_ run: RunRecord, files folder: String?) throws {
    // It becomes part of a question in the server's language.
    let uid = Self.name(run.uid)
    let known = try post(
      "runs/search",
      ["experiment_ids": [experiment], "filter": "tags.\"\(Self.uidTag)\" = '\(uid)'", "max_results": 1],
      Found.self
    ).runs?.first?.info
    // One that was left unfinished is completed: what is logged twice is logged the same.
    if let known, known.status != "RUNNING" { return }
    let info = try known ?? create(run)
    try post("runs/log-batch", batch(run, info.run_id))
    if let folder, let root = info.artifact_uri {
      let held = try HeldFolder(folder)
      for artifact in run.artifacts { try upload(artifact, in: held, to: root) }
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
      "compress.isa": run.environment.isa, "compress.command": Secrets.removed(from: run.command.joined(separator: " ")),
    ]
    if let error = run.error { tags["compress.error"] = String(Secrets.removed(from: error).prefix(4000)) }
    return try post(
      "runs/create",
      [
        "experiment_id": experiment, "run_name": run.uid, "start_time": Self.milliseconds(run.started),
        "tags": tags.sorted { $0.key < $1.key }.map { ["key": $0.key, "value": $0.value] },
      ], Created.self
    ).run.info
  }

  private func batch(_ run: RunRecord, _ id: String) -> [String: Any] {
    var params = run.params.mapValues(\.withoutSecrets.text)
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

  private static let plain = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-._~"))

  /// What MLflow admits in names.
  private static func name(_ text: String) -> String {
    String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber || "_-. ".contains($0)) ? $0 : "-" }.prefix(200))
  }

  /// Through the server where it keeps artifacts itself; one that only names a place elsewhere is not written to.
  private func upload(_ artifact: RunRecord.Artifact, in folder: HeldFolder, to root: String) throws {
    let scheme = "mlflow-artifacts:"
    guard root.hasPrefix(scheme) else { return }
    // `mlflow-artifacts:/1/…` or `mlflow-artifacts://host:port/1/…`.
    var place = root.dropFirst(scheme.count)
    if place.hasPrefix("//") { place = place.dropFirst(2).drop { $0 != "/" } }
    let parts = (place + "/" + artifact.path).description.splitByBytes(at: "/").filter { !$0.isEmpty }
    guard !parts.contains(".."), !parts.contains(".") else {
      throw CompressError(
        "MLflow keeps files at \"\(root.escapedForTerminal.shortened(to: 200))\"", kind: .input)
    }
    let content = try atFile("\(folder.path)/\(artifact.path)") { Data(try artifact.content(in: folder)) }
    // What a server calls its folder may hold what an address may not.
    let escaped = parts.map { $0.addingPercentEncoding(withAllowedCharacters: Self.plain) ?? $0 }
    let target = "api/2.0/mlflow-artifacts/artifacts/" + escaped.joined(separator: "/")
    let answer = try transfer.send("PUT", target, content, type: "application/octet-stream")
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

  private func send(_ path: String, _ body: [String: Any]) throws -> MLflowTransfer.Answer {
    try transfer.send("POST", "api/2.0/mlflow/\(path)", JSONSerialization.data(withJSONObject: body))
  }

  /// An answer holds one run, with its params, metrics and tags.
  private static let mostValues = 1 << 18

  private static func decode<Value: Decodable>(
    _ type: Value.Type, _ answer: MLflowTransfer.Answer, _ path: String
  ) throws -> Value {
    guard answer.status == 200, let value: Value = decoded(answer) else { throw refusal(answer, path) }
    return value
  }

  private static func decoded<Value: Decodable>(_ answer: MLflowTransfer.Answer) -> Value? {
    guard (try? BoundedJSON.check(Array(answer.body), values: mostValues)) != nil else { return nil }
    return try? JSONDecoder().decode(Value.self, from: answer.body)
  }

  private static func refusal(_ answer: MLflowTransfer.Answer, _ path: String) -> CompressError {
    struct Message: Decodable { let message: String }
    let message = (decoded(answer) as Message?)?.message
    let text = message.map { ": " + Secrets.removed(from: $0).escapedForTerminal.shortened(to: 300) } ?? ""
    return CompressError(
      "MLflow answered \(path.escapedForTerminal.shortened(to: 200)) with status \(answer.status)\(text)",
      kind: .system)
  }

  private static func milliseconds(_ date: Date) -> Int {
    Int(saturating: (date.timeIntervalSince1970 * 1000).rounded())
  }
}
