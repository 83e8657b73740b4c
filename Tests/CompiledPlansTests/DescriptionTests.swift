import CCompress
import CompiledPlans
import Kernels
import Network
import TestSupport
import Tensors
import Testing

/// What a program is told of a model, and what it is refused.
@Suite struct DescriptionTests {
  @Test func aModelIsDescribed() throws {
    var net = GraphBuilder(input: [4, 6, 3])
    net.conv2d(filters: 5, kernel: 3, padding: .same, name: "conv")
    net.globalAveragePool(name: "mean")
    net.dense(3, name: "scores")
    let graph = try net.graph()
    var model = try Model(initializing: graph, seed: 1)
    try model.setActivation(ActivationQuantization(scale: 0.5, zeroPoint: 7), of: "input")
    model.adopt(
      try ModelSignature(
        classes: ["cat", "dog", "Gürteltier"],
        preprocessing: Preprocessing(
          crop: .init(shortSide: 8, side: 6), height: 4, width: 6, channels: .rgb, mean: [0.1, 0.2, 0.3],
          deviation: [0.5, 0.25, 2]),
        interface: ModelInterface(
          format: "tflite",
          inputs: [.init("input", name: "serving:0", order: [0, 1, 2], element: .int8)],
          outputs: [.init("scores", name: "out", order: [0])])))
    let opened = try Library.Model(CompiledPlanFile(model, for: [.host]).bytes)
    let input = opened.inputs[0], output = opened.outputs[0]
    #expect(opened.inputs.count == 1 && opened.outputs.count == 1)
    #expect(String(cString: input.name) == "input" && input.count == 72)
    #expect(Array(UnsafeBufferPointer(start: input.shape, count: input.axes)) == [4, 6, 3])
    #expect(String(cString: input.file_name) == "serving:0" && String(cString: input.element) == "int8")
    #expect(input.is_quantized == 1 && input.scale == 0.5 && input.zero_point == 7 && input.limit == 255)
    #expect(String(cString: output.name) == "scores" && output.count == 3 && output.is_quantized == 0)
    let classes = (0..<compress_class_count(opened.pointer)).map {
      String(cString: compress_class_name(opened.pointer, $0))
    }
    #expect(classes == ["cat", "dog", "Gürteltier"] && compress_class_name(opened.pointer, 3) == nil)
    let preprocessing = try #require(compress_model_preprocessing(opened.pointer)).pointee
    #expect(preprocessing.short_side == 8 && preprocessing.crop == 6 && preprocessing.channels == 3)
    #expect(preprocessing.height == 4 && preprocessing.width == 6 && preprocessing.scale == 1)
    #expect(preprocessing.mean == (0.1, 0.2, 0.3) && preprocessing.deviation == (0.5, 0.25, 2))
    #expect(String(cString: compress_instruction_set(opened.pointer)) == InstructionSet.current.reportName)
    #expect(compress_api_version() == COMPRESS_API_VERSION)
  }

  @Test func whatNobodySaidIsNotThere() throws {
    var net = GraphBuilder(input: [4])
    net.dense(2)
    let opened = try Library.Model(CompiledPlanFile(Model(initializing: net.graph(), seed: 1), for: [.host]).bytes)
    #expect(compress_class_count(opened.pointer) == 0 && compress_model_preprocessing(opened.pointer) == nil)
    #expect(opened.inputs[0].file_name == nil && opened.inputs[0].element == nil)
  }

  @Test func callsThatMakeNoSenseAreRefused() throws {
    var net = GraphBuilder(input: [4])
    net.dense(2)
    let opened = try Library.Model(CompiledPlanFile(Model(initializing: net.graph(), seed: 1), for: [.host]).bytes)
    var error = compress_error()
    for (threads, samples) in [(0, 1), (2000, 1), (1, 0), (1, 1 << 20)] {
      #expect(compress_session_create(opened.pointer, threads, samples, &error) == nil)
      #expect(error.status == COMPRESS_ARGUMENT, "\(threads) \(samples): \(Library.text(error))")
      #expect(compress_session_bytes(opened.pointer, threads, samples) == Int(bitPattern: UInt.max))
    }
    let session = try #require(compress_session_create(opened.pointer, 1, 2, nil))
    defer { compress_session_close(session) }
    var input: [Float] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], output = [Float](repeating: 0, count: 8)
    input.withUnsafeMutableBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        let from: [UnsafePointer<Float>?] = [UnsafePointer(input.baseAddress)], to = [output.baseAddress]
        #expect(compress_run(session, from, to, 0, &error) == COMPRESS_ARGUMENT)
        #expect(compress_run(session, from, to, 3, &error) == COMPRESS_ARGUMENT)
        #expect(Library.text(error).contains("3 samples for a session of 1 to 2"))
        #expect(compress_run(session, [nil], to, 1, &error) == COMPRESS_ARGUMENT)
        #expect(compress_run(session, from, to, 2, &error) == COMPRESS_OK && error.status == COMPRESS_OK)
      }
    }
    #expect(compress_open("/nowhere/net.cmpx", &error) == nil)
    #expect(error.status == COMPRESS_SYSTEM && Library.text(error).contains("/nowhere/net.cmpx"))
    #expect(compress_open("/dev/null", nil) == nil)
  }

  /// The same model gives the same bytes, whatever lay in memory where structs have gaps.
  @Test func theSameModelGivesTheSameFile() throws {
    let entry = try Zoo.entry("resnet8"), graph = try entry.graph([16, 16, 3], 10)
    let model = try Model(initializing: graph, seed: 1).quantizedAsIs()
    let machines = InstructionSet.allCases.map { Machine(isa: $0) }
    let first = try CompiledPlanFile(model, for: machines).bytes,
      second = try CompiledPlanFile(model, for: machines).bytes
    #expect(first == second)
  }
}
