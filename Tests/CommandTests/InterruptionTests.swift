import Foundation
import Testing

/// Runs that are killed, stopped or disturbed: what they leave is whole, and the next run ends as if nothing had been.
@Suite(.serialized) struct InterruptionTests {
  private static let arguments = ["run", sourceRoot + "/pipelines/quickstart.lua"] + CommandTests.smoke

  /// What a run leaves: the models' bytes, and what results.json says apart from times, memory and the command line,
  /// which names the folder.
  private struct Leavings: Equatable {
    var models: [String: Data] = [:]
    var results = ""

    init(_ out: String) throws {
      for name in try FileManager.default.contentsOfDirectory(atPath: out + "/models") {
        models[name] = try Data(contentsOf: URL(fileURLWithPath: "\(out)/models/\(name)"))
      }
      let json = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: out + "/results.json")))
      let text = try JSONSerialization.data(withJSONObject: Self.withoutMeasurements(json), options: [.sortedKeys])
      results = String(decoding: text, as: UTF8.self)
    }

    private static func withoutMeasurements(_ json: Any) -> Any {
      if let list = json as? [Any] { return list.map(withoutMeasurements) }
      guard let object = json as? [String: Any] else { return json }
      let measured = [
        "command", "latency_ms", "peak_memory_bytes", "seconds", "created", "mean_ms", "p50_ms", "faster_mean",
        "epochSeconds",
        "faster_mean_95",
        "faster_p50", "faster_p50_95", "turns",
      ]
      return object.filter { !measured.contains($0.key) }.mapValues(withoutMeasurements)
    }
  }

  /// Files that should be there for a moment only.
  private func strays(_ folder: TemporaryFolder) -> [String] {
    let all = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
    return all.filter { $0.hasSuffix(".tmp") || $0.hasPrefix("tmp/") }
  }

  private func finish(_ folder: TemporaryFolder) throws -> Outcome {
    try compress(Self.arguments + ["--out", folder.path + "/out"], cache: folder)
  }

  /// What an undisturbed run leaves, and how long it took.
  private static let undisturbed = Result {
    let folder = try TemporaryFolder(), start = ContinuousClock.now
    let outcome = try compress(arguments + ["--out", folder.path + "/out"], cache: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return (leavings: try Leavings(folder.path + "/out"), life: ContinuousClock.now - start)
  }

  /// Starts a run and does something to it at a random moment of its life.
  private func disturb(
    _ folder: TemporaryFolder, within life: Duration, _ random: inout Seeded, _ body: (Running) -> Void
  ) throws -> Outcome {
    let running = try Running(Self.arguments + ["--out", folder.path + "/out"], cache: folder)
    // Those that find stages in the store do not live as long.
    Thread.sleep(forTimeInterval: Double.random(in: 0...0.8 * (life / .seconds(1)), using: &random))
    body(running)
    let outcome = try running.wait()
    let patience = ContinuousClock.now + .seconds(5)
    while !running.workers.isEmpty, ContinuousClock.now < patience { Thread.sleep(forTimeInterval: 0.02) }
    #expect(running.workers == [], "measuring processes outlive their run")
    return outcome
  }

  @Test func killedAtAnyMomentTheNextRunEndsTheSame() throws {
    let (expected, life) = try Self.undisturbed.get()
    var random = Seeded(state: 1), killed = 0
    let rounds = isSoak ? 25 : 2, kills = isSoak ? 4 : 3
    for _ in 0..<rounds {
      let folder = try TemporaryFolder()
      for _ in 0..<kills {
        if try disturb(folder, within: life, &random, { $0.send(SIGKILL) }).status == 256 + SIGKILL { killed += 1 }
      }
      let outcome = try finish(folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(try Leavings(folder.path + "/out") == expected)
      #expect(strays(folder) == [])
    }
    print("\(killed) of \(rounds * kills) runs killed before their end")
    #expect(killed > 0)
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func stoppedAtAnyMomentItSaysSoAndTheNextRunEndsTheSame(_ signal: Int32) throws {
    let (expected, life) = try Self.undisturbed.get()
    var random = Seeded(state: UInt64(signal)), stopped = 0
    for _ in 0..<(isSoak ? 20 : 1) {
      let folder = try TemporaryFolder()
      for _ in 0..<3 {
        let outcome = try disturb(folder, within: life, &random) { running in
          // A terminal sends it to all of them.
          for worker in signal == SIGINT ? running.workers : [] { kill(worker, signal) }
          running.send(signal)
        }
        switch outcome.status {
        case 0: break
        case 256 + signal: #expect(outcome.errors.isEmpty, "before the program began")
        default:
          #expect(outcome.status == 130, "\(outcome.errors)")
          #expect(
            outcome.errors.hasSuffix("error: stopped on request; finished stages are kept\n"), "\(outcome.errors)")
          stopped += 1
        }
        #expect(strays(folder) == [])
      }
      let outcome = try finish(folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(try Leavings(folder.path + "/out") == expected)
    }
    #expect(stopped > 0)
  }

  @Test func twoRunsAtOnceShareAStore() throws {
    let (expected, _) = try Self.undisturbed.get()
    for _ in 0..<(isSoak ? 10 : 1) {
      let folder = try TemporaryFolder()
      let runs = try ["/a", "/b"].map { try Running(Self.arguments + ["--out", folder.path + $0], cache: folder) }
      for (run, out) in zip(runs, ["/a", "/b"]) {
        let outcome = try run.wait()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try Leavings(folder.path + out) == expected)
      }
      #expect(strays(folder) == [])
    }
  }
}
