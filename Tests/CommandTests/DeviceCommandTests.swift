import Foundation
import Testing

/// `--on`: variants measured on another machine. In the place of ssh stands a program that runs the command here; the real
/// one has a script of its own (Tests/exports/device.sh).
@Suite struct DeviceCommandTests {
  private let cache: TemporaryFolder, folder: TemporaryFolder

  init() throws {
    (cache, folder) = (try TemporaryFolder(), try TemporaryFolder())
    for name in ["bin", "runners", "remote"] {
      try FileManager.default.createDirectory(atPath: "\(folder.path)/\(name)", withIntermediateDirectories: true)
    }
    let built = URL(fileURLWithPath: program).deletingLastPathComponent().appendingPathComponent("compress-runner").path
    for machine in ["x86_64", "aarch64"] {
      try FileManager.default.copyItem(atPath: built, toPath: "\(folder.path)/runners/compress-runner-\(machine)")
    }
    try ssh("for command; do :; done; exec sh -c \"$command\"")
  }

  /// What ssh does; its arguments go to a file.
  private func ssh(_ script: String) throws {
    let path = folder.path + "/bin/ssh"
    try "#!/bin/sh\nprintf '%s\\n' \"$@\" >'\(folder.path)/arguments'\n\(script)\n".write(
      toFile: path, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
  }

  private func measure(_ arguments: [String], runners: String? = nil) throws -> Outcome {
    try compress(
      arguments, cache: cache,
      environment: [
        "PATH": folder.path + "/bin:" + (ProcessInfo.processInfo.environment["PATH"] ?? ""),
        "COMPRESS_RUNNERS": runners ?? folder.path + "/runners", "TMPDIR": folder.path + "/remote",
      ])
  }

  private func bench(_ more: [String] = []) throws -> Outcome {
    try measure(["bench", "zoo:quick_cnn", "--on", "ssh://me@device:2222", "--runs", "30", "--json"] + more)
  }

  private var isSupported: Bool {
    #if arch(x86_64) || arch(arm64)
      let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
      let runs = info.contains("avx2") || info.contains("asimd")
      if !runs { print("NOT TESTED: what is compiled for devices does not run on this machine") }
      return runs
    #else
      return false
    #endif
  }

  @Test func benchMeasuresThere() throws {
    guard isSupported else { return }
    let told = try bench(["--threads", "1", "--batch", "3", "--layers", "--precision", "int8"])
    try #require(told.status == 0, "\(told.errors)")
    let report = try #require(JSONSerialization.jsonObject(with: Data(told.output.utf8)) as? [String: Any])
    let device = try #require(report["device"] as? [String: Any])
    #expect(device["address"] as? String == "ssh://me@device:2222")
    #expect((device["processors"] as? Int ?? 0) > 0 && device["system"] as? String != nil)
    #expect(report["runs"] as? Int == 30 && report["threads"] as? Int == 1 && report["batch"] as? Int == 3)
    let milliseconds = try #require(report["p50_ms"] as? Double)
    #expect(milliseconds > 0 && milliseconds < 1000)
    let layers = try #require(report["layers"] as? [[String: Any]])
    #expect(layers.contains { $0["arithmetic"] as? String == "int8" })
    let sum = layers.reduce(0) { $0 + ($1["p50_ms"] as? Double ?? -1) }
    #expect(sum > milliseconds / 20 && sum < milliseconds * 20, "\(sum) of \(milliseconds)")
    #expect((report["peak_memory_bytes"] as? Int ?? 0) > 100_000)
    // A fresh folder, which is gone.
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/remote") == [])
    let arguments = try String(contentsOfFile: folder.path + "/arguments", encoding: .utf8)
    #expect(
      arguments.contains("BatchMode=yes\n") && arguments.contains("-p\n2222\n-l\nme\n--\ndevice\n"), "\(arguments)")
    let people = try measure(["bench", "zoo:quick_cnn", "--on", "ssh://device", "--runs", "30", "--threads", "1"])
    #expect(
      people.status == 0 && people.output.contains("measured on ssh://device ("), "\(people.output)\(people.errors)")
  }

  @Test func tablesAreMeasuredHereAndThere() throws {
    guard isSupported else { return }
    let here = folder.path + "/here.json", there = folder.path + "/there.json"
    func table(_ path: String, _ more: [String] = []) throws -> [String: Any] {
      let told = try measure(["bench", "zoo:quick_cnn", "--table", path, "--runs", "20", "--json"] + more)
      #expect(told.status == 0, "\(told.errors)")
      return try #require(JSONSerialization.jsonObject(with: Data(told.output.utf8)) as? [String: Any])
    }
    let first = try table(here), again = try table(here)
    let layers = try #require(first["layers"] as? Int)
    #expect(layers > 8 && first["new"] as? Int == layers)
    #expect(again["layers"] as? Int == layers && again["new"] as? Int == 0)
    let remote = try table(there, ["--on", "ssh://device"])
    #expect(
      remote["new"] as? Int == layers && (remote["device"] as? [String: Any])?["address"] as? String == "ssh://device")
    // A table is one machine's.
    let text = try String(contentsOfFile: here, encoding: .utf8)
    #expect(text.contains("\"arithmetic\":\"int8\"") && text.contains("\"arithmetic\":\"float32\""))
    try text.replacing(#/"name":"[^"]*"/#, with: "\"name\":\"another\"").write(
      toFile: here, atomically: true, encoding: .utf8)
    let other = try measure(["bench", "zoo:quick_cnn", "--table", here, "--runs", "20"])
    #expect(other.status == 2 && other.errors.contains("is the table of another machine (another, "), "\(other.errors)")
    let batch = try measure(["bench", "zoo:quick_cnn", "--table", here, "--batch", "2"])
    #expect(batch.status == 64 && batch.errors.contains("--batch says nothing with --table"), "\(batch.errors)")
  }

  @Test func runTimesVariantsThere() throws {
    guard isSupported else { return }
    try """
    local digits = dataset "digits"
    local one = train(zoo.quick_cnn(), { data = digits.train:take(64) })
    compare { on = digits.test:take(40), images = 28, turns = 2, warmup = 2,
      { "float", one }, { "half", quantize(one, use "float16" {}) } }
    """.write(toFile: folder.path + "/two.lua", atomically: true, encoding: .utf8)
    let told = try measure(
      ["run", folder.path + "/two.lua", "--out", folder.path + "/out", "--on", "ssh://device", "--threads", "1"])
    try #require(told.status == 0, "\(told.errors)")
    #expect(told.output.contains("measured on ssh://device ("), "\(told.output)")
    let results = try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: folder.path + "/out/results.json")))
        as? [String: Any])
    #expect((results["device"] as? [String: Any])?["address"] as? String == "ssh://device")
    let variants = try #require(results["variants"] as? [[String: Any]])
    #expect(variants.count == 2)
    for variant in variants {
      #expect((variant["turns"] as? [[String: Any]])?.map { $0["runs"] as? Int } == [14, 14])
      #expect(variant["accuracy"] as? Double != nil)
    }
    let report = try String(contentsOfFile: folder.path + "/out/report.html", encoding: .utf8)
    #expect(report.contains("measured on ssh://device ("))
  }

  @Test func whatFailsThereIsTold() throws {
    for address in ["ssh://-oProxyCommand=id", "ssh://-l@device", "ssh://me:secret@device", "device", "ssh://a b"] {
      let refused = try measure(["bench", "zoo:quick_cnn", "--on=\(address)"])
      #expect(refused.status == 2 && refused.errors.contains("is no address of a device"), "\(refused.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/arguments"))
    }
    try ssh("echo 'Permission denied\u{1B}[31m (publickey).' >&2; exit 255")
    let closed = try bench()
    #expect(
      closed.status == 3 && closed.errors.contains("ssh://me@device:2222: ssh cannot reach it: Permission denied"))
    #expect(!closed.errors.contains("\u{1B}[31m"))
    try ssh("echo armv7l; cat >/dev/null")
    let other = try bench()
    #expect(other.status == 2 && other.errors.contains("its processor is \"armv7l\""), "\(other.errors)")
    try ssh("uname -m; cat >/dev/null; echo '{\"runner\":1}'")
    let lies = try bench()
    #expect(lies.status == 2 && lies.errors.contains("is not what a runner prints"), "\(lies.errors)")
    try ssh("uname -m; cat >/dev/null; echo 'tar: no space' >&2; exit 2")
    let full = try bench()
    #expect(full.status == 3 && full.errors.contains("ended with status 2: tar: no space"), "\(full.errors)")
    // Something that never ends a line.
    try ssh("exec cat /dev/zero")
    let endless = try bench()
    #expect(endless.status == 2 && endless.errors.contains("says no line"), "\(endless.errors)")
    try ssh("uname -m; exec cat /dev/zero")
    let large = try bench()
    #expect(large.status == 2 && large.errors.contains("says more than"), "\(large.errors)")
    // Not even read, and gone before all is sent.
    try ssh("uname -m; exec true")
    let gone = try bench()
    #expect(gone.status != 0 && gone.errors.contains("ssh://me@device:2222: "), "\(gone.errors)")
    // Names of options that mean nothing together.
    let training = try bench(["--training"])
    #expect(
      training.status == 64 && training.errors.contains("--on says nothing with --training"), "\(training.errors)")
  }

  @Test func aRunnerThatIsMissingIsToldWithItsCommand() throws {
    let none = folder.path + "/none"
    try FileManager.default.createDirectory(atPath: none, withIntermediateDirectories: true)
    try ssh("echo aarch64; cat >/dev/null")
    let built = sourceRoot + "/out/lib/compress-runner-aarch64"
    guard !FileManager.default.fileExists(atPath: built) else { return }
    let told = try measure(["bench", "zoo:quick_cnn", "--on", "ssh://device"], runners: none)
    #expect(told.status == 3 && told.errors.contains("`make lib` builds it"), "\(told.errors)")
  }
}
