import Diagnostics
import Formats
import Network
import Pipeline
import Testing

@testable import Scripting

@Suite struct SignatureScriptTests {
  @Test func whatAModelSaysOfItself() throws {
    let folder = try ScriptFolder()
    let (_, executor, printed, _) = try run(
      """
      local digits = dataset "digits" { normalize = "symmetric" }
      local plain = zoo.quick_cnn()
      print(plain:classes(), plain:preprocessing())
      local trained = train(plain, { data = digits.train:take(64) })
      print(table.concat(trained:classes(), " "))
      local p = trained:preprocessing()
      print(p.size[1], p.size[2], p.channels, p.layout, p.scale, p.mean[1], p.std[1], p.crop)
      local named = describe(trained, {
        classes = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" },
        preprocessing = { scale = 2, crop = { short_side = 40, size = 32 } },
      })
      local pruned = prune(named, use "global_magnitude" {}, { sparsity = 0.5 })
      local q = pruned:preprocessing()
      print(pruned:classes()[10], q.scale, q.mean[1], q.std[1], q.crop.short_side, q.crop.size)
      pruned:save("named.cmpr")
      print(load_model("named.cmpr"):classes()[2])
      """, in: folder, out: folder.path, compute: false)
    #expect(
      printed.map { $0.replacing("\t", with: " ") } == [
        "nil nil", "0 1 2 3 4 5 6 7 8 9", "28 28 grey hwc 1.0 0.5 0.5 nil", "j 2.0 0.0 1.0 40 32", "b",
      ])
    #expect(executor.hasWorked)  // for the file alone
    let file = try NativeFormat.read(folder.path + "/named.cmpr")
    #expect(file.signature.classes?.last == "j" && file.signature.preprocessing?.scale == 2)
  }

  @Test func mistakesAreNamed() {
    func message(_ options: String) -> String {
      failure("describe(zoo.quick_cnn(), \(options))")?.message ?? "nothing was thrown"
    }
    #expect(message("{ classes = { \"a\" } }") == "1 names of classes for 10 scores")
    #expect(message("{ classes = {} }") == "0 names of classes for 10 scores")
    #expect(message("{ classes = { 1 } }").contains("option \"classes\" must be a list of strings"))
    #expect(message("{ preprocessing = { mean = { 0, 0 } } }").hasPrefix("2 means and 1 standard deviations"))
    #expect(message("{ preprocessing = { std = { 1e300 } } }").hasPrefix("means are numbers"))
    #expect(message("{ preprocessing = { crop = { size = 3 } } }").contains("short_side"))
    #expect(
      failure("describe(net.model { input = { 5 }, net.dense(2) }, { preprocessing = {} })")?.message
        == "preprocessing is for grey and colour images, and the network takes [5]")
  }
}
