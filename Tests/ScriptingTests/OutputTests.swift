import Diagnostics
import Foundation
import Kernels
import Pipeline
import Scripting
import Testing

/// What a script may write and print.
@Suite struct OutputTests {
  private func save(_ name: String, in out: String) throws -> CompressError? {
    do {
      try run("zoo.lab_cnn():save(\"\(name)\")", out: out)
      return nil
    } catch { return try #require(error as? CompressError) }
  }

  @Test(arguments: [
    "report.html", "x.h5", "results.json", "outcome.json", "noending", ".cmpr", "a.cmpr/b.html", "x.CMPR",
  ]) func onlyModelsAreSaved(_ name: String) throws {
    let folder = try ScriptFolder()
    let error = try #require(try save(name, in: folder.path))
    #expect(error.message.contains("a model's file ends in .cmpr, .safetensors"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test(arguments: [
    "models/1-a.cmpr", "MODELS/a.cmpr", "points/0001/x.cmpr", "slurm/x.cmpr", ".x.cmpr", "a/.hidden/x.cmpr",
    "job.json/x.cmpr", "a\\nb.cmpr", "../x.cmpr", "/tmp/x.cmpr", "\u{D4E}/../../x.cmpr", "models/\u{301}x.cmpr",
  ]) func namesThatAreTheProgramsOwnOrLeadElsewhere(_ name: String) throws {
    let folder = try ScriptFolder()
    #expect(try save(name, in: folder.path + "/out") != nil)
    let left = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
    #expect(left.allSatisfy { $0 == "out" })
  }

  @Test func exportTakesOptionsOfTheFormat() throws {
    let folder = try ScriptFolder()
    try run("export(zoo.lab_cnn(), \"x.onnx\", { opset = 13 })", out: folder.path)
    #expect(FileManager.default.fileExists(atPath: folder.path + "/x.onnx"))
    for (script, message) in [
      ("export(zoo.lab_cnn(), \"y.onnx\", { opset = 22 })", "opset"),
      ("export(zoo.lab_cnn(), \"y.cmpr\", { opset = 17 })", "opset is for .onnx files"),
    ] {
      let error = #expect(throws: CompressError.self, "\(script)") { try run(script, out: folder.path) }
      #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["x.onnx"])
  }

  @Test func savedFilesAreWhatWasAskedFor() throws {
    let folder = try ScriptFolder()
    for name in ["a.cmpr", "deep/b.safetensors", "c.onnx"] {
      #expect(try save(name, in: folder.path) == nil)
      #expect(FileManager.default.fileExists(atPath: folder.path + "/" + name))
    }
  }

  private func limited(_ text: String, out: String, _ change: (inout OutputLimits) -> Void) throws -> (
    error: CompressError, printed: Int
  ) {
    let folder = try ScriptFolder(["script.lua": text])
    var options = ScriptSession.Options(script: folder.path + "/script.lua")
    options.out = out
    change(&options.output)
    var printed = 0
    let executor = Executor(context: StageContext(pool: try ThreadPool(threads: 1)), store: nil)
    let session = try ScriptSession(options, executor: executor, print: { printed += $0.utf8.count + 1 })
    return (try #require(throws: CompressError.self) { _ = try session.run() }, printed)
  }

  @Test func filesBytesAndTextAreLimited() throws {
    let folder = try ScriptFolder()
    let many = try limited("for i = 1, 9 do zoo.lab_cnn():save(i .. \".cmpr\") end", out: folder.path) {
      $0.savedFiles = 3
    }
    #expect(many.error.kind == .limit && many.error.hint?.contains("--out-files") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 3)
    // The same file again and again counts again, and the last one that fits stays whole.
    let large = try limited(
      "for i = 1, 99 do pcall(function() zoo.lab_cnn():save(\"x.cmpr\") end) end", out: folder.path + "/b"
    ) { $0.savedBytes = 200_000 }
    #expect(large.error.kind == .limit && large.error.hint?.contains("--out-size") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/b") == ["x.cmpr"])
    let loud = try limited("while true do pcall(print, (\"\\27\"):rep(1000)) end", out: folder.path) {
      $0.printedBytes = 100_000
    }
    #expect(loud.error.kind == .limit && loud.error.hint?.contains("--print-size") == true)
    #expect(loud.printed <= 100_000 && loud.printed > 50_000)
  }
}
