import Diagnostics
import Foundation
import Network
import Tensors
import Testing

@Suite struct ModelSignatureTests {
  private func graph() throws -> Graph {
    var net = GraphBuilder(input: [4, 6, 3])
    net.conv2d(filters: 4, kernel: 3, padding: .same, bias: false, name: "conv")
    net.batchNorm(name: "norm")
    net.activation(.relu, name: "relu")
    net.flatten(name: "flat")
    net.dense(3, name: "head")
    return try net.graph()
  }

  private func preprocessing(height: Int = 4) throws -> Preprocessing {
    try Preprocessing(
      crop: Preprocessing.Crop(shortSide: 8, side: 6), height: height, width: 6, channels: .rgb,
      mean: [0.5, 0.25, 0], deviation: [1, 2, 4])
  }

  private func signature() throws -> ModelSignature {
    try ModelSignature(classes: ["cat", "dog", "\u{1F642}"], preprocessing: preprocessing())
  }

  private func failure(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "nothing was thrown"
    } catch { return "\((error as? CompressError)?.message ?? "\(error)")" }
  }

  @Test func itStaysWithTheNetwork() throws {
    var model = try Model(initializing: graph(), seed: 1)
    #expect(model.signature == .unknown)
    model.adopt(try signature())
    #expect(try model.signature == signature())
    let factors = WeightFactors(first: Tensor(zeros: [1, 96]), second: Tensor(zeros: [3, 1]))
    var kept = ["conv", "norm", "relu"].reduce(into: [:]) { $0[$1] = [0, 2] }
    kept["flat"] = (0..<96).filter { $0 % 2 == 0 }
    for changed in [
      try model.decoded(), try model.foldingBatchNorm(), try model.keepingChannels(kept),
      try model.factorizing(["head": factors]), try model.replacing(model.graph),
    ] {
      #expect(try changed.signature == signature())
    }
    // Another output has other classes, and the input is the same.
    #expect(try model.upTo(["relu"]).signature == ModelSignature(classes: nil, preprocessing: preprocessing()))
  }

  @Test func whatIsOfAnotherNetworkIsRefusedOrLeftOut() throws {
    let network = try graph(), two = try ModelSignature(classes: ["a", "b"], preprocessing: nil)
    #expect(failure { try two.check(network) } == "2 names of classes for 3 scores")
    let other = try ModelSignature(classes: ["a", "b", "c"], preprocessing: preprocessing(height: 5))
    #expect(
      failure { try other.check(network) }
        == "preprocessing to images of shape [5, 6, 3] for a network that takes [4, 6, 3]")
    #expect(two.fitting(network) == .unknown)
    #expect(try other.fitting(network) == ModelSignature(classes: ["a", "b", "c"], preprocessing: nil))
    let parameters = try Model(initializing: network, seed: 1).parametersByLayer
    #expect(failure { _ = try Model(graph: network, parameters: parameters, signature: two) }.contains("2 names"))
    #expect(try two.over(signature()) == ModelSignature(classes: ["a", "b"], preprocessing: preprocessing()))
  }

  @Test func namesAndNumbersAreChecked() throws {
    func names(_ classes: [String]) -> String {
      failure { _ = try ModelSignature(classes: classes, preprocessing: nil) }
    }
    #expect(names(["a", ""]) == "the name of class 2 has 0 bytes; it may have 1 to 512")
    #expect(names([String(repeating: "x", count: 513)]).contains("513 bytes"))
    #expect(names(["a", "b", "a"]) == "two classes are called \"a\"")
    #expect(names((0..<3000).map { String(repeating: "x", count: 400) + "\($0)" }).contains("at most 1048576"))
    for (text, make) in [
      ("0x6 pixels", { try Preprocessing(height: 0, width: 6, channels: .grey) }),
      ("other than 0", { try Preprocessing(height: 1, width: 1, channels: .grey, scale: 0) }),
      ("other than 0, not nan", { try Preprocessing(height: 1, width: 1, channels: .grey, scale: .nan) }),
      ("2 means and 2", { try Preprocessing(height: 1, width: 1, channels: .rgb, mean: [0, 0], deviation: [1, 1]) }),
      ("1 means and 3", { try Preprocessing(height: 1, width: 1, channels: .rgb, mean: [0], deviation: [1, 1, 1]) }),
      ("positive", { try Preprocessing(height: 1, width: 1, channels: .grey, deviation: [0]) }),
      ("positive", { try Preprocessing(height: 1, width: 1, channels: .grey, mean: [.infinity]) }),
      (
        "a square of 9 cannot",
        {
          try Preprocessing(crop: .init(shortSide: 8, side: 9), height: 1, width: 1, channels: .grey)
        }
      ),
    ] as [(String, () throws -> Preprocessing)] {
      #expect(failure { _ = try make() }.contains(text), "\(text)")
    }
  }

  @Test func theWrittenForm() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    for (value, text) in [
      (
        try Preprocessing(height: 28, width: 28, channels: .grey),
        #"{"channels":"grey","layout":"hwc","size":[28,28]}"#
      ),
      (
        try preprocessing(),
        #"{"channels":"rgb","crop":{"short_side":8,"size":6},"layout":"hwc","mean":[0.5,0.25,0],"size":[4,6],"#
          + #""std":[1,2,4]}"#
      ),
    ] {
      #expect(String(decoding: try encoder.encode(value), as: UTF8.self) == text)
      #expect(try JSONDecoder().decode(Preprocessing.self, from: Data(text.utf8)) == value)
      #expect(throws: (any Error).self) {
        try JSONDecoder().decode(Preprocessing.self, from: Data(text.replacingOccurrences(of: "hwc", with: "chw").utf8))
      }
    }
  }
}
