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
