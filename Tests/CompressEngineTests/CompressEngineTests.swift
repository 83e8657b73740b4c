import CompressEngine
import Foundation
import Testing

/// The engine as a program of somebody's own has it.
@Suite struct CompressEngineTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "compress-engine-\(UUID().uuidString)"
  )
  .path

  @Test func aPipelineMakesModelsThatRun() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try """
    local p = params { samples = { 10, min = 1 } }
    local digits = dataset "digits"
    local one = train(zoo.quick_cnn(), { data = digits.train:take(p.samples) })
    print("samples", p.samples)
    export(one, "net.cmpr")
    compare { on = digits.test:take(20), { "float", one },
      { "int8", quantize(one, use "int8" { calibration = digits.train:take(20) }) } }
    """.write(toFile: folder + "/two.lua", atomically: true, encoding: .utf8)
    var pipeline = CompressPipeline(script: folder + "/two.lua")
    (pipeline.settings, pipeline.out, pipeline.usesCache) = (["samples": "100"], folder, false)
    pipeline.plugins = [
      URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("plugins").path
    ]
    let lines = Lines()
    let made = try pipeline.run { lines.all.append($0) }
    #expect(lines.all == ["samples\t100"])
    #expect(made.map(\.name) == ["float", "int8"])
    let read = try CompressModel(contentsOf: folder + "/net.cmpr")
    #expect(read.inputShape == [28, 28, 1] && read.outputShape == [10] && read.classes?.count == 10)
    #expect(read.parameters == 9170 && read.multiplyAccumulates > 0)

    let samples = (0..<2 * 784).map { Float($0 % 13) / 13 }
    let session = try made[0].model.session(threads: 2, mostSamples: 2), scores = try session.run(samples)
    #expect(scores.count == 20)
    #expect(try read.session(mostSamples: 2).run(samples) == scores)
    let classes = try session.classify(samples)
    for sample in 0..<2 {
      let own = scores[sample * 10..<sample * 10 + 10]
      #expect(own[own.startIndex + classes[sample]] == own.max())
    }
    #expect(throws: (any Error).self) { try session.run([1, 2, 3]) }
    #expect(throws: (any Error).self) { try session.run([]) }
    #expect(throws: (any Error).self) { try CompressModel(contentsOf: folder + "/none.cmpr") }

    try made[1].model.write(to: folder + "/int8.onnx")
    #expect(try CompressModel(contentsOf: folder + "/int8.onnx").outputShape == [10])
    try "local a = 1\nprint(nothing)".write(toFile: folder + "/bad.lua", atomically: true, encoding: .utf8)
    let error = #expect(throws: (any Error).self) { try CompressPipeline(script: folder + "/bad.lua").run() }
    #expect("\(error!)".contains("bad.lua:2"), "\(error!)")
  }

  private final class Lines { var all: [String] = [] }
}
