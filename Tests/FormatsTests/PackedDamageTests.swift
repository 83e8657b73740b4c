import CPacked
import Diagnostics
import Files
import Foundation
import Network
import Tensors
import Testing

@testable import Formats

/// A packed file taken apart, to be changed and put together again with right sizes and checksums.
struct PackedParts {
  var version = UInt8(CP_VERSION)
  var text: [UInt8]
  /// In place of the coded text.
  var coded: [UInt8]?
  var textSize: Int?
  var streams: [(coding: UInt8, elements: Int, bytes: [UInt8])]

  init(_ file: [UInt8]) {
    var head = cp_head()
    precondition(cp_open(file, file.count, &head) == Int32(cp_ok))
    text = [UInt8](repeating: 0, count: Int(head.text_size))
    var list = [cp_stream](repeating: cp_stream(), count: Int(head.streams))
    cp_list_streams(file, &head, &list)
    streams = list.map {
      (UInt8($0.coding), Int($0.elements), Array(file[Int($0.offset)..<Int($0.offset + $0.size)]))
    }
    let coded = Array(file[Int(head.text_offset)..<Int(head.text_offset + head.text_coded)])
    let count = text.count
    PackedFormat.withWorkspace(cp_text_workspace(count)) { cp_text_decode(&text, count, $0, coded, coded.count) }
  }

  private static func number(_ number: Int) -> [UInt8] {
    number < 0x80 ? [UInt8(number)] : [UInt8(number & 0x7F) | 0x80] + Self.number(number >> 7)
  }

  var file: [UInt8] {
    var description = [UInt8](repeating: 0, count: 2 * text.count + 256)
    let count = PackedFormat.withWorkspace(cp_text_workspace(text.count)) {
      cp_text_encode(text, text.count, $0, &description, description.count)
    }
    description = coded ?? Array(description.prefix(count))
    var head: [UInt8] = [0x89, 0x43, 0x4D, 0x5A, version]
    head += Self.number(textSize ?? text.count) + Self.number(description.count) + Self.number(streams.count)
    for stream in streams { head += [stream.coding] + Self.number(stream.elements) + Self.number(stream.bytes.count) }
    return ([head, description] + streams.map(\.bytes)).flatMap(Parts.sealed)
  }
}

@Suite struct PackedDamageTests {
  private static func small() throws -> Model {
    var net = GraphBuilder(input: [3])
    net.dense(2, name: "d")
    let weight = try Parameter(
      .integer(IntegerValues(values: Tensor([1, 0, -3, 4, 5, 6] as [Int8], [2, 3]), scales: [1, 0.5], bits: 8)),
      mask: Tensor([1, 1, 0, 1, 1, 1] as [UInt8], [2, 3]))
    var model = try Model(
      graph: net.graph(), parameters: ["d": [.weight: weight, .bias: Parameter(Tensor([1, 2] as [Float]))]])
    try model.setActivation(ActivationQuantization(scale: 0.5, zeroPoint: 9), of: "d")
    return model
  }

  private func failure(_ change: (inout PackedParts) throws -> Void) throws -> String {
    var parts = PackedParts(try PackedFormat.data(Self.small()))
    try change(&parts)
    return message { _ = try PackedFormat.read(parts.file) }
  }

  @Test func partsMakeTheFile() throws {
    let file = try PackedFormat.data(everythingModel())
    #expect(PackedParts(file).file == file)
    #expect(try failure { _ in } == "nothing was thrown")
  }

  @Test func truncatedFiles() throws {
    let file = try PackedFormat.data(Self.small())
    for count in 0..<file.count {
      let text = message { _ = try PackedFormat.read(Array(file[..<count])) }
      #expect(text == (count < 4 ? "is no packed model file" : "is truncated: \(count) bytes"))
    }
    #expect(
      message { _ = try PackedFormat.read(file + [0]) } == "has bytes after its end, of \(file.count + 1)")
  }

  @Test func everyFlippedBitIsNoticed() throws {
    let file = try PackedFormat.data(everythingModel())
    for position in file.indices {
      var broken = file
      broken[position] ^= 1 << UInt8(position % 8)
      #expect(throws: CompressError.self) { try PackedFormat.read(broken) }
    }
    var broken = file
    broken[file.count - 9] ^= 1
    #expect(message { _ = try PackedFormat.read(broken) } == "is damaged: the checksum of stream 1 of 1 is another")
    try withTemporaryFile("model.cmpz") { path in
      try Data(broken).write(to: URL(fileURLWithPath: path))
      #expect(message { _ = try ModelFile.read(path) }.hasPrefix("\(path): is damaged: "))
    }
  }

  @Test func claims() throws {
    #expect(try failure { $0.version = 2 } == "has format version 2; this program reads version 1")
    #expect(try failure { $0.streams[0].elements += 1 } == "holds 18 numbers; its description has 17")
    #expect(try failure { $0.streams[0].coding = 9 } == "has a stream in a coding that is not known")
    #expect(try failure { $0.streams[0].coding = UInt8(cp_rans) } == "stream 1 of 1 cannot be 17 numbers")
    for elements in [1 << 40, 1 << 48, (1 << 49) - 1] {
      #expect(try failure { $0.streams[0].elements = elements }.hasPrefix("claims more than a file of"))
    }
    #expect(try failure { $0.textSize = 1 << 20 }.hasPrefix("claims more than a file of"))
    #expect(try failure { $0.textSize = 1 << 30 }.hasPrefix("claims more than a file of"))
    #expect(
      try failure { parts in
        for _ in 0..<20 { parts.streams.append((UInt8(cp_mixed), 0, [0])) }
      }.hasPrefix("claims more than a file of"))
    // Streams of nothing are streams, too.
    #expect(
      try failure { parts in parts.streams.insert((UInt8(cp_mixed), 0, [0]), at: 0) } == "nothing was thrown")
  }

  @Test func descriptionsThatDoNotFit() throws {
    func failure(_ old: String, _ new: String) throws -> String {
      try self.failure { parts in
        let text = String(decoding: parts.text, as: UTF8.self)
        #expect(text.contains(old), "\(text)")
        parts.text = Array(text.replacing(old, with: new, maxReplacements: 1).utf8)
      }
    }
    #expect(try failure(#""scales":"each""#, #""scales":"one""#) == "holds 17 numbers; its description has 16")
    #expect(
      // What follows it is read otherwise then, too: which of the checks finds it first is not said.
      try failure(#""type":"float32""#, #""type":"int8""#).hasPrefix("layer \"d\": "))
    #expect(try failure(#""type":"int8""#, #""type":"int5""#) == "layer \"d\": weight of type \"int5\"")
    #expect(try failure(#""type":"int8""#, #""bits":3,"type":"int8""#).hasPrefix("layer \"d\": integer 4 is outside"))
    #expect(
      try failure(#""type":"int8""#, #""type":"int8","zero_points":[1,2,3]"#)
        == "layer \"d\": 3 zero points for shape [2, 3]")
    #expect(
      try failure(#""scales":"each","type":"int8""#, #""scales":"derived","type":"int8""#)
        == "holds 17 numbers; its description has 15")
    #expect(
      try failure(#""type":"float32""#, #""scales":"derived","type":"int32""#).hasPrefix("layer \"d\": "))
    #expect(try failure(#"{"type":"float32"}"#, #"{"table":900,"type":"codes"}"#).hasPrefix("layer \"d\": codes with"))
    for steps in [#"{"steps":900,"type":"codes"}"#, #"{"steps":3,"table":3,"type":"codes"}"#] {
      #expect(try failure(#"{"type":"float32"}"#, steps).hasPrefix("layer \"d\": codes with"))
    }
    #expect(try failure(#",{"type":"float32"}"#, "") == "describes 1 parameters of a graph with 2")
    #expect(
      try failure(#""activations":[null,9]"#, #""activations":[9]"#)
        == "describes zero points of 1 values in a graph with 2")
    #expect(
      try failure(#""activations":[null,9]"#, #""activation_bits":[],"activations":[null,9]"#)
        == "0 numbers of bits for more quantized values")
    #expect(
      try failure(#""activations":[null,9]"#, #""activation_bits":[8,8],"activations":[null,9]"#)
        == "2 numbers of bits for 1 quantized values")
    #expect(
      try failure(#""activations":[null,9]"#, #""activations":[null,256]"#)
        == "layer \"d\": activation scale 0.5, zero point 256 of 8 bits is out of range")
    #expect(
      try failure(#""activations":[null,9]"#, #""activations":[null,null],"levels":[null,1]"#)
        == "layer \"d\": 1 levels")
    #expect(try failure("{", "[").hasPrefix("broken description of the model: "))
    #expect(try failure(#""graph":"#, #""graf":"#).hasPrefix("broken description of the model: "))
  }

  /// Seeded damage of every kind: the outcome is a `CompressError` or a valid model, never a crash.
  @Test(arguments: 0..<4) func damagedFiles(_ run: Int) throws {
    var random = SeededRandom(seed: UInt64(run))
    var files = [try PackedFormat.data(Self.small()), try PackedFormat.data(everythingModel())]
    files.append(try PackedFormat.data(Self.wide(), PackedFormat.Options(isFast: true)))
    var accepted = 0
    // A hundred thousand in all when COMPRESS_SOAK is set; Tests/soak/packed.sh has a million for the coder itself.
    for _ in 0..<(ProcessInfo.processInfo.environment["COMPRESS_SOAK"] == nil ? 500 : 25_000) {
      let file = Self.damaged(files[random.below(20) == 0 ? 2 : random.below(2)], &random)
      do {
        let model = try PackedFormat.read(file)
        accepted += 1
        for (_, _, parameter) in model.allParameters { _ = parameter.values.firstNonFinite }
        #expect(difference(try PackedFormat.read(PackedFormat.data(model)), model) == nil)
      } catch {
        #expect(error is CompressError, "\(error)")
      }
    }
    #expect(accepted > 10)  // damage in weights is no error: the deeper checks were reached
  }

  /// Sizes of streams whose sum is small again, for it wraps around at 2^64: nothing outside the file is read.
  @Test func sumsOfSizesDoNotWrapAround() throws {
    let count = 32_769, largest = (1 << 49) - 1
    func number(_ number: Int) -> [UInt8] { Self.number(number) }
    let text = try PackedParts(PackedFormat.data(Self.small())).file
    var head = cp_head()
    #expect(cp_open(text, text.count, &head) == Int32(cp_ok))
    let coded = Array(text[Int(head.text_offset)..<Int(head.text_offset + head.text_coded)])
    // 32,768 times 2^49 - 1, and 32,768, are 2^64.
    for (sizes, elements) in [
      ([Int](repeating: largest, count: count - 1) + [32_768], [Int](repeating: 64, count: count)),
      ([Int](repeating: 0, count: count), [Int](repeating: largest, count: count - 1) + [32_768]),
    ] {
      var entries = Array(text.prefix(5)) + number(Int(head.text_size)) + number(coded.count) + number(count)
      for index in 0..<count { entries += [0] + number(elements[index]) + number(sizes[index]) }
      let file =
        Parts.sealed(entries) + Parts.sealed(coded) + (0..<count).flatMap { _ in Parts.sealed([]) }
      #expect(throws: CompressError.self) { try PackedFormat.read(file) }
    }
  }

  private static func number(_ number: Int) -> [UInt8] {
    number < 0x80 ? [UInt8(number)] : [UInt8(number & 0x7F) | 0x80] + Self.number(number >> 7)
  }

  /// Large enough for a stream of static rANS.
  private static func wide() throws -> Model {
    var net = GraphBuilder(input: [220])
    net.dense(160, bias: false, name: "d")
    let values = (0..<160 * 220).map { (index: Int) -> Int8 in index % 7 == 0 ? Int8(index % 11) : 0 }
    let weight = try IntegerValues(values: Tensor(values, [160, 220]), scales: [1], bits: 8)
    return try Model(graph: net.graph(), parameters: ["d": [.weight: Parameter(.integer(weight))]])
  }

  @Test func fastFilesHaveStaticStreams() throws {
    let parts = PackedParts(try PackedFormat.data(Self.wide(), PackedFormat.Options(isFast: true)))
    #expect(parts.streams.contains { $0.coding == UInt8(cp_rans) })
  }

  private static func damaged(_ file: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    switch random.below(12) {
    case 0:
      var bytes = file
      bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
      return bytes
    case 1: return Array(file.prefix(random.below(file.count)))
    default: break
    }
    var parts = PackedParts(file)
    for _ in 0...random.below(3) {
      let index = parts.streams.isEmpty ? 0 : random.below(parts.streams.count)
      switch random.below(8) {
      case 0 where !parts.streams.isEmpty:
        parts.streams[index].elements = max(0, parts.streams[index].elements + random.below(5) - 2)
      case 1 where !parts.streams.isEmpty: parts.streams[index].coding = UInt8(random.below(6))
      case 2 where !parts.streams.isEmpty:
        parts.streams[index].bytes.removeLast(min(parts.streams[index].bytes.count, 3))
      case 3 where !parts.streams.isEmpty: parts.streams.remove(at: index)
      case 4 where !parts.streams.isEmpty:
        // One stream in two.
        let stream = parts.streams[index], part = random.below(stream.elements + 1)
        parts.streams[index].elements = part
        parts.streams.insert((stream.coding, stream.elements - part, stream.bytes), at: index)
      case 5:
        let start = random.below(parts.text.count + 1)
        let piece = parts.text[start..<min(start + random.below(40), parts.text.count)]
        if random.below(2) == 0 {
          parts.text.insert(contentsOf: piece, at: start)
        } else {
          parts.text.removeSubrange(piece.indices)
        }
      case 6 where !parts.text.isEmpty: parts.text[random.below(parts.text.count)] = UInt8(random.below(128))
      default:
        guard !parts.streams.isEmpty, !parts.streams[index].bytes.isEmpty else { continue }
        let place = random.below(parts.streams[index].bytes.count)
        parts.streams[index].bytes[place] = UInt8(random.below(256))
      }
    }
    return parts.file
  }
}
