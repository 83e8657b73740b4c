import Foundation
import Testing

/// The way from a script to a program of one's own by libcompress, in C and in Python.
@Suite struct LibraryCommandTests {
  private static let compiler: String? = {
    let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/clang" }
    return (["/usr/bin/cc", "/usr/bin/gcc"] + path).first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  private func run(
    _ program: String, _ arguments: [String], input: String? = nil, environment: [String: String] = [:]
  ) throws -> (status: Int32, text: String) {
    let process = Process(), output = Pipe()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = input.flatMap { FileHandle(forReadingAtPath: $0) } ?? FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }

  /// What the package's build has compiled of the library, as a shared one: `make lib` would take longer than all tests.
  private func library(in folder: TemporaryFolder) throws -> String? {
    guard let compiler = Self.compiler else { return nil }
    let built = URL(fileURLWithPath: program).deletingLastPathComponent()
    let objects = ["CKernels.build", "CCompress.build"].flatMap { room -> [String] in
      let found = FileManager.default.enumerator(
        at: built.appendingPathComponent(room), includingPropertiesForKeys: nil)
      return (found?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "o" }.map(\.path)
    }
    try #require(objects.count > 80, "\(objects.count) objects beside \(program)")
    let path = folder.path + "/libcompress.so"
    let (status, text) = try run(
      compiler, ["-shared", "-Wl,-soname,libcompress.so.1", "-o", path] + objects + ["-lm", "-lpthread"])
    try #require(status == 0, "\(text)")
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/libcompress.so.1", withDestinationPath: path)
    return path
  }

  private func digits(in folder: TemporaryFolder, cache: TemporaryFolder) throws {
    let made = try compress(
      [
        "run", sourceRoot + "/examples/library/pipeline.lua", "--out", folder.path, "--set", "epochs=1", "--set",
        "samples=300", "--quiet",
      ], cache: cache)
    #expect(made.status == 0, "\(made.output) \(made.errors)")
  }

  @Test func theExampleClassifiesAPicture() throws {
    let cache = try TemporaryFolder(), folder = try TemporaryFolder()
    try digits(in: folder, cache: cache)
    guard let compiler = Self.compiler, try library(in: folder) != nil else {
      return print("NOT TESTED, there is no C compiler: a program with libcompress")
    }
    let (status, errors) = try run(
      compiler,
      [
        "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2", "-I" + sourceRoot + "/Sources/CCompress/include",
        sourceRoot + "/examples/library/main.c", "-L" + folder.path, "-lcompress", "-Wl,-rpath," + folder.path, "-o",
        folder.path + "/classify",
      ])
    #expect(status == 0, "\(errors)")
    // A stroke from top to bottom.
    var picture = Data("P5\n28 28\n255\n".utf8)
    for index in 0..<784 { picture.append((4..<24).contains(index / 28) && (13..<16).contains(index % 28) ? 255 : 0) }
    try picture.write(to: URL(fileURLWithPath: folder.path + "/one.pgm"))
    let classify = folder.path + "/classify", plan = folder.path + "/digits.cmpx"
    let answer = try run(classify, [plan], input: folder.path + "/one.pgm")
    #expect(answer.status == 0 && answer.text.contains(#/^[a-z0-9]+ \(/#), "\(answer.text)")
    let none = try run(classify, [plan], input: plan)
    #expect(none.status == 1 && none.text.contains("no binary PGM of 28x28 pixels"), "\(none.text)")
    let model = try run(classify, [folder.path + "/digits.cmpr"])
    #expect(model.status == 1 && model.text.contains("is no compiled plan"), "\(model.text)")
    // The program itself says what such a file is.
    let inspected = try compress(["inspect", plan], cache: cache)
    #expect(inspected.status == 2 && inspected.errors.contains("a compiled plan (.cmpx)"), "\(inspected.errors)")
  }

  /// Options of compiled plans, and names of sets that there are none of.
  @Test func plansAreCompiledForWhatIsAskedFor() throws {
    let cache = try TemporaryFolder(), folder = try TemporaryFolder()
    try digits(in: folder, cache: cache)
    let model = folder.path + "/digits.cmpr", out = folder.path + "/all.cmpx"
    let all = try compress(
      ["convert", model, out, "--for", "scalar,avx2,avx512,neon", "--batch", "4", "--exact"], cache: cache)
    #expect(
      all.status == 0 && all.output.contains("compiled for scalar, avx2, avx512, neon:"), "\(all.output)\(all.errors)")
    let typo = try compress(["convert", model, out, "--for", "avx3", "--overwrite"], cache: cache)
    #expect(typo.status == 2 && typo.errors.contains("no instruction set \"avx3\""), "\(typo.errors)")
    let other = try compress(["convert", model, folder.path + "/net.onnx", "--for", "avx2"], cache: cache)
    #expect(other.status == 2 && other.errors.contains("instruction sets are for .cmpx files"), "\(other.errors)")
  }

  @Test func pythonGivesTheAccuracyOfEvaluate() throws {
    let python = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/python3" }
      .filter { FileManager.default.isExecutableFile(atPath: $0) }
      .first { (try? run($0, ["-c", "import numpy"]))?.status == 0 }
    let cache = try TemporaryFolder(), folder = try TemporaryFolder()
    guard let python, let library = try library(in: folder) else {
      return print("NOT TESTED, there is no Python with numpy, or no C compiler: libcompress in Python")
    }
    try digits(in: folder, cache: cache)
    let count = 40, labels = (0..<count).map { UInt8($0 * 7 % 10) }
    // Strokes of many kinds.
    let pixels = (0..<count).flatMap { sample in
      (0..<784).map { index in
        let (row, column) = (index / 28, index % 28)
        return (row * sample / 7 + column * (sample % 5)) % 28 < 4 + sample % 3 ? UInt8(255 - sample) : 0
      }
    }
    try array(pixels, "(\(count), 28, 28, 1)").write(to: URL(fileURLWithPath: folder.path + "/x.npy"))
    try array(labels, "(\(count),)").write(to: URL(fileURLWithPath: folder.path + "/y.npy"))
    try """
    local data = data.numpy("x.npy", { labels_file = "y.npy", classes = 10 })
    print("right", math.floor(evaluate(load_model "digits.cmpr", data).accuracy * \(count) + 0.5))
    """.write(toFile: folder.path + "/accuracy.lua", atomically: true, encoding: .utf8)
    let told = try compress(["run", folder.path + "/accuracy.lua", "--out", folder.path + "/out"], cache: cache)
    let right = try #require(told.output.firstMatch(of: #/right\s+(\d+)/#), "\(told.output) \(told.errors)").output.1
    let script = try run(
      python,
      [sourceRoot + "/examples/library/accuracy.py", "digits.cmpx", "x.npy", "y.npy"].map {
        $0.hasPrefix("/") ? $0 : folder.path + "/" + $0
      }, environment: ["COMPRESS_LIBRARY": library, "PYTHONPATH": sourceRoot + "/bindings/python"])
    #expect(script.text.hasPrefix("\(right) of \(count) right, accuracy "), "\(script.text), not \(right)")
  }

  /// A NumPy array of bytes.
  private func array(_ bytes: [UInt8], _ shape: String) -> Data {
    var header = "{'descr': '|u1', 'fortran_order': False, 'shape': \(shape), }"
    header += String(repeating: " ", count: 63 - (header.utf8.count + 10) % 64) + "\n"
    let size = header.utf8.count
    return Data(
      [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(size % 256), UInt8(size / 256)] + Array(header.utf8) + bytes)
  }
}
