import Files
import Foundation
import Testing

/// Files of at most 2 MB that claim as much as their format lets them: reading one costs memory and time as for a file
/// of its size, in a process of its own that is looked at from outside.
@Suite struct GreatClaimsTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private static let mostMemory = 300 << 20
  private static let mostSeconds = 5.0

  private struct Cost {
    let status: Int32
    let peakBytes: Int
    let seconds: Double
    let output: String
  }

  /// Runs the program to its end, looking at its memory again and again.
  private func cost(_ arguments: [String]) throws -> Cost {
    let log = "\(folder.path)/log-\(UUID().uuidString)"
    let words = ([program] + arguments).map { strdup($0) } + [nil]
    let variables = ProcessInfo.processInfo.environment.merging([
      "XDG_CACHE_HOME": folder.path + "/cache", "XDG_DATA_HOME": folder.path + "/data",
      "COMPRESS_PLUGINS": sourceRoot + "/plugins",
    ]) { $1 }
    let environment = variables.map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in words + environment { free(text) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var id: pid_t = 0
    try #require(posix_spawn(&id, program, &actions, nil, words, environment) == 0)
    // The high-water mark of the process's own memory; what the system counts at its end includes this one's.
    var status: Int32 = 0, usage = rusage(), peak = 0
    while wait4(id, &status, WNOHANG, &usage) == 0 {
      if let bytes = residentPeak(ofProgram: id) { peak = bytes }
      usleep(1000)
    }
    #expect(peak > 0, "it was seen at work")
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return Cost(
      status: status, peakBytes: peak, seconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
      output: (try? String(contentsOfFile: log, encoding: .utf8)) ?? "")
  }

  private func file(_ name: String, _ bytes: [UInt8]) throws {
    #expect(bytes.count <= 2 << 20, "\(name) is a small file")
    let path = "\(folder.path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: Folders.parent(of: path), withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  /// An error of the program's own, within the bounds, that says so.
  private func expectRefusal(_ arguments: [String], _ says: String, _ name: String) throws {
    let found = try cost(arguments)
    let status = found.status & 0x7F == 0 ? found.status >> 8 : 256 + found.status & 0x7F
    #expect(status == 2 || status == 4, "\(name): \(found.output)")
    #expect(found.output.contains(says), "\(name): \(found.output)")
    #expect(found.peakBytes < Self.mostMemory, "\(name)")
    #expect(found.seconds < Self.mostSeconds, "\(name)")
  }

  private func script(_ name: String, _ text: String) throws -> [String] {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder.path)/\(name)"))
    return ["run", "\(folder.path)/\(name)", "--threads", "1", "--data", folder.path]
  }

  private func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private func checksum(_ bytes: [UInt8]) -> Int {
    var crc = Crc32()
    bytes.withUnsafeBytes { crc.add($0) }
    return Int(crc.value)
  }

  /// Zeros behind a beginning, as a gzip file.
  private func bomb(_ beginning: [UInt8], zeros: Int) throws -> [UInt8] {
    try (beginning + [UInt8](repeating: 0, count: zeros)).withUnsafeBytes { try Gzip.deflate($0, level: 9) }
  }

  private func npyHeader(_ type: String, _ shape: String) -> [UInt8] {
    let header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(shape)), }\n"
    var bytes: [UInt8] = [0x93]
    bytes += "NUMPY".utf8
    return bytes + [1, 0] + little(header.utf8.count, 2) + header.utf8
  }

  /// Each entry: a name, its packed bytes, what they unpack to and the checksum of that.
  private func archive(
    _ entries: [(name: String, packed: [UInt8], size: Int, crc: Int)], sharing: Bool = false
  ) -> [UInt8] {
    var out: [UInt8] = [], directory: [UInt8] = []
    for entry in entries {
      let fields = little(20, 2) + little(0, 2) + little(8, 2) + little(0, 4) + little(entry.crc, 4)
      let common = fields + little(entry.packed.count, 4) + little(entry.size, 4) + little(entry.name.utf8.count, 2)
      directory += little(0x0201_4B50, 4) + little(20, 2) + common + little(0, 12)
      directory += little(sharing ? 0 : out.count, 4) + Array(entry.name.utf8)
      guard !sharing || out.isEmpty else { continue }
      out += little(0x0403_4B50, 4) + common + little(0, 2) + entry.name.utf8 + entry.packed
    }
    let end = little(0x0605_4B50, 4) + little(0, 4) + little(entries.count, 2) + little(entries.count, 2)
    return out + directory + end + little(directory.count, 4) + little(out.count, 4) + little(0, 2)
  }

  @Test func archivesOfArrays() throws {
    let count = 400 << 20
    func entry(_ name: String, _ header: [UInt8]) throws -> (name: String, packed: [UInt8], size: Int, crc: Int) {
      let whole = try bomb(header, zeros: count)
      // Without gzip's header and trailer; the trailer has the checksum.
      let crc = whole.suffix(8).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
      return (name + ".npy", Array(whole.dropFirst(10).dropLast(8)), header.count + count, crc)
    }
    let images = try entry("x", npyHeader("|u1", "\(1 << 20), 400"))
    let labels = try entry("y", npyHeader("|u1", "\(count)"))
    let wide = try entry("w", npyHeader("|u1", "1, \(count)"))
    try file("bomb.npz", archive([images, labels, wide]))
    for (member, says) in [("x", "more than 100 times as many"), ("y", "samples"), ("w", "elements")] {
      let arguments = try script(
        "\(member).lua", "data.numpy(\"bomb.npz\", { images = \"\(member)\", labels = \"y\" })")
      try expectRefusal(arguments, says, member)
    }
    let small = try bomb([], zeros: 1000), packed = Array(small.dropFirst(10).dropLast(8))
    try file("shared.npz", archive((0..<1000).map { ("\($0).npy", packed, 1000, 0) }, sharing: true))
    let arguments = try script("shared.lua", "data.numpy(\"shared.npz\", { images = \"1\", labels = \"2\" })")
    try expectRefusal(arguments, "overlap", "shared")
  }

  @Test func gzippedData() throws {
    func header(_ dims: [Int]) -> [UInt8] {
      [0, 0, 8, UInt8(dims.count)] + dims.flatMap { little($0, 4).reversed() }
    }
    let count = 400 << 20
    try file("images.gz", bomb(header([1 << 20, 20, 20]), zeros: count))
    try file("many.gz", bomb(header([count]), zeros: count))
    try file("labels.gz", bomb(header([1 << 20]), zeros: 1 << 20))
    try expectRefusal(
      script("idx.lua", "data.idx(\"images.gz\", \"labels.gz\"):batch(1, 1)"), "times as many", "images")
    try expectRefusal(script("many.lua", "data.idx(\"many.gz\", \"many.gz\")"), "samples", "labels")
  }

  @Test func images() throws {
    // An even grey surface of 8192 x 8192 pixels.
    let side = 8192, raw = try bomb([], zeros: side * (side + 1))
    func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
      let body = Array(name.utf8) + content
      return little(content.count, 4).reversed() + body + little(checksum(body), 4).reversed()
    }
    // Adler-32 of so many zeros: the first sum stays 1, the second counts.
    let adler = (side * (side + 1) % 65521) << 16 | 1
    let stream = [0x78, 0x9C] + raw.dropFirst(10).dropLast(8) + little(adler, 4).reversed()
    let size: [UInt8] = little(side, 4).reversed() + little(side, 4).reversed() + [8, 0, 0, 0, 0]
    let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunk("IHDR", size) + chunk("IDAT", stream)
    try file("pictures/a/1.png", png + chunk("IEND", []))
    let arguments = try script(
      "png.lua",
      "data.images(\"pictures\", { size = 32 }):batch(1, 1)")
    try expectRefusal(arguments, "of so small a file", "picture")
  }

  @Test func modelFiles() throws {
    func native(_ header: String) -> [UInt8] {
      var bytes: [UInt8] = [0x89] + Array("CMPR\r\n".utf8) + [0x1A]
      bytes += little(2, 4) + little(header.utf8.count, 4)
      let padding = (16 - (24 + header.utf8.count) % 16) % 16
      bytes += little(24 + header.utf8.count + padding + 4, 8) + Array(header.utf8)
      bytes += [UInt8](repeating: 0, count: padding)
      return bytes + little(checksum(bytes), 4)
    }
    let million = 1_000_000
    try file("deep.cmpr", native(String(repeating: "[", count: million)))
    try file("wide.cmpr", native("{\"graph\":[" + String(repeating: "0,", count: million - 20) + "0]}"))
    try file("empty.cmpr", native("{\"graph\":[" + String(repeating: "{},", count: 600_000) + "{}]}"))
    for name in ["deep.cmpr", "wide.cmpr", "empty.cmpr"] {
      try expectRefusal(["inspect", "\(folder.path)/\(name)"], name, name)
    }
  }

  @Test func checkpointsAndModelsOfKeras() throws {
    func repeated(_ text: String, _ count: Int) -> [UInt8] {
      [[UInt8]](repeating: Array(text.utf8), count: count).flatMap { $0 }
    }
    // Objects that nothing needs, values that wait, and one that is remembered everywhere.
    try file("objects.pth", [0x80, 2] + repeated("]0", 1_000_000))
    try expectRefusal(["inspect", "\(folder.path)/objects.pth"], "bytes wanted, 0 left", "objects")
    try file("waiting.pth", [0x80, 2] + repeated("N", 2_000_000))
    try expectRefusal(["inspect", "\(folder.path)/waiting.pth"], "values wait", "waiting")
    try file("remembered.pth", [0x80, 4, 0x4E] + [UInt8](repeating: 0x94, count: 2_000_000))
    try expectRefusal(["inspect", "\(folder.path)/remembered.pth"], "bytes wanted, 0 left", "remembered")
    // 60 MB of configuration.
    let text = Array("{\"a\":[0".utf8) + repeated(",0", 30_000_000)
    let whole = try text.withUnsafeBytes { try Gzip.deflate($0, level: 9) }
    let entry = ("config.json", Array(whole.dropFirst(10).dropLast(8)), text.count, checksum(text))
    try file("wide.keras", archive([entry]))
    try expectRefusal(["inspect", "\(folder.path)/wide.keras"], "JSON of more than 1048576 values", "wide")
  }

  @Test func headersOfWeights() throws {
    func weights(_ header: String) -> [UInt8] { little(header.utf8.count, 8) + header.utf8 }
    func tensors(_ count: Int) -> String {
      let entry = #":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}"#
      return "{" + (0..<count).map { "\"\($0)\"" + entry }.joined(separator: ",") + "}"
    }
    try file("many.safetensors", weights(tensors(30_000)))
    let many = try cost(["inspect", "\(folder.path)/many.safetensors"])
    #expect(many.status == 0 && many.peakBytes < Self.mostMemory && many.seconds < Self.mostSeconds)
    try file("deep.safetensors", weights("{\"a\":{\"x\":" + String(repeating: "[", count: 1_000_000)))
    try expectRefusal(["inspect", "\(folder.path)/deep.safetensors"], "nested too deep", "deep")
    // Not small, but the largest header there is.
    let path = "\(folder.path)/large.safetensors"
    try Data(weights(tensors(1_700_000))).write(to: URL(fileURLWithPath: path))
    try expectRefusal(["inspect", path], "more than 131072 tensors", "large")
    try Data(weights("{\"__metadata__\":{\"a\":\"" + String(repeating: "x", count: 97_000_000) + "\"}}")).write(
      to: URL(fileURLWithPath: path))
    try expectRefusal(["inspect", path], "bytes in its header", "large text")
  }
}
