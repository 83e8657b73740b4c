import Diagnostics
import Files
import Foundation
import Network
import Tensors
import Testing

@testable import Formats

@Suite struct BrokenFileTests {
  /// The message when the header of a small file is changed and everything else made consistent again.
  private func failure(_ old: String, _ new: String) throws -> String {
    var parts = Parts(try NativeFormat.data(Self.small()))
    let changed = parts.text.replacing(old, with: new, maxReplacements: 1)
    #expect(changed != parts.text, "nothing replaced: \(parts.text)")
    parts.text = changed
    return message { _ = try NativeFormat.read(parts.file) }
  }

  /// `d`: integers at 0 (6 int8), their mask at 16 (1 byte), bias at 32 (2 float32); scales at 48 (2 + 1 float32).
  private static func small() throws -> Model {
    var net = GraphBuilder(input: [3])
    net.dense(2, name: "d")
    let weight = try Parameter(
      .integer(IntegerValues(values: Tensor([1, 0, -3, 4, 5, 6] as [Int8], [2, 3]), scales: [1, 0.5], bits: 8)))
    var model = try Model(
      graph: net.graph(), parameters: ["d": [.weight: weight, .bias: Parameter(Tensor([1, 2] as [Float]))]])
    var masked = weight
    try masked.setMask(Tensor([1, 1, 0, 1, 1, 1] as [UInt8], [2, 3]))
    try model.set(masked, "d", .weight)
    try model.setActivation(ActivationQuantization(scale: 0.5, zeroPoint: 9), of: "d")
    return model
  }

  @Test func truncatedFiles() throws {
    let file = try NativeFormat.data(Self.small())
    for count in 0..<file.count {
      let text = message { _ = try NativeFormat.read(Array(file[..<count])) }
      if count < 8 {
        #expect(text == "is no native model file")
      } else if count < 28 {
        #expect(text == "is truncated: \(count) bytes")
      } else {
        #expect(text == "is truncated: \(count) bytes, \(file.count) expected")
      }
    }
    #expect(
      message { _ = try NativeFormat.read(file + [0]) }
        == "has bytes after its end: \(file.count + 1) bytes, \(file.count) expected")
  }

  @Test func everyFlippedBitIsNoticed() throws {
    let file = try NativeFormat.data(Self.small())
    for position in file.indices {
      var broken = file
      broken[position] ^= 1 << UInt8(position % 8)
      #expect(throws: CompressError.self) { try NativeFormat.read(broken) }
    }
    var broken = file
    broken[file.count - 20] ^= 1
    #expect(message { _ = try NativeFormat.read(broken) }.hasPrefix("is damaged: checksum "))
  }

  @Test func versionsAndLengths() throws {
    var parts = Parts(try NativeFormat.data(Self.small()))
    parts.version = 4
    #expect(
      message { _ = try NativeFormat.read(parts.file) } == "has format version 4; this program reads versions up to 3")
    for length in [UInt32.max, 20_000_000, UInt32(parts.file.count)] {
      var content = Array(try NativeFormat.data(Self.small()).dropLast(4))
      content.replaceSubrange(12..<16, with: NativeFormat.littleEndian(length))
      #expect(
        message { _ = try NativeFormat.read(Parts.sealed(content)) }
          == "has a header of \(length) bytes in \(content.count + 4)")
    }
    var content = Array(try NativeFormat.data(Self.small()).dropLast(4))
    content.replaceSubrange(16..<24, with: [UInt8](repeating: 0xFF, count: 8))
    #expect(message { _ = try NativeFormat.read(Parts.sealed(content)) }.contains("18446744073709551615 expected"))
  }

  @Test func placesThatLie() throws {
    #expect(try failure("\"at\":32", "\"at\":33") == "has a tensor at offset 33, which is no multiple of 16")
    #expect(try failure("\"at\":32", "\"at\":-16") == "has a tensor at offset -16, which is no multiple of 16")
    #expect(try failure("\"at\":48", "\"at\":64") == "has a tensor of 12 bytes at offset 64 of 60 bytes of data")
    #expect(
      try failure("\"at\":48", "\"at\":9223372036854775792")
        == "has a tensor of 12 bytes at offset 9223372036854775792 of 60 bytes of data")
    #expect(try failure("\"at\":32", "\"at\":48") == "has tensors that overlap: 8 bytes at offset 48, and one at 48")
    #expect(
      try failure("\"shape\":[2,3]", "\"shape\":[2,9]")
        == "has tensors that overlap: 18 bytes at offset 0, and one at 16")
    #expect(
      try failure("\"shape\":[2,3]", "\"shape\":[2,4611686018427387904]")
        == "shape [2, 4611686018427387904] has more than 1099511627776 elements")
    #expect(
      try failure("\"shape\":[2,3]", "\"shape\":[1099511627776]")
        == "has a tensor of 1099511627776 bytes at offset 0 of 60 bytes of data")
    #expect(try failure("\"shape\":[2,3]", "\"shape\":[2,-3]") == "shape [2, -3] has a negative extent")
  }

  @Test func descriptionsThatDoNotFit() throws {
    #expect(try failure("\"shape\":[2,3]", "\"shape\":[3,2]") == "layer \"d\": 2 scales for integers of shape [3, 2]")
    #expect(
      try failure("\"layer\":\"d\"", "\"bits\":3,\"layer\":\"d\"") == "layer \"d\": integer 4 is outside ±3 (3 bits)")
    #expect(
      try failure("\"layer\":\"d\"", "\"bits\":9,\"layer\":\"d\"") == "layer \"d\": 9-bit integers stored as int8")
    #expect(try failure("\"scales\":2,", "") == "layer \"d\": weight: integers without scales")
    #expect(try failure("\"scales\":2,", "\"scales\":4,") == "layer \"d\": 4 scales wanted, 3 left")
    #expect(try failure("\"scales\":2,", "\"scales\":-1,") == "layer \"d\": -1 scales wanted, 3 left")
    #expect(try failure("\"scales\":2,", "\"scales\":1,") == "1 scales belong to nothing")
    #expect(try failure("\"scales\":{", "\"skales\":{") == "layer \"d\": 2 scales wanted, 0 left")
    #expect(
      try failure("\"float32\",\"shape\":[3]", "\"float32\",\"shape\":[3,1]")
        == "scales: float32 of shape [3, 1], expected float32 of shape [3]")
    #expect(try failure("\"dtype\":\"int8\"", "\"dtype\":\"uint8\"") == "layer \"d\": 8-bit integers stored as uint8")
    #expect(try failure("\"dtype\":\"int8\"", "\"dtype\":\"int5\"").contains("parameters[0].values.dtype: "))
    #expect(try failure("\"role\":\"bias\"", "\"role\":\"weight\"") == "layer \"d\": has two weights")
    #expect(try failure("\"role\":\"bias\"", "\"role\":\"gamma\"") == "layer \"d\": has no bias")
    #expect(try failure("\"layer\":\"d\"", "\"layer\":\"e\"") == "layer \"d\": has no weight")
    #expect(try failure("\"layers\":[\"d\"]", "\"layers\":[\"e\"]") == "annotations for \"e\", which is no layer")
    #expect(try failure("\"layers\":[\"d\"]", "\"layers\":[\"d\",\"d\"]") == "1 zero points for 2 quantized layers")
    #expect(
      try failure("\"zero_points\":[9]", "\"zero_points\":[256]")
        == "layer \"d\": activation scale 0.5, zero point 256 of 8 bits is out of range")
    #expect(
      try failure("\"dtype\":\"uint8\",\"shape\":[1]}", "\"dtype\":\"uint8\",\"shape\":[2]}")
        == "layer \"d\": weight's mask: uint8 of shape [2], expected uint8 of shape [1]")
    #expect(try failure("\"mask\":{", "\"mask\":\"half\",\"x\":{") == "unknown mask \"half\"")
    #expect(try failure("\"units\":2", "\"units\":3") == "layer \"d\": weight has shape [2, 3], expected [3, 3]")
    #expect(try failure("{", "[").hasPrefix("broken description of the model: "))
    #expect(
      try failure("\"output\":\"d", "\"output\":7,\"o\":\"d")
        == "broken description of the model: graph.output: is no String")
    #expect(try failure("\"graph\":", "\"graf\":") == "broken description of the model: \"graph\" is missing")
  }

  /// A weight of two filters by five inputs, of whose first four two are left, claiming whatever is written.
  @Test func structuresThatAreNotThere() throws {
    var net = GraphBuilder(input: [5])
    net.dense(2, bias: false, name: "d")
    let values: [Float] = [1, 0, 2, 0, 3, 0, 4, 5, 0, 0]
    let mask = Tensor(values.map { UInt8($0 == 0 ? 0 : 1) }, [2, 5])
    let weight = try Parameter(
      .float(Tensor(values, [2, 5])), mask: mask, structure: .pattern(keep: 2, of: 4))
    let file = try NativeFormat.data(Model(graph: net.graph(), parameters: ["d": [.weight: weight]]))
    #expect(file[8] == 3)
    #expect(try NativeFormat.read(file)["d", .weight]?.structure == .pattern(keep: 2, of: 4))
    func failure(_ old: String, _ new: String) -> String {
      var parts = Parts(file)
      #expect(parts.text.contains(old), "\(parts.text)")
      parts.text = parts.text.replacing(old, with: new, maxReplacements: 1)
      return message { _ = try NativeFormat.read(parts.file) }
    }
    let claim = #"{"pattern":{"keep":2,"of":4}}"#
    #expect(
      failure(claim, #"{"pattern":{"keep":1,"of":4}}"#)
        == "layer \"d\": zeros are said to come as 1:4, but 2 of 4 weights are left where 1 may be (filter 1, input 1)")
    #expect(
      failure(claim, #"{"blocks":{"rows":2,"columns":1}}"#)
        == "layer \"d\": zeros are said to come as blocks 2x1, but 1 of 2 weights are left where all or none may be "
        + "(filter 1, input 1)")
    #expect(failure(claim, #"{"pattern":{"keep":4,"of":4}}"#) == "a pattern that keeps 4 of 4")
    #expect(failure(claim, #"{"pattern":{"keep":2,"of":9223372036854775807}}"#).hasPrefix("a pattern that keeps 2 of"))
    #expect(failure(claim, "{}") == "a structure is one pattern or one form of blocks")
    #expect(failure(claim, "7").hasPrefix("broken description of the model: parameters[0].structure: "))
    #expect(failure(#""mask":"nonzero","#, "") == "layer \"d\": zeros that come as 2:4, without a mask")
    // A weight that is not zero where two of four have to be.
    var parts = Parts(file)
    parts.data.replaceSubrange(4..<8, with: [0, 0, 0x80, 0x3F])
    #expect(
      message { _ = try NativeFormat.read(parts.file) }
        == "layer \"d\": zeros are said to come as 2:4, but 3 of 4 weights are left where 2 may be "
        + "(filter 1, input 1)")
  }

  @Test func namesAndPreprocessingOfAnotherNetwork() throws {
    var net = GraphBuilder(input: [2, 3, 1])
    net.flatten()
    net.dense(2, name: "d")
    var model = try Model(initializing: net.graph(), seed: 1)
    #expect(try NativeFormat.data(model)[8] == 1)
    model.adopt(
      try ModelSignature(
        classes: ["no", "yes"],
        preprocessing: Preprocessing(
          crop: .init(shortSide: 9, side: 8), height: 2, width: 3, channels: .grey, scale: 255, mean: [0.1],
          deviation: [0.3])))
    let file = try NativeFormat.data(model)
    #expect(file[8] == 3)
    #expect(try difference(NativeFormat.read(file), model) == nil)
    func failure(_ old: String, _ new: String) -> String {
      var parts = Parts(file)
      #expect(parts.text.contains(old), "\(parts.text)")
      parts.text = parts.text.replacing(old, with: new, maxReplacements: 1)
      return message { _ = try NativeFormat.read(parts.file) }
    }
    #expect(failure(#"["no","yes"]"#, #"["no"]"#) == "1 names of classes for 2 scores")
    #expect(failure(#"["no","yes"]"#, #"["no","no"]"#) == "two classes are called \"no\"")
    #expect(failure(#"["no","yes"]"#, #"["no",""]"#).hasPrefix("the name of class 2 has 0 bytes"))
    #expect(failure(#"["no","yes"]"#, "[1,2]").contains("classes[0]: is no String"))
    #expect(
      failure(#""size":[2,3]"#, #""size":[3,2]"#)
        == "preprocessing to images of shape [3, 2, 1] for a network that takes [2, 3, 1]")
    #expect(failure(#""size":[2,3]"#, #""size":[2]"#) == "a size is a height and a width, not [2]")
    #expect(
      failure(#""size":[2,3]"#, #""size":[-2,9223372036854775807]"#).hasPrefix("images of -2x9223372036854775807"))
    #expect(failure("grey", "bgr") == "unknown channels \"bgr\"")
    #expect(failure("hwc", "chw") == "unknown layout \"chw\"")
    #expect(failure(#""scale":255"#, #""scale":0"#) == "a scale is a number other than 0, not 0.0")
    #expect(failure(#""std":[0.3]"#, #""std":[-1]"#).hasPrefix("means are numbers and standard deviations positive"))
    #expect(failure(#""std":[0.3]"#, #""std":[]"#).hasPrefix("1 means and 0 standard deviations"))
    #expect(failure(#""short_side":9"#, #""short_side":7"#).hasPrefix("a square of 8 cannot be cut out"))
    #expect(failure(#""std":[0.3]"#, #""std":[1e400]"#) != "nothing was thrown")
  }

  @Test func scalesThatAreNoNumbers() throws {
    for bits in [Float.nan.bitPattern, Float.infinity.bitPattern, 0, Float(-1).bitPattern] {
      for index in [1, 2] {
        var parts = Parts(try NativeFormat.data(Self.small()))
        parts.data.replaceSubrange(48 + 4 * index..<52 + 4 * index, with: NativeFormat.littleEndian(bits))
        let scale = Float(bitPattern: bits)
        #expect(
          message { _ = try NativeFormat.read(parts.file) }
            == (index == 1
              ? "layer \"d\": scale \(scale) is not a positive number"
              : "layer \"d\": activation scale \(scale), zero point 9 of 8 bits is out of range"))
      }
    }
  }

  @Test func hugeOrDeepHeaders() throws {
    var parts = Parts(try NativeFormat.data(Self.small()))
    for text in [
      String(repeating: "[", count: 200_000), String(repeating: "{\"graph\":", count: 50_000), "", "\u{0}",
      "\"\\ud800\"",
    ] {
      parts.text = text
      #expect(message { _ = try NativeFormat.read(parts.file) }.hasPrefix("broken description of the model"))
    }
    parts.header = [0xFF, 0xFE, 0x7B]
    #expect(message { _ = try NativeFormat.read(parts.file) }.hasPrefix("broken description of the model"))
  }

  /// Seeded damage of every kind: the outcome is a `CompressError` or a valid model, never a crash.
  @Test(arguments: 0..<4) func damagedFiles(_ run: Int) throws {
    var random = SeededRandom(seed: UInt64(run))
    let files = [try NativeFormat.data(Self.small()), try NativeFormat.data(everythingModel())]
    var accepted = 0
    // A million in all when COMPRESS_SOAK is set.
    for _ in 0..<(ProcessInfo.processInfo.environment["COMPRESS_SOAK"] == nil ? 1000 : 250_000) {
      let file = Self.damaged(files[random.below(2)], &random)
      do {
        let model = try NativeFormat.read(file)
        accepted += 1
        _ = ModelCost(model)
        for (_, _, parameter) in model.allParameters { _ = parameter.values.firstNonFinite }
        #expect(difference(try NativeFormat.read(NativeFormat.data(model)), model) == nil)
      } catch {
        #expect(error is CompressError, "\(error)")
      }
    }
    #expect(accepted > 10)  // damage in weights is no error: the deeper checks were reached
  }

  private static func damaged(_ file: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    var parts = Parts(file)
    for _ in 0...random.below(3) {
      switch random.below(8) {
      case 0:  // any byte, and the checksum made right
        var content = Array(parts.file.dropLast(4))
        content[random.below(content.count)] = UInt8(truncatingIfNeeded: random.next())
        return Parts.sealed(content)
      case 1:  // any byte
        var bytes = parts.file
        bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
        return bytes
      case 2: return Array(parts.file.prefix(random.below(file.count)))
      case 3 where !parts.data.isEmpty: parts.data[random.below(parts.data.count)] = UInt8(random.below(256))
      case 4: parts.data = Array(parts.data.prefix(random.below(parts.data.count + 1)))
      case 5:  // a piece of the header doubled or dropped
        let start = random.below(parts.header.count + 1)
        let piece = parts.header[start..<min(start + random.below(40), parts.header.count)]
        if random.below(2) == 0 {
          parts.header.insert(contentsOf: piece, at: start)
        } else {
          parts.header.removeSubrange(piece.indices)
        }
      default: parts.text = replacingToken(parts.text, &random)
      }
    }
    return parts.file
  }

  /// One number, string or word of the JSON text in place of another.
  private static func replacingToken(_ text: String, _ random: inout SeededRandom) -> String {
    let tokens = text.matches(of: #/-?[0-9][0-9.eE+-]*|"[^"]*"|true|false|null/#).map(\.range)
    guard !tokens.isEmpty else { return text }
    let replacements = [
      "0", "1", "-1", "2", "16", "32", "255", "65536", "4294967296", "1099511627776", "9223372036854775807",
      "-9223372036854775808", "18446744073709551616", "1e400", "1e-400", "1.5", "null", "true", "[]", "{}", "[1,2]",
      "\"\"", "\"input\"", "\"d\"", "\"float32\"", "\"float16\"", "\"int8\"", "\"int32\"", "\"int64\"", "\"uint8\"",
      "\"same\"", "\"valid\"", "\"nonzero\"", "\"relu\"", "\"concat\"", "\"add\"", "\"reshape\"", "\"pool2d\"",
      "{\"pattern\":{\"keep\":1,\"of\":2}}", "{\"blocks\":{\"rows\":2,\"columns\":2}}",
    ]
    let target = tokens[random.below(tokens.count)]
    let new =
      random.below(3) == 0
      ? String(text[tokens[random.below(tokens.count)]]) : replacements[random.below(replacements.count)]
    return text.replacingCharacters(in: target, with: new)
  }
}

extension String {
  fileprivate func replacingCharacters(in range: Range<Index>, with new: String) -> String {
    var text = self
    text.replaceSubrange(range, with: new)
    return text
  }
}
