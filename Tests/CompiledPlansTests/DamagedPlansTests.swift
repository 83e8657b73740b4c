import CCompress
import CKernels
import CompiledPlans
import Foundation
import Kernels
import Network
import TestSupport
import Tensors
import Testing

/// Files that are not what they should be are refused, with words, and never run beyond what they own.
@Suite struct DamagedPlansTests {
  private func lab() throws -> [UInt8] {
    let entry = try Zoo.entry("quick_cnn"), graph = try entry.graph([8, 8, 1], 4)
    return try CompiledPlanFile(Model(initializing: graph, seed: 1), for: [.host]).bytes
  }

  private func message(_ bytes: [UInt8]) -> String {
    do {
      _ = try Library.Model(bytes)
      return "opened"
    } catch { return "\(error)" }
  }

  @Test func filesThatAreNoneAreRefused() throws {
    let bytes = try lab()
    #expect(message([]).contains("is no compiled plan"))
    #expect(message(Array("\u{89}CMPR".utf8)).contains("convert MODEL net.cmpx"))
    for length in [9, 40, 71, 72, 73, bytes.count / 2, bytes.count - 1] {
      let said = message(Array(bytes.prefix(length)))
      #expect(said.contains("cut short") || said.contains("should have \(bytes.count)"), "\(length): \(said)")
    }
    for place in stride(from: 16, to: bytes.count, by: 997) {
      var other = bytes
      other[place] ^= 0x20
      #expect(message(other).contains("damaged") || message(other).contains("should have"), "byte \(place)")
    }
    var version = bytes
    version[12] += 1
    #expect(message(version).contains("compile the model again"), "\(message(version))")
  }

  @Test func plansForOtherProcessorsAreRefused() throws {
    let entry = try Zoo.entry("lab_cnn")
    let model = try Model(initializing: entry.graph(entry.defaults), seed: 1)
    let foreign = InstructionSet.allCases.filter { !$0.isSupported }.map { Machine(isa: $0) }
    try #require(!foreign.isEmpty)
    let said = try message(CompiledPlanFile(model, for: foreign).bytes)
    #expect(said.contains("which this processor does not run"), "\(said)")
    // With one of its own among them it runs.
    #expect(try message(CompiledPlanFile(model, for: foreign + [.host]).bytes) == "opened")
  }

  /// A step that would read beyond its operands is named.
  @Test func stepsThatCannotBeRunAreNamed() throws {
    var bytes = try lab()
    let head = bytes.withUnsafeBytes { $0.load(as: cx_head.self) }
    let plan = bytes.withUnsafeBytes { $0.load(fromByteOffset: Int(head.plan_records), as: cx_plan.self) }
    let step = bytes.withUnsafeBytes { $0.load(fromByteOffset: Int(plan.step_records), as: cx_step.self) }
    // The height of the image of the first convolution.
    bytes[Int(step.struct_offset)] += 1
    bytes.repairChecksums()
    let said = message(bytes)
    #expect(said.contains("step 1, ") && said.contains("\"conv1\"") && said.contains("cannot be run"), "\(said)")
  }

  /// What nobody wrote may be opened, and then runs within its memory; Tests/soak/library.sh tries a million.
  @Test func damagedFilesDoNoHarm() throws {
    var random = SeededRandom(seed: 4), opened = 0
    let seeds = try Seeds.small(every: 9)
    for seed in seeds {
      for _ in 0..<60 {
        var bytes = seed.bytes
        let head = bytes.withUnsafeBytes { $0.load(as: cx_head.self) }
        for _ in 0...random.below(3) {
          let end = random.below(4) > 0 ? Int(head.head_bytes) : bytes.count
          let place = 20 + random.below(end - 20)
          bytes[place] = random.below(2) == 0 ? bytes[place] &+ 1 : UInt8(random.below(256))
        }
        bytes.repairChecksums()
        guard let model = try? Library.Model(bytes), compress_session_bytes(model.pointer, 1, 2) < 32 << 20 else {
          continue
        }
        opened += 1
        let count = model.inputs.reduce(0) { $0 + $1.count }
        _ = try model.run((0..<2 * count).map { Float($0 % 7) - 3 }, count: 2)
      }
    }
    #expect(opened > seeds.count, "\(opened) of \(seeds.count * 60) opened")
  }

  /// What Tests/soak/library.sh damages.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["COMPRESS_SEEDS"] != nil)) func writesSeeds() throws {
    let folder = ProcessInfo.processInfo.environment["COMPRESS_SEEDS"]!
    for (index, seed) in try Seeds.small(every: 1).enumerated() {
      try seed.file.write(to: "\(folder)/\(index).cmpx")
    }
    for (index, file) in try Seeds.forThreads().enumerated() { try file.write(to: "\(folder)/threads-\(index).cmpx") }
  }
}

enum Seeds {
  /// Small plans with steps of every kind, for processors that are everywhere and for this one.
  static func small(every step: Int) throws -> [(file: CompiledPlanFile, bytes: [UInt8])] {
    var random = RandomNetworks(3), models: [Model] = []
    for network in OperatorNetwork.all {
      let model = try random.model(network.graph)
      models += [model, try model.quantizedAsIs()]
    }
    for seed in 0..<6 {
      var networks = RandomNetworks(seed)
      let model = try networks.model(networks.graph(layers: 6, batchNorm: true))
      let integers = try networks.withIntegerWeights(model)
      models += [model, integers, try networks.withActivations(integers, leaveOut: 3)]
      models.append(try networks.withSimulation(model))
    }
    var net = GraphBuilder(input: [6, 6, 8])
    net.conv2d(filters: 24, kernel: 3, padding: .same, name: "conv")
    net.conv2d(filters: 20, kernel: 3, name: "sparse")
    let sparse = try random.model(net.graph()).thinned(25)
    models += [sparse, try sparse.quantizedAsIs()]
    return try models.enumerated().filter { $0.offset % step == 0 }.map { index, model in
      let machine: Machine = index % 3 == 0 ? Machine(isa: .scalar) : .host
      let file = try CompiledPlanFile(model, for: [machine])
      return (file, file.bytes)
    }
  }

  static func forThreads() throws -> [CompiledPlanFile] {
    let entry = try Zoo.entry("resnet8")
    let model = try Model(initializing: entry.graph([16, 16, 3], 10), seed: 1)
    return try [model, model.quantizedAsIs(), model.thinned(20)].map { try CompiledPlanFile($0, for: [.host]) }
  }
}

extension [UInt8] {
  /// As whoever means harm would.
  mutating func repairChecksums() {
    withUnsafeMutableBytes { bytes in
      var head = bytes.load(as: cx_head.self)
      head.file_bytes = UInt64(bytes.count)
      guard head.head_bytes >= MemoryLayout<cx_head>.size, head.head_bytes <= bytes.count else { return }
      let end = Int(head.head_bytes), first = MemoryLayout<cx_head>.offset(of: \.constants_checksum)!
      head.constants_checksum = cx_crc32(0, bytes.baseAddress! + end, bytes.count - end)
      bytes.storeBytes(of: head, as: cx_head.self)
      head.head_checksum = cx_crc32(0, bytes.baseAddress! + first, end - first)
      bytes.storeBytes(of: head, as: cx_head.self)
    }
  }
}
