import Diagnostics
import Foundation
import Network
import TestSupport
import Tensors
import Testing

@testable import Formats

@Suite struct PyTorchTests {
  /// What PyTorch wrote is what it wrote as safetensors: every element type, views, channels last, parameters.
  @Test(arguments: ["checkpoint.pth", "checkpoint-old.pth", "checkpoint-protocol5.pth"])
  func everyTensorIsTheSame(_ name: String) throws {
    let file = try PyTorchFile(fixture(name)), expected = try SafeTensorsFile(fixture("checkpoint.safetensors"))
    // The old form has no type for 16 bits without a sign.
    let wanted = expected.entries.filter { name != "checkpoint-old.pth" || $0.name != "wide" }
    #expect(file.entries.map(\.name) == wanted.map(\.name) && wanted.count >= 17)
    for (entry, wanted) in zip(file.entries, wanted) {
      #expect(entry.type == wanted.type && entry.shape == wanted.shape, "\(entry)")
      #expect(file.floats(entry).array(Float.self) == expected.floats(wanted).array(Float.self), "\(entry.name)")
    }
  }

  /// The weights under their prefixes, not the averages; what else a training leaves behind is passed over.
  @Test func whatATrainingLeaves() throws {
    var net = GraphBuilder(input: [3])
    net.dense(2, name: "fc")
    let graph = try net.graph(), path = fixture("training.pth")
    let file = try ModelFile.weights(path)
    #expect(try difference(file.model(graph), SafeTensorsFile(fixture("training.safetensors")).model(graph)) == nil)
    #expect(
      try file.check(graph) == [
        "\"state_dict.module.\" before the names in the file is dropped",
        "passed over, as no weights of the network: \"ema.*\" (2), \"optimizer.*\" (6)",
      ])
    // The averages, when they are asked for.
    let averages = try file.model(graph, rules: NameRules(ignore: ["state_dict.*", "optimizer.*"]))
    let plain = try file.model(graph)
    #expect(
      try averages["fc", .bias]!.values.array(Float.self) == plain["fc", .bias]!.values.applying(.add, 1).array())
    #expect(message { _ = try ModelFile.read(path) }.contains("holds weights without a network"))
  }

  @Test(
    arguments: [
      (
        "module.pth", "is a pickled module, or holds one: it asks for torch.nn.modules.container.Sequential",
        "state_dict()"
      ),
      ("script.pt", "is a TorchScript program, not a checkpoint of tensors", "torch.onnx.export(torch.jit.load("),
      ("program.pt2", "is a program that torch.export saved (.pt2)", "torch.onnx.export(torch.export.load("),
    ])
  func programsAreAnswered(_ name: String, _ says: String, _ hint: String) {
    let text = message { _ = try ModelFile.read(fixture(name)) }
    #expect(text.contains(says) && text.contains("\n  hint: ") && text.contains(hint), "\(text)")
    #expect(message { _ = try ModelFile.weights(fixture(name)) }.contains(hint))
  }

  /// A view of six numbers, or what is wrong with it.
  private func view(_ shape: [Int], _ strides: [Int], offset: Int = 0, count: Int = 6) throws -> String {
    let tensor = Pickled.tensor(Pickled.storage("0", "FloatStorage", count), offset: offset, shape, strides)
    return try Pickled.failure(
      Pickled.checkpoint(
        Pickled.dictionary([("w", tensor)]), storages: [("0", count, [UInt8](repeating: 0, count: 24))]))
  }

  @Test func viewsThatLie() throws {
    #expect(try view([2, 3], [3, 1]) == "nothing was thrown")
    #expect(try view([3, 2], [1, 3]) == "nothing was thrown")
    #expect(try view([1, 2], [.max, 1], offset: 4) == "nothing was thrown")
    #expect(try view([0, 7], [1, 1], offset: 6) == "nothing was thrown")
    for strides in [[0, 1], [0, 0], [1, 1], [-3, 1], [2, 1]] {
      #expect(try view([2, 3], strides).hasPrefix("tensor \"w\": has strides \(strides) for shape [2, 3]: several"))
    }
    #expect(try view([1 << 39], [0]).contains("several of its elements are one"))
    for (shape, strides, offset) in [
      ([7], [1], 0), ([2, 3], [4, 1], 0), ([6], [1], 1), ([2], [.max], 0), ([3], [.max / 2], 0),
      ([2, 2], [.max, 1], 0),
    ] {
      #expect(try view(shape, strides, offset: offset).contains("has elements beyond its storage"), "\(shape)")
    }
    #expect(try view([], [], offset: 7).contains("begins at element 7 of a storage of 6"))
    #expect(try view([], [], offset: -1).contains("begins at element -1"))
    #expect(try view([2, -3], [3, 1]).contains("negative extent"))
    #expect(try view([1 << 62, 4], [4, 1]).contains("has more than"))
    #expect(try view([2], [1, 1]).contains("has shape [2] and 2 strides"))
    // More than the file has.
    #expect(try view([2], [1], count: 1 << 30).contains("bytes wanted"))
    #expect(try view([2], [1], count: .max).contains("has a storage of"))
    #expect(try view([2], [1], count: -1).contains("has a storage of -1 elements"))
  }

  @Test func checkpointsThatLie() throws {
    let storage = Pickled.storage("0", "FloatStorage", 1), one = Pickled.tensor(storage, [1], [1])
    let data: [(String, Int, [UInt8])] = [("0", 1, [0, 0, 128, 63])]
    func failure(_ content: [UInt8], _ storages: [(String, Int, [UInt8])]? = nil) throws -> String {
      try Pickled.failure(Pickled.checkpoint(content, storages: storages ?? data))
    }
    #expect(try failure(Pickled.dictionary([("w", one)])) == "nothing was thrown")
    #expect(try failure(one).hasPrefix("holds one tensor without a name"))
    #expect(try failure(Pickled.dictionary([]), []) == "holds no tensors")
    #expect(try failure(Pickled.dictionary([("w", one), ("w", one)])) == "tensor \"w\" is there twice")
    #expect(try failure(Pickled.dictionary([("w", one)]), []) == "tensor \"w\" is in a storage that is not there")
    #expect(try failure(Pickled.dictionary([("w", one)]), [("1", 1, [0, 0, 0, 0])]).contains("nothing refers to"))
    #expect(
      try failure(Pickled.dictionary([("w", one)]), [("0", 2, [0, 0, 0, 0])]).contains("a storage of 2 elements"))
    let other = Pickled.tensor(Pickled.storage("0", "LongStorage", 1), [1], [1])
    #expect(try failure(Pickled.dictionary([("a", one), ("b", other)])).contains("two storages called 0"))
    #expect(
      try failure(Pickled.call("os", "system", [Pickled.text("true")])).contains("it asks for os.system, and nothing"))
    #expect(
      try failure(Pickled.dictionary([("w", Pickled.tensor(Pickled.storage("0", "CharTensor", 1), [1], [1]))]))
        .contains("it asks for torch.CharTensor"))
    // Functions that are known, with what they do not take.
    for arguments in [[], [storage], [storage, Pickled.text("x"), one, one], [one, one, one, one]] {
      let call = Pickled.call("torch._utils", "_rebuild_tensor_v2", arguments)
      #expect(try failure(Pickled.dictionary([("w", call)])).contains("has no storage, place, shape and strides"))
    }
    for arguments in [[], [storage], [Pickled.text("x")]] {
      let call = Pickled.call("torch._utils", "_rebuild_parameter", arguments)
      #expect(try failure(Pickled.dictionary([("w", call)])).contains("is made of what is no tensor"))
    }
    // Kinds of tensors that are something else than their storages say.
    let flagged = Pickled.call(
      "torch._utils", "_rebuild_tensor_v2",
      [
        storage, Pickled.integer(0), Pickled.integers([1]), Pickled.integers([1]), [0x89], Array("N".utf8),
        Pickled.dictionary([("neg", [0x88])]),
      ])
    #expect(try failure(Pickled.dictionary([("w", flagged)])).contains("the negative or conjugate of its storage"))
    #expect(
      try failure(Pickled.call("torch._utils", "_rebuild_qtensor", []))
        .contains("a kind that is not read: it is made by torch._utils._rebuild_qtensor"))
    let deep = (0..<40).reduce(one) { inner, _ in Pickled.call("torch._utils", "_rebuild_parameter", [inner]) }
    #expect(try failure(Pickled.dictionary([("w", deep)])).contains("is made of what is no tensor"))
  }

  @Test func picklesThatLie() throws {
    func failure(_ text: String) throws -> String { try Pickled.failure(Pickled.checkpoint(Array(text.utf8))) }
    #expect(try failure("h\u{9}").contains("recalls value 9, which it did not remember"))
    #expect(try failure("0").contains("takes a value where there is none"))
    #expect(try failure("(N0t").contains("holds no tensors"))
    #expect(try failure("N(0t").contains("takes a value where there is none"))
    #expect(try failure("t").contains("takes values where none were begun"))
    #expect(try failure("Na").contains("adds to what holds nothing"))
    #expect(try failure("NNa").contains("adds to what holds nothing"))
    #expect(try failure("]NNs").contains("adds to what is no dictionary"))
    #expect(try failure("}(Nu").contains("a key without a value"))
    #expect(try failure("NNR").contains("calls what is no name"))
    #expect(try failure("NN").contains("ends with 2 values"))
    #expect(try failure("").contains("ends with 0 values"))
    #expect(try failure("(N").contains("ends with 1 values"))
    #expect(try failure("I1\n").contains("opcode 0x49"))
    #expect(try failure("X\u{7F}\u{7F}\u{7F}\u{7F}").contains("a text of 2139062143 bytes"))
    #expect(try failure("B\u{7F}\u{7F}\u{7F}\u{7F}").contains("bytes wanted"))
    #expect(try Pickled.failure([0x80, 9, 0x4E, 0x2E]) == "at byte 0: pickle protocol 9; up to 5 are read")
    #expect(try Pickled.failure([0x80, 2, 0x4E, 0x2E]).hasPrefix("is a pickle, but not one that torch.save wrote"))
  }

  /// Each is small, and would be large if it were believed.
  @Test func picklesThatGrow() throws {
    func failure(_ content: [UInt8]) throws -> String { try Pickled.failure(Pickled.checkpoint(content)) }
    #expect(try failure([UInt8](repeating: UInt8(ascii: "("), count: 1 << 20)).contains("begins more than 65536 lists"))
    #expect(try failure([UInt8](repeating: UInt8(ascii: "N"), count: 1 << 20)).contains("more than 65536 values wait"))
    #expect(
      try failure([[UInt8]](repeating: Array("]0".utf8), count: (1 << 20) + 1).flatMap { $0 }).contains(
        "more than 1048576 objects"))
    // Lists of lists of lists, each twice in the next: 2^30 of them, were they counted by their places.
    var doubled = Array("]q\u{0}0".utf8)
    for level in 1...30 as ClosedRange<UInt8> {
      doubled += Array("](h".utf8) + [level - 1] + Array("h".utf8) + [level - 1] + Array("eq".utf8) + [level]
      doubled += Array("0".utf8)
    }
    #expect(try failure(doubled + Array("h\u{1E}".utf8)) == "holds no tensors")
    // Into each other, deeper than any stack: nothing follows them.
    #expect(
      try failure(
        [UInt8](repeating: UInt8(ascii: "]"), count: 60_000) + [UInt8](repeating: UInt8(ascii: "a"), count: 59_999)
      )
      .contains("nested more than 32 deep"))
    // A list that holds itself.
    #expect(try failure(Array("]q\u{0}h\u{0}a".utf8)) == "holds no tensors")
    // A name of 4,000 bytes before each of many.
    let long = Pickled.dictionary([(String(repeating: "n", count: 5000), Pickled.dictionary([("a", Array("]".utf8))]))])
    #expect(try failure(long).contains("names of more than 4096 bytes"))
  }

  @Test func archivesThatLie() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: fixture("checkpoint.pth")))
    func changed(_ old: String, _ new: String) throws -> String {
      var bytes = whole
      while let range = bytes.firstRange(of: Data(old.utf8)) { bytes.replaceSubrange(range, with: Data(new.utf8)) }
      return try Pickled.failure(Array(bytes))
    }
    #expect(try changed("data.pkl", "data.txt").contains("is an archive without a data.pkl"))
    #expect(try changed("checkpoint/data/3", "checkpoint/dato/3").contains("\"checkpoint/data/3\" is missing"))
    #expect(try changed("checkpoint/data/3", "checkpoint/data/2").contains("has two files of one name"))
    #expect(try changed("little", "bottom").contains("byte order \"bottom\""))
    // A byte of a tensor: the checksum of its storage is another.
    var damaged = Array(whole)
    let place = try #require(whole.firstRange(of: Data("checkpoint/data/1".utf8)))
    damaged[place.upperBound + 100] ^= 1
    #expect(try Pickled.failure(damaged).contains("with checksum"))
  }

  /// Whatever becomes of a file, reading it ends in tensors or a `CompressError`.
  @Test(arguments: ["checkpoint.pth", "checkpoint-old.pth", "training.pth"]) func damagedFiles(_ name: String) throws {
    let whole = try [UInt8](Data(contentsOf: URL(fileURLWithPath: fixture(name))))
    var random = SeededRandom(seed: 23)
    try withTemporaryFile("x.pth") { path in
      func read(_ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        do {
          let file = try PyTorchFile(path)
          for entry in file.entries { #expect(file.floats(entry).shape == entry.shape) }
        } catch is CompressError {}
      }
      for count in stride(from: 0, to: whole.count, by: 7) {
        try Data(whole[..<count]).write(to: URL(fileURLWithPath: path))
        #expect(throws: CompressError.self) { try PyTorchFile(path) }
      }
      // A million when COMPRESS_SOAK is set.
      for round in 0..<(ProcessInfo.processInfo.environment["COMPRESS_SOAK"] == nil ? 1500 : 1_000_000) {
        var broken = whole
        for _ in 0...random.below(4) {
          let position = random.below(round % 4 == 0 ? broken.count : min(broken.count, 2000))
          switch random.below(4) {
          case 0: broken[position] ^= 1 << UInt8(random.below(8))
          case 1: broken[position] = Array("(.012Nbqhjrtu}])aesRQXKMJ".utf8)[random.below(25)]
          case 2: broken.remove(at: position)
          default: broken.insert(UInt8(random.below(256)), at: position)
          }
        }
        try read(broken)
      }
    }
  }
}
