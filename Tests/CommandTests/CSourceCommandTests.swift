import Foundation
import Testing

/// The way from a script to a program of one's own, with the program's documents at hand alone.
@Suite struct CSourceCommandTests {
  private static let compiler: String? = {
    let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/clang" }
    return (["/usr/bin/cc", "/usr/bin/gcc"] + path).first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  private func run(_ program: String, _ arguments: [String], input: String? = nil) throws -> (Int32, String) {
    let process = Process(), output = Pipe()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardInput = input.flatMap { FileHandle(forReadingAtPath: $0) } ?? FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }

  /// The document's program is the example's, compiles without a warning, and tells a class for a picture. That it is the
  /// session's is CSourceTests' to show.
  @Test func theExampleTellsDigits() throws {
    let cache = try TemporaryFolder(), folder = try TemporaryFolder()
    let main = sourceRoot + "/examples/c_source/main.c", text = try String(contentsOfFile: main, encoding: .utf8)
    #expect(DocumentationTests.blocks("c").map(\.text) == [text])
    let made = try compress(
      [
        "run", sourceRoot + "/examples/c_source/pipeline.lua", "--out", folder.path, "--set", "epochs=1", "--set",
        "samples=300", "--quiet",
      ], cache: cache)
    #expect(made.status == 0, "\(made.output) \(made.errors)")
    let header = try String(contentsOfFile: folder.path + "/digits.h", encoding: .utf8)
    for said in [
      "#define DIGITS_ARENA_BYTES", "void digits_run(const uint8_t *input, float *output);", "digits_classes[10]",
    ] {
      #expect(header.contains(said), "\(said)")
    }
    guard let compiler = Self.compiler else { return print("NOT TESTED, there is no C compiler: the program itself") }
    let (status, errors) = try run(
      compiler,
      [
        "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2", "-I" + folder.path, main,
        folder.path + "/digits.c",
        "-o", folder.path + "/digits",
      ])
    #expect(status == 0, "\(errors)")
    // A stroke from top to bottom.
    var picture = Data("P5\n28 28\n255\n".utf8)
    for index in 0..<784 { picture.append((4..<24).contains(index / 28) && (13..<16).contains(index % 28) ? 255 : 0) }
    try picture.write(to: URL(fileURLWithPath: folder.path + "/one.pgm"))
    let (told, answer) = try run(folder.path + "/digits", [], input: folder.path + "/one.pgm")
    #expect(told == 0 && answer.contains(#/^[a-z0-9]+ \(/#), "\(answer)")
    let (refused, why) = try run(folder.path + "/digits", [], input: main)
    #expect(refused == 1 && why.contains("no binary PGM of 784 pixels"))
  }

  @Test func convertWritesSourceAndHeader() throws {
    let cache = try TemporaryFolder(), folder = try TemporaryFolder(), source = folder.path + "/net.c"
    try "export(zoo.lab_cnn(), \"net.cmpr\")\nexport(zoo.lab_cnn(), \"also.c\")\nzoo.lab_cnn():save(\"saved.c\")\n"
      .write(
        toFile: folder.path + "/net.lua", atomically: true, encoding: .utf8)
    let made = try compress(["run", folder.path + "/net.lua", "--out", folder.path], cache: cache)
    #expect(made.status == 0, "\(made.errors)")
    #expect((made.output + made.errors).contains("also.c: RAM: "), "\(made.output) \(made.errors)")
    let converted = try compress(["convert", folder.path + "/net.cmpr", source], cache: cache)
    #expect(converted.status == 0 && converted.output.contains("RAM: "), "\(converted.output) \(converted.errors)")
    for name in ["net", "also", "saved"] {
      for ending in [".c", ".h"] { #expect(FileManager.default.fileExists(atPath: folder.path + "/" + name + ending)) }
    }
    // What is there is left, the header alone as well.
    try FileManager.default.removeItem(atPath: source)
    let refused = try compress(["convert", folder.path + "/net.cmpr", source], cache: cache)
    #expect(refused.status != 0 && refused.errors.contains("net.h") && refused.errors.contains("exists already"))
    #expect(!FileManager.default.fileExists(atPath: source))
    let option = try compress(
      ["convert", folder.path + "/net.cmpr", folder.path + "/x.c", "--opset", "17"], cache: cache)
    #expect(option.status != 0 && option.errors.contains("opset is for .onnx files"), "\(option.errors)")
    let other = try compress(["convert", folder.path + "/net.cmpr", folder.path + "/x.cpp"], cache: cache)
    #expect(other.status != 0 && other.errors.contains("or .c"), "\(other.errors)")
  }
}
