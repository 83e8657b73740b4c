import Kernels
import Network
import Tensors

/// The text of source and header.
struct SourceWriter {
  let prefix: String
  private let network: CNetwork
  private let layout: Layout
  private let codes: [LayerCode]
  /// Values that are the same in every call, by their number.
  private let constants: [Int: CConstant]
  /// Of patches, what differs from one to the next.
  private let numbers: [[Int]: CConstant]
  private var upper: String { prefix.uppercased() }

  init(_ network: CNetwork, _ layout: Layout, prefix: String) {
    self.prefix = prefix
    self.network = network
    self.layout = layout
    codes = layout.layers.enumerated().map { index, item in
      let layer = item.layer
      let shapes = layer.shapes.map(\.description).joined(separator: ", ")
      var code = LayerCode(
        name: "\(prefix)_layer\(index + 1)",
        comment: CText.comment("\(layer.text): \(layer.operation.layer)", longest: 90) + ","
          + CText.comment(" \(shapes) to \(network.values[layer.output].shape)"))
      item.code.write(&code, layout.frame(index))
      return code
    }
    numbers = Self.numbers(layout, codes, prefix)
    var constants: [Int: CConstant] = [:]
    for value in Set(network.layers.flatMap(\.inputs)) {
      guard let values = network.values[value].constant else { continue }
      constants[value] = CConstant("\(prefix)_value\(value)", values)
    }
    self.constants = constants
  }

  var constantBytes: Int {
    (codes.flatMap(\.constants) + constants.values + numbers.values).reduce(0) { $0 + $1.byteCount }
  }

  // MARK: Ports

  private struct Port {
    let port: CNetwork.Port
    let value: CNetwork.Value
    /// Of several, `0`, `1` …; of one nothing.
    let number: String
    let word: String

    var type: String { port.isSigned ? "int8_t" : value.type }
    var name: String { word + number }
    var zeroPoint: Int { (value.quantization?.zeroPoint ?? 0) - (port.isSigned ? 128 : 0) }
  }

  private var inputs: [Port] { ports(network.inputs, "input") }
  private var outputs: [Port] { ports(network.outputs, "output") }

  private func ports(_ ports: [CNetwork.Port], _ word: String) -> [Port] {
    ports.enumerated().map { index, port in
      Port(port: port, value: network.values[port.value], number: ports.count > 1 ? "\(index)" : "", word: word)
    }
  }

  private func parameters(_ first: String = "") -> String {
    let all =
      (first.isEmpty ? [] : [first]) + inputs.map { "const \($0.type) *\($0.name)" }
      + outputs.map { "\($0.type) *\($0.name)" }
    return all.joined(separator: ", ")
  }

  // MARK: Files

  func files(headerName: String) -> (source: [UInt8], header: [UInt8]) {
    (source(headerName: headerName), Array(header.utf8))
  }

  private var figures: [String] {
    func bytes(_ count: Int) -> String { CText.grouped(count) + " B" }
    let arena = layout.plan.byteCount
    var lines = [
      "RAM       \(bytes(arena)): one arena, inputs and outputs included. Beside it only a stack without arrays."
    ]
    if layout.bytesReordered < layout.bytesApart {
      lines.append("          The order of the layers saves \(bytes(layout.bytesApart - layout.bytesReordered)).")
    }
    let shared = layout.bytesReordered - layout.bytesWhole
    if shared > 0 {
      lines.append(
        "          Results over what is read for the last time save \(bytes(shared))."
      )
    }
    if let stage = layout.stage {
      lines.append(
        "          The first \(stage.count) layers patch by patch save \(bytes(layout.bytesWhole - arena)).")
    }
    lines += [
      "Constants \(bytes(constantBytes)): weights and tables. The code comes to that, some hundred bytes a layer.",
      "Work      \(CText.grouped(macs)) multiply-accumulates\(again).",
    ]
    if usesMathematics {
      lines.append("Libraries memcpy, memmove, memset; and functions of <math.h>: floats are as exact as those are.")
    }
    return lines
  }

  /// What is computed in several patches counts as often.
  var macs: Int { network.macs + (layout.stage?.macsAgain ?? 0) }

  private var again: String {
    layout.stage.map { ", \(CText.grouped($0.macsAgain)) of them again for the patches beside" } ?? ""
  }

  private var usesMathematics: Bool { codes.contains { $0.usesMathematics } }

  private func describe(_ port: Port) -> [String] {
    let tag = "\(upper)_\(port.word.uppercased())\(port.number)"
    let name = CText.comment(port.port.name)
    var lines: [String] = []
    if let quantization = port.value.quantization {
      lines.append(
        "/* The \(port.word) \(name): \(port.port.shape), \(port.type) q that stands for SCALE * (q - ZERO_POINT). */")
      lines.append("#define \(tag)_SCALE \(CText.float(quantization.scale))")
      lines.append("#define \(tag)_ZERO_POINT \(port.zeroPoint < 0 ? "(\(port.zeroPoint))" : "\(port.zeroPoint)")")
    } else {
      lines.append("/* The \(port.word) \(name): \(port.port.shape), float. */")
    }
    lines.append("#define \(tag)_COUNT \(port.value.count)")
    return lines + [""]
  }

  private var header: String {
    let guardName = "\(upper)_H"
    let input = inputs.first?.name ?? "input", output = outputs.first?.name ?? "output"
    var lines = [
      "/* \(prefix): a network as C99, written by compress.", "", "   " + figures.joined(separator: "\n   "), "",
      "   \(prefix)_run takes a sample and gives the result; both lie wherever the caller likes. Who has no room",
      "   for them twice writes the sample where \(prefix)_\(input)() points, gives that pointer to",
      "   \(prefix)_run, and reads the result where \(prefix)_\(output)() points; then nothing is",
      "   copied. The arena holds nothing between calls: a sample in it is written over.", "",
      "   Axes are rows, columns, channels, the last one fastest.",
    ]
    if let preprocessing = network.signature.preprocessing {
      lines += ["", "   Pictures become samples so: " + CText.comment(preprocessing.description, longest: 400)]
    }
    lines += [
      "*/", "#ifndef \(guardName)", "#define \(guardName)", "", "#include <stdint.h>", "", "#ifdef __cplusplus",
      "extern \"C\" {", "#endif", "", "#define \(upper)_ARENA_BYTES \(layout.plan.byteCount)",
      "#define \(upper)_CONSTANT_BYTES \(constantBytes)", "#define \(upper)_MACS \(macs)", "",
    ]
    lines += (inputs + outputs).flatMap(describe)
    lines += [
      "/* One sample through the network, in the file's own arena; not at the same time from several threads. */",
      "void \(prefix)_run(\(parameters()));", "",
      "/* The same in the caller's memory of \(upper)_ARENA_BYTES, aligned to 8. With \(upper)_NO_ARENA defined",
      "   when the source is compiled, there is no other, and the file has no memory of its own. */",
      "void \(prefix)_run_in(\(parameters("void *arena")));", "",
      "/* Where inputs and outputs lie in the file's own arena. */",
    ]
    for port in inputs { lines.append("\(port.type) *\(prefix)_\(port.name)(void);") }
    for port in outputs { lines.append("const \(port.type) *\(prefix)_\(port.name)(void);") }
    let quantized = inputs.filter { $0.value.quantization != nil }
    let dequantized = outputs.filter { $0.value.quantization != nil }
    if !(quantized + dequantized).isEmpty {
      lines += ["", "/* From numbers to what the network takes, and from what it gives to numbers. */"]
      for port in quantized {
        lines.append("void \(prefix)_quantize_\(port.name)(const float *numbers, \(port.type) *codes);")
      }
      for port in dequantized {
        lines.append("void \(prefix)_dequantize_\(port.name)(const \(port.type) *codes, float *numbers);")
      }
    }
    if let classes = network.signature.classes {
      lines += [
        "", "/* What the scores are called, for who defines \(upper)_WITH_CLASSES before including this. */",
        "#ifdef \(upper)_WITH_CLASSES", "static const char *const \(prefix)_classes[\(classes.count)] = {",
      ]
      lines += classes.map { "  \(CText.string($0))," }
      lines += ["};", "#endif"]
    }
    lines += ["", "#ifdef __cplusplus", "}", "#endif", "", "#endif", ""]
    return lines.joined(separator: "\n")
  }

  private func source(headerName: String) -> [UInt8] {
    var text: [UInt8] = []
    func write(_ string: String) {
      text.append(contentsOf: string.replacing("@", with: prefix + "_").utf8)
      text.append(UInt8(ascii: "\n"))
    }
    text.append(
      contentsOf: "/* \(prefix): a network as C99, written by compress; the header says how to call it.\n".utf8)
    text.append(
      contentsOf: """
           Every operation on floats below is one of IEEE float32, in the order it is written: the same bits anywhere,
           but for fma where the machine has no instruction for it. */
        #include "\(headerName)"

        #include <float.h>
        #include <string.h>

        """.utf8)
    if usesMathematics { text.append(contentsOf: "#include <math.h>\n".utf8) }
    write(
      """

      /* Sums and products are not to become fused ones by themselves. */
      #if defined(__clang__)
      #pragma STDC FP_CONTRACT OFF
      #elif defined(__GNUC__)
      #pragma GCC optimize("fp-contract=off")
      #endif
      #if defined(__FAST_MATH__)
      #error "compiled without -ffast-math, which computes something else"
      #endif
      #if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD > 0
      #error "floats have to be computed as floats: on 32-bit x86 with -msse2 -mfpmath=sse"
      #endif

      """)
    var helpers = codes.reduce(into: Set<Helper>()) { $0.formUnion($1.helpers) }
    if inputs.contains(where: { $0.value.quantization != nil }) { helpers.insert(.code) }
    for helper in helpers.sorted() { write(helper.text + "\n") }
    for constant in constants.sorted(by: { $0.key < $1.key }) { constant.value.append(to: &text) }
    for constant in numbers.values.sorted(by: { $0.name < $1.name }) { constant.append(to: &text) }
    for code in codes {
      write("\n/* \(code.comment) */")
      for constant in code.constants { constant.append(to: &text) }
      write(code.lines.joined(separator: "\n"))
    }
    write(run.joined(separator: "\n"))
    return text
  }

  // MARK: Calls

  private func pointer(_ type: String, _ offset: Int) -> String {
    let place = offset == 0 ? "arena" : "arena + \(offset)"
    return type == "uint8_t" ? place : "(\(type) *)(void *)(\(place))"
  }

  private func argument(_ argument: LayerCode.Argument, _ index: Int, _ code: LayerCode.Call) -> String {
    let layer = layout.layers[index].layer
    switch argument {
    case .input(let input, let from):
      let value = layer.inputs[input]
      if let constant = constants[value] { return constant.name + (from == 0 ? "" : " + \(from)") }
      return pointer(
        network.values[value].type, layout.offset(of: value) + from * network.values[value].elementBytes)
    case .output(let from):
      let value = network.values[layer.output], offset = layout.offset(of: layer.output) + from * value.elementBytes
      guard let stage = layout.stage, index == stage.count - 1 else { return pointer(value.type, offset) }
      let pixel = value.shape[2] * value.elementBytes
      var place = "arena + \(offset)"
      if stage.down.count > 1 { place += " + down * \(stage.down.step * value.shape[1] * pixel)" }
      if stage.across.count > 1 { place += " + across * \(stage.across.step * pixel)" }
      return value.type == "uint8_t" ? place : "(\(value.type) *)(void *)(\(place))"
    case .scratch:
      let offset = layout.scratchOf[index].map { layout.plan.offsets[$0] } ?? 0
      return "(void *)(arena + \(offset))"
    case .extent(let extent):
      let (isDown, list) = layout.stage!.numbers(index, extent)
      if let table = numbers[list] { return "\(table.name)[\(isDown ? "down" : "across")]" }
      return "\(list[0])"
    }
  }

  /// Tables of what differs from patch to patch, by what they hold.
  private static func numbers(_ layout: Layout, _ codes: [LayerCode], _ prefix: String) -> [[Int]: CConstant] {
    var tables: [[Int]: CConstant] = [:]
    guard let stage = layout.stage else { return tables }
    for (index, code) in codes.prefix(stage.count).enumerated() {
      for argument in code.calls.flatMap(\.arguments) {
        guard case .extent(let extent) = argument else { continue }
        let list = stage.numbers(index, extent).numbers
        guard tables[list] == nil, list.contains(where: { $0 != list[0] }) else { continue }
        tables[list] = CConstant("\(prefix)_patch\(tables.count)", indices: list)
      }
    }
    return tables
  }

  /// The layers' calls, those of a stage in loops over its patches.
  private var calls: [String] {
    func lines(_ index: Int) -> [String] {
      codes[index].calls.map { call in
        "\(call.function)(\(call.arguments.map { argument($0, index, call) }.joined(separator: ", ")));"
      }
    }
    var all: [String] = [], first = 0
    if let stage = layout.stage {
      let loops = [("down", stage.down.count), ("across", stage.across.count)].filter { $0.1 > 1 }
      var indent = ""
      for (name, count) in loops {
        all.append(indent + loop(name, count))
        indent += "  "
      }
      all += (0..<stage.count).flatMap(lines).map { indent + $0 }
      for _ in loops {
        indent.removeLast(2)
        all.append(indent + "}")
      }
      first = stage.count
    }
    return all + (first..<codes.count).flatMap(lines)
  }

  private var run: [String] {
    var lines = ["", "void @run_in(\(parameters("void *memory"))) {", "  uint8_t *arena = memory;"]
    for port in inputs {
      let offset = layout.offset(of: port.port.value)
      if port.port.isSigned {
        lines.append(
          "  \(loop("i", port.value.count)) arena[\(offset) + i] = (uint8_t)((uint8_t)\(port.name)[i] ^ 0x80); }"
        )
      } else {
        lines.append(
          "  if ((const void *)\(port.name) != (void *)(arena + \(offset))) memcpy(arena + \(offset), \(port.name), "
            + "\(port.value.byteCount));")
      }
    }
    lines += calls.map { "  " + $0 }
    for port in outputs {
      let offset = layout.offset(of: port.port.value)
      if port.port.isSigned {
        lines.append(
          "  \(loop("i", port.value.count)) \(port.name)[i] = (int8_t)((int32_t)arena[\(offset) + i] - 128); }"
        )
      } else {
        lines.append(
          "  if ((void *)\(port.name) != (void *)(arena + \(offset))) memcpy(\(port.name), arena + \(offset), "
            + "\(port.value.byteCount));")
      }
    }
    lines += [
      "}", "", "#ifndef \(upper)_NO_ARENA", "static union {", "  double alignment;", "  uint64_t words;",
      "  uint8_t bytes[\(max(layout.plan.byteCount, 1))];", "} @arena;", "",
      "void @run(\(parameters())) {",
      "  @run_in(@arena.bytes, \((inputs + outputs).map(\.name).joined(separator: ", ")));", "}", "",
    ]
    for port in inputs + outputs {
      let offset = layout.offset(of: port.port.value), kind = port.word == "output" ? "const " : ""
      let place = offset == 0 ? "@arena.bytes" : "(@arena.bytes + \(offset))"
      lines.append(
        "\(kind)\(port.type) *@\(port.name)(void) { return (\(port.type) *)(void *)\(place); }")
    }
    lines += ["#endif", ""]
    for port in inputs {
      guard let to = port.value.coding else { continue }
      let code = "@code(numbers[i] * \(CText.float(1 / to.scale)), \(to.zeroPoint), 0, \(to.limit))"
      lines += [
        "void @quantize_\(port.name)(const float *numbers, \(port.type) *codes) {", "  " + loop("i", port.value.count),
        port.port.isSigned ? "    codes[i] = (int8_t)((int32_t)\(code) - 128);" : "    codes[i] = \(code);", "  }", "}",
        "",
      ]
    }
    for port in outputs {
      guard let from = port.value.coding else { continue }
      let zero = port.zeroPoint < 0 ? "(\(port.zeroPoint))" : "\(port.zeroPoint)"
      lines += [
        "void @dequantize_\(port.name)(const \(port.type) *codes, float *numbers) {",
        "  " + loop("i", port.value.count),
        "    numbers[i] = (float)((int32_t)codes[i] - \(zero)) * \(CText.float(from.scale));", "  }", "}", "",
      ]
    }
    return lines
  }
}
