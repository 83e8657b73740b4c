@testable import CSource
import Foundation
import Kernels
import Network
import Runtime
import Tensors
import Testing

/// Networks written as C, compiled together by the machine's compiler, and run: many in one program, since compilers
/// are slow to start.
struct CompiledNetworks {
  /// What a compiler has to let pass, and to compute as it is written. Where products and sums are one instruction it
  /// is used, as sessions do.
  static let flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"] + fusing

  private static var fusing: [String] {
    #if arch(x86_64)
      (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.contains(" fma ") == true ? ["-mfma"] : []
    #else
      []
    #endif
  }

  /// The C compiler of this machine, or else Swift's own; nil, which is said, where there is none.
  static let compiler: String? = {
    let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/clang" }
    let found = (["/usr/bin/cc", "/usr/bin/gcc"] + path).first { FileManager.default.isExecutableFile(atPath: $0) }
    if found == nil { print("NOT TESTED, there is no C compiler: whether C source compiles and what it computes") }
    return found
  }()

  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("c-source-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  /// What each network gives for its samples, one after the other, as floats.
  ///
  /// - Parameter optimization: of the compiler.
  func outputs(
    _ models: [(model: Model, samples: [Tensor], patches: PatchOptions)], optimization: String = "-O1"
  ) throws -> [[Float]] {
    var program = "#include <stdio.h>\n#include <stdlib.h>\n", main = ""
    for (index, item) in models.enumerated() {
      let file = try CSourceFile(item.model, name: "n\(index)", patches: item.patches)
      try file.write(to: folder.appendingPathComponent("n\(index).c").path)
      program += "#include \"n\(index).c\"\n"
      let header = try String(contentsOf: folder.appendingPathComponent("n\(index).h"), encoding: .utf8)
      let graph = item.model.graph
      // What the header declares says what the network takes.
      func ports(_ word: String, _ shapes: [Shape]) -> [(name: String, type: String, count: Int, isCoded: Bool)] {
        shapes.enumerated().map { port, shape in
          let name = "\(word)\(shapes.count > 1 ? "\(port)" : "")"
          let type =
            ["float", "uint8_t", "int8_t"].first { header.contains("\($0) *n\(index)_\(name)(void);") } ?? "none"
          return (name, type, shape.count, type != "float")
        }
      }
      let inputs = ports("input", graph.inputs.map { graph.shape(of: $0) }),
        outputs = ports("output", graph.outputShapes)
      main += "static void run\(index)(FILE *in, FILE *out) {\n"
      for port in inputs + outputs {
        main += "  static float f_\(port.name)[\(port.count)]; static \(port.type) \(port.name)[\(port.count)];\n"
      }
      main += "  for (int sample = 0; sample < \(item.samples.count); sample++) {\n"
      for port in inputs {
        main += "    if (fread(f_\(port.name), 4, \(port.count), in) != \(port.count)) exit(1);\n"
        main +=
          port.isCoded
          ? "    n\(index)_quantize_\(port.name)(f_\(port.name), \(port.name));\n"
          : "    memcpy(\(port.name), f_\(port.name), sizeof \(port.name));\n"
      }
      main += "    n\(index)_run(\((inputs + outputs).map(\.name).joined(separator: ", ")));\n"
      for port in outputs {
        main +=
          port.isCoded
          ? "    n\(index)_dequantize_\(port.name)(\(port.name), f_\(port.name));\n"
          : "    memcpy(f_\(port.name), \(port.name), sizeof \(port.name));\n"
        main += "    fwrite(f_\(port.name), 4, \(port.count), out);\n"
      }
      main += "  }\n}\n"
    }
    main += "int main(void) {\n"
    for index in models.indices { main += "  run\(index)(stdin, stdout);\n" }
    main += "  return 0;\n}\n"
    try (program + main).write(to: folder.appendingPathComponent("all.c"), atomically: true, encoding: .utf8)
    let given = models.flatMap { $0.samples.flatMap { $0.array(Float.self) } }
    try given.withUnsafeBytes { Data($0) }.write(to: folder.appendingPathComponent("in"))
    let compiled = try run(Self.compiler ?? "cc", Self.flags + [optimization, "all.c", "-o", "all", "-lm"])
    try #require(compiled.status == 0, "\(compiled.text.prefix(4000))")
    let ran = try run("/bin/sh", ["-c", "./all < in > out"])
    try #require(ran.status == 0, "\(ran.status) \(ran.text)")
    let bytes = try Data(contentsOf: folder.appendingPathComponent("out"))
    let floats = bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    var place = 0
    return models.map { model, samples, _ in
      let count = samples.count * model.graph.outputShapes.reduce(0) { $0 + $1.count }
      defer { place += count }
      return Array(floats[min(place, floats.count)..<min(place + count, floats.count)])
    }
  }

  /// Runs a program in the folder; what it says is kept in a file, so that no pipe fills up.
  func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, text: String) {
    let process = Process(), log = folder.appendingPathComponent("log")
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.currentDirectoryURL = folder
    try Data().write(to: log)
    let handle = try FileHandle(forWritingTo: log)
    process.standardOutput = handle
    process.standardError = handle
    try process.run()
    process.waitUntilExit()
    try handle.close()
    return (process.terminationStatus, (try? String(contentsOf: log, encoding: .utf8)) ?? "")
  }
}

extension Model {
  /// What a session gives for samples, one after the other; floats in the order of the definition.
  func sessionOutputs(_ samples: [Tensor]) throws -> [Float] {
    let session = Session(try compile(self, CompileOptions(isExact: true)))
    return try samples.flatMap { sample in
      try session.run(sample.reshaped([1] + graph.inputShape.dims)).array(Float.self)
    }
  }

  /// The same with int8 weights of one scale, and every value quantized, or all but outputs.
  func quantizedAsIs(outputs: Bool, low: Float = -1.5, high: Float = 2) throws -> Model {
    var quantized = self
    for layer in weightLayers {
      let weight = self[layer, .weight]!.values.array(Float.self)
      let scale = max(weight.map(abs).max() ?? 0, 1e-3) / 127
      let integers = Tensor(weight.map { Int8(($0 / scale).rounded()) }, self[layer, .weight]!.shape)
      try quantized.set(Parameter(.integer(IntegerValues(values: integers, scales: [scale], bits: 8))), layer, .weight)
    }
    for value in graph.values where outputs || !graph.isOutput(value) {
      try quantized.setActivation(ActivationQuantization(low: low, high: high), of: value)
    }
    return quantized
  }
}
