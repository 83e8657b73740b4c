import Foundation
import Testing

/// `pack`, `unpack`, and what the other commands make of a packed file.
@Suite struct PackCommandTests {
  private static let script = """
    local digits = dataset "digits"
    local model = prune(zoo.lab_cnn { seed = 1 }, use "global_magnitude" {}, { sparsity = 0.8 })
    local int8 = quantize(model, use "int8" { calibration = digits.train:take(20) })
    int8:save "net.cmpr"
    export(int8, "fast.cmpz", { fast = true })
    print("cost " .. load_model("copy.cmpz"):cost().nonzero_weights)
    """

  @Test func thereAndBack() throws {
    let cache = try TemporaryFolder(), folder = try TemporaryFolder()
    let native = folder.path + "/out/net.cmpr", packed = folder.path + "/out/net.cmpz"
    let script = folder.path + "/net.lua"
    try Self.script.split(separator: "\n").dropLast().joined(separator: "\n")
      .write(toFile: script, atomically: true, encoding: .utf8)
    let run = try compress(["run", script, "--out", folder.path + "/out"], cache: cache)
    #expect(run.status == 0, "\(run.errors)")

    let pack = try compress(["pack", native], cache: cache)
    #expect(pack.status == 0 && pack.output.contains("net.cmpz: "), "\(pack.output) \(pack.errors)")
    let size = try Data(contentsOf: URL(fileURLWithPath: packed)).count
    #expect(size < 6000, "\(size)")
    let again = try compress(["pack", native], cache: cache)
    #expect(again.status == 2 && again.errors.contains("exists already"), "\(again.errors)")
    let back = folder.path + "/back.cmpr"
    let unpack = try compress(["unpack", packed, "-o", back], cache: cache)
    #expect(unpack.status == 0, "\(unpack.errors)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: back)) == Data(contentsOf: URL(fileURLWithPath: native)))
    // Without a name it goes beside the file; over what is there only when asked.
    #expect(try compress(["unpack", packed], cache: cache).status == 2)
    #expect(try compress(["unpack", packed, "--overwrite"], cache: cache).status == 0)
    #expect(try Data(contentsOf: URL(fileURLWithPath: back)) == Data(contentsOf: URL(fileURLWithPath: native)))

    let inspect = try compress(["inspect", packed], cache: cache)
    #expect(inspect.status == 0 && inspect.output.contains("bits each") && inspect.output.contains("20,410"))
    #expect(inspect.output.contains("file \(Self.grouped(size)) B"), "\(inspect.output)")
    let json = try compress(["inspect", "--json", packed], cache: cache)
    let told = try #require(JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    let tensors = try #require(told["packed"] as? [[String: Any]])
    #expect(tensors.map { $0["role"] as? String } == ["weight", "bias", "weight", "bias", "scales"])
    #expect(tensors.map { $0["layer"] as? String } == ["conv", "conv", "dense", "dense", nil])
    let bits = tensors.reduce(0) { $0 + ($1["bits"] as? Int ?? 0) }
    #expect(bits / 8 < size && bits / 8 > size - 200, "\(bits / 8) of \(size)")

    #expect(try compress(["bench", packed, "--runs", "5"], cache: cache).status == 0)
    let compare = try compress(["compare", packed, native, "--on", "digits"], cache: cache)
    #expect(compare.status == 0, "\(compare.errors)")
    #expect(try compress(["convert", packed, folder.path + "/net.onnx"], cache: cache).status == 0)
    try FileManager.default.copyItem(atPath: packed, toPath: folder.path + "/copy.cmpz")
    try Self.script.write(toFile: script, atomically: true, encoding: .utf8)
    let loaded = try compress(["run", script, "--out", folder.path + "/out2"], cache: cache)
    #expect(loaded.status == 0 && loaded.output.contains("cost "), "\(loaded.errors)")
  }

  /// Rounded before: smaller, and told what it cost; the goal is one, and needs data.
  @Test func roundsWeights() throws {
    let cache = try TemporaryFolder(), folder = try TemporaryFolder()
    let native = folder.path + "/out/net.cmpr", script = folder.path + "/net.lua"
    try Data(
      """
      fit_last_layer(zoo.quick_cnn(), dataset("digits").train:take(200)):save "net.cmpr"
      """.utf8
    ).write(to: URL(fileURLWithPath: script))
    let run = try compress(["run", script, "--out", folder.path + "/out"], cache: cache)
    #expect(run.status == 0, "\(run.errors)")
    func size(_ name: String, _ arguments: [String]) throws -> Int {
      let path = folder.path + "/" + name
      let result = try compress(["pack", native, "-o", path] + arguments, cache: cache)
      #expect(result.status == 0, "\(result.errors)")
      return try Data(contentsOf: URL(fileURLWithPath: path)).count
    }
    let whole = try size("whole.cmpz", [])
    let few = ["--on", "digits", "--images", "200", "--samples", "50"]
    let rounded = try size("rounded.cmpz", ["--within", "1"] + few)
    #expect(4 * rounded < whole, "\(rounded) of \(whole)")
    #expect(try size("bytes.cmpz", ["--bytes", "\(rounded / 2)"] + few) <= rounded / 2)
    #expect(try size("trade.cmpz", ["--lambda", "0.01"] + few) < whole)
    for (arguments, expected) in [
      (["--within", "1", "--bytes", "9"] + few, "one of --within, --bytes and --lambda"), (few, "--on is for rounding"),
      (["--within", "1"], "which data?"), (["--lambda=-1"] + few, "lambda = -1"),
    ] {
      let result = try compress(["pack", native, "-o", folder.path + "/x.cmpz"] + arguments, cache: cache)
      #expect(result.status != 0 && result.errors.contains(expected), "\(result.errors)")
    }
  }

  private static func grouped(_ number: Int) -> String {
    number < 1000 ? "\(number)" : "\(number / 1000)," + String("\(1000 + number % 1000)".dropFirst())
  }

  @Test func whatCannotBePacked() throws {
    let cache = try TemporaryFolder(), folder = try TemporaryFolder()
    let text = folder.path + "/text.cmpz"
    try "hello".write(toFile: text, atomically: true, encoding: .utf8)
    for arguments in [["pack", text, "-o", folder.path + "/a.cmpz"], ["unpack", text], ["inspect", text]] {
      let outcome = try compress(arguments, cache: cache)
      #expect(outcome.status == 2 && outcome.errors.contains("text.cmpz"), "\(arguments): \(outcome.errors)")
    }
    let other = try compress(["pack", text, "-o", folder.path + "/a.cmpr"], cache: cache)
    #expect(other.status == 2 && other.errors.contains("a packed file's name ends in .cmpz"), "\(other.errors)")
  }
}
