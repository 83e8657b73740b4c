import Confinement
import Foundation
import Testing

/// Commands behind the wall: they do what they did without it, and what they start ends with them.
@Suite(.serialized) struct ConfinementCommandTests {
  private let folder: TemporaryFolder

  /// A second's work.
  private static let script = """
    local p = params { sparsity = { 0.8, min = 0, max = 1 }, cooldown = { 0, min = 0 } }
    local digits   = dataset "digits"
    local baseline = train(zoo.lab_cnn(), { data = digits.train:take(300), batch = 50 })
    local pruned   = prune(baseline, use "mine" {}, { sparsity = p.sparsity })
    compare {
      on = digits.test:take(100), images = 3, cooldown = p.cooldown, { "baseline", baseline }, { "pruned", pruned },
    }
    """

  init() throws {
    folder = try TemporaryFolder()
    for name in ["real", "plugs/pruning"] {
      try FileManager.default.createDirectory(atPath: "\(folder.path)/\(name)", withIntermediateDirectories: true)
    }
    let shipped = try String(contentsOfFile: sourceRoot + "/plugins/pruning/global_magnitude.lua", encoding: .utf8)
    try Data(shipped.utf8).write(to: URL(fileURLWithPath: folder.path + "/plugs/pruning/mine.lua"))
    try Data(Self.script.utf8).write(to: URL(fileURLWithPath: folder.path + "/real/lab.lua"))
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/way", withDestinationPath: "real")
  }

  private var strays: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder.path + "/tmp")) ?? [] }

  private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: "\(folder.path)/\(path)") }

  /// Relative paths, a script and a folder for results behind links, plugins of one's own, no home.
  @Test func whatWasReachedByDetoursStillIs() throws {
    try FileManager.default.createDirectory(atPath: folder.path + "/results", withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/out", withDestinationPath: "results")
    let outcome = try compress(
      ["run", "way/lab.lua", "--out", "out", "--plugins", "plugs", "--threads", "2"], cache: folder,
      environment: ["HOME": "", "TMPDIR": "tmp"], workingIn: folder.path)
    #expect(outcome.status == 0, "\(outcome.errors)")
    for file in ["results.json", "report.html", "models/2-pruned.cmpr"] {
      #expect(exists("results/" + file), "\(file)")
    }
    #expect(strays == [])
    let again = try compress(
      ["plan", "way/lab.lua", "--plugins", "plugs"], cache: folder, environment: ["HOME": ""], workingIn: folder.path)
    #expect(again.status == 0 && !again.output.contains("to compute"), "\(again.output)\(again.errors)")
  }

  @Test func aSweepWithoutAFolderNamedGoesToTheUsersData() throws {
    let outcome = try compress(
      ["sweep", "way/lab.lua", "--plugins", "plugs", "--grid", "sparsity=0.5,0.9", "--jobs", "2", "--no-cache"],
      cache: folder, workingIn: folder.path)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let sweeps = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/data/compress/sweeps")
    #expect(sweeps.count == 1 && sweeps[0].hasPrefix("lab-"))
    #expect(exists("data/compress/sweeps/\(sweeps[0])/points/0002/models/2-pruned.cmpr"))
    #expect(strays == [])
  }

  // MARK: What holds

  /// Lines of `/proc/PID/status`.
  private func status(_ process: Int32) -> [String: String] {
    let text = FileManager.default.contents(atPath: "/proc/\(process)/status") ?? Data()
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\n").map {
      $0.split(separator: ":", maxSplits: 1)
    }
    return Dictionary(
      lines.filter { $0.count == 2 }.map { (String($0[0]), $0[1].trimmingCharacters(in: .whitespaces)) },
      uniquingKeysWith: { $1 })
  }

  /// Whoever inherited it may not have asked for its status yet.
  private func hasEnded(_ process: Int32) -> Bool { status(process)["State"]?.hasPrefix("Z") ?? true }

  private func children(of process: Int32) -> [Int32] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
    return all.filter { status($0)["PPid"] == String(process) }
  }

  private func wait(seconds: Double = 30, until condition: () -> Bool) -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while !condition() {
      if ContinuousClock.now > end { return false }
      Thread.sleep(forTimeInterval: 0.01)
    }
    return true
  }

  /// A run that measures for long, at a moment when it does.
  private func measuring(_ more: [String] = []) throws -> (run: Running, broker: Int32, worker: Int32) {
    let text = Self.script.replacingOccurrences(of: "images = 3", with: "images = 100, warmup = 200000")
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/real/long.lua"))
    let run = try Running(
      ["run", folder.path + "/real/long.lua", "--plugins", folder.path + "/plugs", "--threads", "1"] + more,
      cache: folder)
    #expect(wait { !run.workers.isEmpty })
    let worker = try #require(run.workers.first), broker = try #require(children(of: run.id).first)
    #expect(status(broker)["Name"] == "compress-broker")
    return (run, broker, worker)
  }

  @Test(.enabled(if: Walls.available.seccomp)) func theRunAndWhatItStartsAreConfined() throws {
    let (run, broker, worker) = try measuring()
    for process in [run.id, worker] {
      #expect(wait { status(process)["Seccomp"] == "2" })
      #expect(status(process)["NoNewPrivs"] == "1")
    }
    #expect(status(broker)["Seccomp"] == "0")
    #expect(status(worker)["PPid"] == String(broker))
    run.send(SIGTERM)
    #expect(try run.wait().status == 130)
  }

  @Test func theWallIsOffByANamedOptionAndThatIsSaid() throws {
    let (run, _, worker) = try measuring(["--no-confinement"])
    for process in [run.id, worker] { #expect(status(process)["Seccomp"] == "0") }
    run.send(SIGTERM)
    let outcome = try run.wait()
    #expect(outcome.errors.hasPrefix("note: this process is not confined\n"), "\(outcome.errors)")
  }

  @Test func aRunThatIsKilledTakesAllWithIt() throws {
    let (run, broker, worker) = try measuring()
    run.send(SIGKILL)
    #expect(try run.wait().status == 256 + SIGKILL)
    #expect(wait { hasEnded(broker) && hasEnded(worker) })
    #expect(wait { strays.isEmpty }, "the broker tidies up")
  }

  @Test func aRunWithoutItsBrokerSaysSo() throws {
    let (run, broker, worker) = try measuring()
    kill(broker, SIGKILL)
    let outcome = try run.wait()
    #expect(outcome.status == 3, "\(outcome.errors)")
    #expect(
      outcome.errors.contains("the measuring process ended with the one that started it"), "\(outcome.errors)")
    #expect(wait { hasEnded(worker) })
  }

  @Test func theDoctorSaysWhatHolds() throws {
    let outcome = try compress(["doctor"], cache: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("confinement   \(Walls.available.text)\n"), "\(outcome.output)")
    for missing in Walls.available.missing { #expect(outcome.output.contains("• \(missing)\n"), "\(outcome.output)") }
  }

  // MARK: Servers and clusters

  @Test func runsAreLoggedByAProcessOfTheirOwn() throws {
    let server = try MLflowStandIn()
    let arguments = [folder.path + "/real/lab.lua", "--plugins", folder.path + "/plugs", "--threads", "1"]
    let outcome = try compress(
      ["run"] + arguments + ["--out", folder.path + "/out", "--mlflow", server.address], cache: folder)
    #expect(outcome.status == 0 && !outcome.errors.contains("not logged"), "\(outcome.errors)")
    let requests = server.requests.map(\.request)
    #expect(requests.first == "GET /api/2.0/mlflow/experiments/get-by-name?experiment_name=lab")
    for name in ["results.json", "report.html", "models/2-pruned.cmpr"] {
      #expect(requests.contains("PUT /api/2.0/mlflow-artifacts/artifacts/1/r/\(name)"), "\(requests)")
    }
    let sent = server.requests.first { $0.request.hasSuffix("results.json") }?.body
    #expect(try sent == String(contentsOfFile: folder.path + "/out/results.json", encoding: .utf8))
    #expect(requests.last == "POST /api/2.0/mlflow/runs/update")

    let sweep = try compress(
      ["sweep"] + arguments + [
        "--grid", "sparsity=0.5,0.9", "--out", folder.path + "/sweep", "--mlflow", server.address,
      ],
      cache: folder)
    #expect(sweep.status == 0 && !sweep.errors.contains("not logged"), "\(sweep.errors)")
    #expect(server.requests.count { $0.request == "POST /api/2.0/mlflow/runs/update" } == 3)
  }

  @Test func aServerThatIsAwayIsToldBeforeAnythingIsComputed() throws {
    let outcome = try compress(
      ["run", folder.path + "/real/lab.lua", "--plugins", folder.path + "/plugs", "--mlflow", "http://127.0.0.1:1"],
      cache: folder)
    #expect(outcome.status == 3 && outcome.errors.hasPrefix("error: MLflow at http://127.0.0.1:1"), "\(outcome.errors)")
    let wrong = try compress(
      ["run", folder.path + "/real/lab.lua", "--plugins", folder.path + "/plugs", "--mlflow", "nowhere"], cache: folder)
    #expect(wrong.status == 2 && wrong.errors.hasPrefix("error: --mlflow nowhere"), "\(wrong.errors)")
  }

  /// What a cluster runs stands on the command line: the broker hands it over whole.
  @Test func aClusterRunsWhatTheCommandLineSays() throws {
    let programs = folder.path + "/bin"
    try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: true)
    let sbatch = """
      #!/bin/sh
      [ "$1" = --version ] && exit 0
      printf '%s\\n' "$@" > "$(dirname "$0")/arguments"
      for argument; do
        case $argument in
          --wrap=*) task=${argument#--wrap=} ;;
          --chdir=*) cd "${argument#--chdir=}" ;;
          --array=*) last=${argument#--array=0-}; last=${last%\\%*} ;;
        esac
      done
      for index in $(seq 0 "$last"); do
        SLURM_ARRAY_TASK_ID=$index sh -c "$task"
      done >/dev/null 2>&1
      echo 7
      """
    for (name, text) in ["sbatch": sbatch, "squeue": "#!/bin/sh\n", "scancel": "#!/bin/sh\n"] {
      let path = "\(programs)/\(name)"
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      chmod(path, 0o755)
    }
    let path = programs + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")
    let outcome = try compress(
      [
        "sweep", folder.path + "/real/lab.lua", "--plugins", folder.path + "/plugs", "--grid", "sparsity=0.5,0.9",
        "--on", "slurm", "--slurm=--partition=main", "--jobs", "3", "--threads", "1", "--out", folder.path + "/a sweep",
      ], cache: folder, environment: ["PATH": path])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let arguments = try String(contentsOfFile: programs + "/arguments", encoding: .utf8)
    #expect(arguments.contains("--array=0-1%3\n") && arguments.contains("--partition=main\n"), "\(arguments)")
    #expect(arguments.contains("--chdir=\(folder.path)/a sweep\n"), "\(arguments)")
    for number in 1...2 {
      #expect(exists("a sweep/points/000\(number)/results.json"))
      let log = try String(contentsOfFile: "\(folder.path)/a sweep/points/000\(number)/log.txt", encoding: .utf8)
      #expect(log.contains("predict with pruned") && log.contains("measure"), "\(log)")
    }
  }
}
