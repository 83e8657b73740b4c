import Foundation
import Testing

/// A disk that is full or cannot be written. Needs root for a small file system of its own.
@Suite(.serialized) struct DiskTests {
  private static let arguments = ["run", sourceRoot + "/pipelines/quickstart.lua"] + CommandTests.smoke

  private static func tool(_ arguments: [String]) -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }

  /// Runs `body` with a folder that is a file system of that many KiB.
  private func withSmallDisk(_ kibibytes: Int, _ body: (_ disk: String, TemporaryFolder) throws -> Void) throws {
    let folder = try TemporaryFolder(), disk = folder.path + "/disk"
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
    guard geteuid() == 0, Self.tool(["mount", "-t", "tmpfs", "-o", "size=\(kibibytes)k", "tmpfs", disk]) else {
      return print("SKIPPED: a full disk needs root and mount")
    }
    defer { #expect(Self.tool(["umount", disk])) }
    try body(disk, folder)
  }

  private func files(_ folder: String) -> [String] {
    (FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? [])
      .filter {
        (try? FileManager.default.attributesOfItem(atPath: "\(folder)/\($0)")[.type] as? FileAttributeType)
          == .typeRegular
      }
  }

  private func refusal(_ outcome: Outcome, _ disk: String) {
    #expect(outcome.status == 3, "\(outcome.errors)")
    let line = outcome.errors.split(separator: "\n").first { $0.hasPrefix("error: ") } ?? ""
    #expect(line.contains(disk + "/") && line.contains("No space left on device"), "\(outcome.errors)")
    #expect(!files(disk).contains { $0.hasSuffix(".tmp") })
  }

  @Test(arguments: [4, 60, 400])
  func aFullStoreIsToldAndTheRunContinues(_ kibibytes: Int) throws {
    try withSmallDisk(kibibytes) { disk, folder in
      let environment = ["XDG_CACHE_HOME": disk]
      refusal(try compress(Self.arguments, cache: folder, environment: environment), disk)
      #expect(Self.tool(["mount", "-o", "remount,size=64m", disk]))
      let outcome = try compress(Self.arguments, cache: folder, environment: environment)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
  }

  @Test(arguments: [20, 300])
  func aFullOutputFolderIsTold(_ kibibytes: Int) throws {
    try withSmallDisk(kibibytes) { disk, folder in
      let arguments = Self.arguments + ["--out", disk + "/out"]
      refusal(try compress(arguments, cache: folder), disk)
      for model in files(disk) where model.hasSuffix(".cmpr") {
        #expect(try compress(["inspect", disk + "/" + model], cache: folder).status == 0, "\(model) is whole")
      }
      #expect(Self.tool(["mount", "-o", "remount,size=64m", disk]))
      let outcome = try compress(arguments, cache: folder)
      #expect(outcome.status == 0 && !outcome.errors.contains("train "), "\(outcome.errors)")
    }
  }

  /// Wherever it fills up, in the store of runs, of stages or among the points: told once, and gone on with.
  @Test(arguments: [100, 400, 1500])
  func aSweepOnAFullDiskStopsAndGoesOn(_ kibibytes: Int) throws {
    try withSmallDisk(kibibytes) { disk, folder in
      let script = folder.path + "/lab.lua"
      let text = """
        local p = params { sparsity = { 0.8, min = 0, max = 1 } }
        local digits   = dataset "digits"
        local baseline = train(zoo.lab_cnn(), { data = digits.train:take(200), batch = 50 })
        local pruned   = prune(baseline, use "global_magnitude" {}, { sparsity = p.sparsity })
        compare { on = digits.test:take(100), images = 3, { "baseline", baseline }, { "pruned", pruned } }
        """
      try Data(text.utf8).write(to: URL(fileURLWithPath: script))
      let arguments = ["sweep", script, "--grid", "sparsity=0.5,0.7,0.9", "--threads", "1", "--out", disk + "/out"]
      let environment = ["XDG_CACHE_HOME": disk + "/cache", "XDG_DATA_HOME": disk + "/data"]
      let stopped = try compress(arguments, cache: folder, environment: environment)
      #expect(stopped.status == 3, "\(stopped.errors)")
      let line = stopped.errors.split(separator: "\n").first { $0.hasPrefix("error: ") } ?? ""
      #expect(line.contains("No space left on device") || line.contains("the disk is full"), "\(stopped.errors)")
      #expect(!files(disk).contains { $0.hasSuffix(".tmp") })
      #expect(Self.tool(["mount", "-o", "remount,size=64m", disk]))
      let resumed = try compress(arguments + ["--resume"], cache: folder, environment: environment)
      #expect(resumed.status == 0, "\(resumed.errors)")
      let table = try String(contentsOfFile: disk + "/out/table.csv", encoding: .utf8)
      #expect(table.split(separator: "\n").count == 1 + 3 * 2, "a row for each variant of each point")
    }
  }

  @Test func aFullTemporaryFolderIsTold() throws {
    try withSmallDisk(20) { disk, folder in
      refusal(try compress(Self.arguments, cache: folder, environment: ["TMPDIR": disk]), disk)
      #expect(files(disk) == [])
    }
  }

  @Test func aReadOnlyFolderIsToldBeforeAnythingIsComputed() throws {
    try withSmallDisk(1000) { disk, folder in
      #expect(Self.tool(["mount", "-o", "remount,ro", disk]))
      for (arguments, environment) in [
        (["--out", disk], [:]), (["--out", disk + "/new/folder"], [:]), ([], ["XDG_CACHE_HOME": disk]),
      ] as [([String], [String: String])] {
        let outcome = try compress(Self.arguments + arguments, cache: folder, environment: environment)
        #expect(outcome.status == 3 && outcome.errors.contains("Read-only file system"), "\(outcome.errors)")
        #expect(outcome.errors.hasPrefix("error: \(disk)"), "nothing was computed before: \(outcome.errors)")
      }
    }
  }

  @Test func aFileInPlaceOfAFolderIsToldBeforeAnythingIsComputed() throws {
    let folder = try TemporaryFolder()
    try Data("x".utf8).write(to: URL(fileURLWithPath: folder.path + "/file"))
    for out in ["/file", "/file/below"] {
      let outcome = try compress(Self.arguments + ["--out", folder.path + out], cache: folder)
      #expect(
        outcome.status == 2 && outcome.errors.hasPrefix("error: \(folder.path)/file"),
        "\(outcome.status) \(outcome.errors)")
    }
  }
}
