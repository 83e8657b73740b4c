import Diagnostics
import Foundation
import Network
import Tensors
import Testing

@Suite struct SparsityStructureTests {
  /// Two filters of six inputs.
  private func parameter(_ values: [Float], _ structure: SparsityStructure? = nil) throws -> Parameter {
    let mask = Tensor(values.map { UInt8($0 == 0 ? 0 : 1) }, [2, 6])
    return try Parameter(.float(Tensor(values, [2, 6])), mask: mask, structure: structure)
  }

  private let paired: [Float] = [1, 0, 2, 0, 3, 0, 0, 4, 0, 5, 0, 6]
  private let blocked: [Float] = [1, 2, 0, 0, 5, 6, 1, 2, 0, 0, 5, 6]

  private func failure(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "nothing was thrown"
    } catch { return "\((error as? CompressError)?.message ?? "\(error)")" }
  }

  @Test func zerosThatDoNotComeInTheStructureAreRefused() throws {
    #expect(try parameter(paired, .pattern(keep: 2, of: 4)).structure == .pattern(keep: 2, of: 4))
    #expect(try parameter(blocked, .blocks(rows: 2, columns: 2)).structure == .blocks(rows: 2, columns: 2))
    // The last run is shorter, and keeps the same share, rounded up: one of two.
    let shorter: [Float] = [1, 0, 2, 0, 0, 0, 0, 4, 0, 5, 7, 6]
    #expect(
      failure { _ = try parameter(shorter, .pattern(keep: 2, of: 4)) }
        == "zeros are said to come as 2:4, but 2 of 2 weights are left where 1 may be (filter 2, input 5)")
    #expect(
      failure { _ = try parameter(paired, .blocks(rows: 1, columns: 4)) }
        == "zeros are said to come as blocks 1x4, but 2 of 4 weights are left where all or none may be "
        + "(filter 1, input 1)")
    // What the mask lets grow is left, though it is zero now; so is what is not zero though the mask removes it.
    let ones = Tensor([UInt8](repeating: 1, count: 12), [2, 6]), none = Tensor(zeros: [2, 6], dtype: .uint8)
    let zeros = Encoding.float(Tensor(zeros: [2, 6])), full = Encoding.float(Tensor(repeating: 1, [2, 6]))
    for (encoding, mask) in [(zeros, ones), (full, none)] {
      #expect(
        failure { _ = try Parameter(encoding, mask: mask, structure: .pattern(keep: 2, of: 4)) }
          .hasSuffix("4 of 4 weights are left where 2 may be (filter 1, input 1)"))
    }
    #expect(
      failure { _ = try Parameter(zeros, structure: .pattern(keep: 2, of: 4)) }
        == "zeros that come as 2:4, without a mask")
    #expect(failure { _ = try parameter(paired, .pattern(keep: 4, of: 4)) } == "a pattern that keeps 4 of 4")
    #expect(failure { _ = try parameter(paired, .blocks(rows: 1, columns: 1)) } == "a block of 1 by 1 weights")
    #expect(
      failure { _ = try parameter(paired, .blocks(rows: .max, columns: .max)) }
        == "a block of \(Int.max) by \(Int.max) weights")
  }

  @Test func whatKeepsTheStructureKeepsItAndWhatBreaksItHasNone() throws {
    let weight = try parameter(paired, .pattern(keep: 2, of: 4))
    #expect(try weight.encoded(as: .float(weight.values.converted(to: .float16))).structure == weight.structure)
    #expect(try weight.encoded(as: .float(Tensor(repeating: 1, [2, 6]))).structure == nil)
    var changed = weight
    // Fewer are left: they still come in it.
    try changed.remove(by: Tensor([1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1] as [UInt8], [2, 6]))
    #expect(changed.structure == weight.structure)
    try changed.setMask(Tensor([UInt8](repeating: 1, count: 12), [2, 6]))
    #expect(changed.structure == nil)
    changed = weight
    try changed.setMask(nil)
    #expect(changed.structure == nil)
    // What is not so is not taken on, and what was known stays.
    changed = weight
    changed.adopt(.blocks(rows: 2, columns: 2))
    #expect(changed.structure == weight.structure)
    changed.adopt(.pattern(keep: 1, of: 2))
    #expect(changed.structure == .pattern(keep: 1, of: 2))
  }

  /// Rounding makes zeros of its own within blocks; they are blocks all the same.
  @Test func integersKeepTheirBlocks() throws {
    let weight = try parameter(blocked, .blocks(rows: 2, columns: 2))
    let values = Tensor([0, 2, 0, 0, 5, 6, 1, 2, 0, 0, 0, 6] as [Int8], [2, 6])
    let rounded = try weight.encoded(as: .integer(IntegerValues(values: values, scales: [1], bits: 8)))
    #expect(rounded.structure == .blocks(rows: 2, columns: 2))
    #expect(rounded.mask?.array(UInt8.self) == [0, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0, 1])
    #expect(throws: CompressError.self) {
      try Parameter(rounded.encoding, mask: rounded.mask, structure: .pattern(keep: 1, of: 4))
    }
  }

  @Test func slicesAreLookedAtAnew() throws {
    var net = GraphBuilder(input: [4])
    net.dense(6, bias: false, name: "first")
    net.dense(2, bias: false, name: "second")
    func kept(_ structure: SparsityStructure, _ values: [Float], _ channels: [Int]) throws -> SparsityStructure? {
      var model = try Model(initializing: net.graph(), seed: 1)
      try model.set(parameter(values, structure), "second", .weight)
      return try model.keepingChannels(["first": channels])["second", .weight]?.structure
    }
    #expect(try kept(.pattern(keep: 2, of: 4), paired, [0, 1, 2, 3]) == .pattern(keep: 2, of: 4))
    #expect(try kept(.pattern(keep: 2, of: 4), paired, [0, 2, 4, 5]) == nil)
    #expect(try kept(.blocks(rows: 2, columns: 2), blocked, [0, 1, 4, 5]) == .blocks(rows: 2, columns: 2))
    #expect(try kept(.blocks(rows: 2, columns: 2), blocked, [1, 2, 4, 5]) == nil)
  }

  @Test func onlyWeightsHaveOne() throws {
    var net = GraphBuilder(input: [3])
    net.dense(2, name: "d")
    let bias = try Parameter(
      .float(Tensor([1, 0] as [Float])), mask: Tensor([1, 0] as [UInt8]), structure: .blocks(rows: 1, columns: 2))
    #expect(
      failure {
        _ = try Model(
          graph: net.graph(), parameters: ["d": [.weight: Parameter(Tensor(zeros: [2, 3])), .bias: bias]])
      } == "bias comes as blocks 1x2, which is for weights")
  }

  @Test func theWrittenForm() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    for (structure, text) in [
      (SparsityStructure.pattern(keep: 2, of: 4), #"{"pattern":{"keep":2,"of":4}}"#),
      (.blocks(rows: 4, columns: 1), #"{"blocks":{"columns":1,"rows":4}}"#),
    ] {
      #expect(String(decoding: try encoder.encode(structure), as: UTF8.self) == text)
      #expect(try JSONDecoder().decode(SparsityStructure.self, from: Data(text.utf8)) == structure)
    }
    for text in [
      "{}", #"{"stripes":{}}"#, #"{"pattern":{"keep":2}}"#, #"{"pattern":{"keep":0,"of":4}}"#, "7",
      #"{"pattern":{"keep":2,"of":4},"blocks":{"columns":1,"rows":4}}"#,
      #"{"blocks":{"columns":9223372036854775807,"rows":9223372036854775807}}"#,
    ] {
      #expect(throws: (any Error).self, "\(text)") {
        try JSONDecoder().decode(SparsityStructure.self, from: Data(text.utf8))
      }
    }
  }
}
