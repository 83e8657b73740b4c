import Foundation
import Testing

/// A long training that is killed or stopped goes on in the next run.
@Suite(.serialized) struct CheckpointCommandTests {
  private static let script = """
    local data = dataset("digits").train:take(1500)
    local net = train(zoo.quick_cnn(), {
      data = data, epochs = 60, batch = 50, optimizer = "adamw", ema = 0.9, validation = 0.1,
      learning_rate = use "warmup" { share = 0.1, next = use "cosine" { from = 0.005, to = 0 } },
    })
    net:save "net.cmpr"
    """

  private func checkpoints(_ folder: TemporaryFolder) -> [String] {
    let all = FileManager.default.enumerator(atPath: folder.path + "/compress/store/checkpoints")
    return all?.compactMap { $0 as? String }.filter { $0.hasSuffix(".checkpoint") } ?? []
  }

  private func arguments(_ folder: TemporaryFolder) throws -> [String] {
    let path = folder.path + "/long.lua"
    try Data(Self.script.utf8).write(to: URL(fileURLWithPath: path))
    return ["run", path, "--out", folder.path + "/out", "--threads", "2"]
  }

  private static let undisturbed = Result {
    let folder = try TemporaryFolder(), path = folder.path + "/long.lua"
    try Data(script.utf8).write(to: URL(fileURLWithPath: path))
    let outcome = try compress(["run", path, "--out", folder.path + "/out", "--threads", "1"], cache: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return try Data(contentsOf: URL(fileURLWithPath: folder.path + "/out/net.cmpr"))
  }

  @Test(arguments: [SIGKILL, SIGINT])
  func goesOnToTheSameBytes(_ signal: Int32) throws {
    let expected = try Self.undisturbed.get()
    let folder = try TemporaryFolder()
    let running = try Running(arguments(folder), cache: folder)
    let patience = ContinuousClock.now + .seconds(120)
    while checkpoints(folder).isEmpty, ContinuousClock.now < patience { Thread.sleep(forTimeInterval: 0.005) }
    running.send(signal)
    let stopped = try running.wait()
    #expect(stopped.status == (signal == SIGKILL ? 256 + SIGKILL : 130), "\(stopped.errors)")
    #expect(checkpoints(folder).count == 1)
    let outcome = try compress(arguments(folder), cache: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("goes on where it was interrupted, after step"), "\(outcome.errors)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.path + "/out/net.cmpr")) == expected)
    #expect(checkpoints(folder) == [])
  }
}
