import Diagnostics
import Files
import Formats
import Foundation
import Network
import Runtime
import Tensors

/// The cases of a folder laid out like ONNX's tests of operators: `CASE/model.onnx`, and in `CASE/test_data_set_N` what
/// goes in and what comes out, `input_0.pb`, `output_0.pb` ….
public struct Conformance {
  public enum Verdict: Sendable, Equatable {
    /// With the largest difference, in parts of the largest element.
    case passed(deviation: Float)
    /// What is not supported.
    case outOfScope(String)
    case failed(String)

    public var isPassed: Bool { if case .passed = self { true } else { false } }
  }

  /// What passes: a deviation of so much of the largest element; or of so much of the element itself and so much more,
  /// by which ONNX holds its own cases, some of whose numbers are rounded.
  public static let tolerance: Float = 1e-4
  public static let ownTolerance: (relative: Float, absolute: Float) = (1e-3, 1e-7)

  public let cases: [(name: String, verdict: Verdict)]

  /// - Throws: `CompressError` naming the folder when there are no cases in it.
  public init(_ folder: String, each: (String, Verdict) -> Void = { _, _ in }) throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted().filter {
      Folders.isFile("\(folder)/\($0)/model.onnx")
    }
    guard !names.isEmpty else {
      throw CompressError("holds no cases: folders with a model.onnx", kind: .input).at(file: folder)
    }
    cases = names.map { name in
      let verdict = Self.verdict("\(folder)/\(name)")
      each(name, verdict)
      return (name, verdict)
    }
  }

  /// `N passed, N out of scope, N failed`.
  public var summary: String {
    let passed = cases.count(where: \.verdict.isPassed)
    let failed = failures
    return "\(passed) passed, \(cases.count - passed - failed) out of scope, \(failed) failed"
  }

  public var failures: Int { cases.count { if case .failed = $0.verdict { true } else { false } } }

  /// How one case goes.
  static func verdict(_ folder: String) -> Verdict {
    do {
      let sets = try FileManager.default.contentsOfDirectory(atPath: folder).sorted().filter {
        $0.hasPrefix("test_data_set_")
      }
      guard !sets.isEmpty else { return .failed("there is no test_data_set_0") }
      var largest: Float = 0
      for set in sets {
        let verdict = try self.verdict("\(folder)/model.onnx", "\(folder)/\(set)")
        guard case .passed(let deviation) = verdict else { return verdict }
        largest = max(largest, deviation)
      }
      return .passed(deviation: largest)
    } catch { return .failed("\(error)") }
  }

  private static func verdict(_ model: String, _ folder: String) throws -> Verdict {
    func files(_ kind: String) -> [String] {
      var paths: [String] = []
      while true {
        let path = "\(folder)/\(kind)_\(paths.count).pb"
        guard Folders.isFile(path) else { break }
        paths.append(path)
      }
      return paths
    }
    let ends: (inputs: [(name: String, element: Int)], outputs: [(name: String, element: Int)])
    do { ends = try ONNXFile.ends(model) } catch let error as CompressError { return .failed(reason(error)) }
    let names = ends.inputs.map(\.name)
    func samples(_ kind: String, _ ends: [(name: String, element: Int)]) throws -> [ONNXFile.SampleTensor] {
      try files(kind).enumerated().map { index, path in
        try ONNXFile.sample(path, declared: index < ends.count ? ends[index].element : nil)
      }
    }
    let inputs: [ONNXFile.SampleTensor], outputs: [ONNXFile.SampleTensor]
    do {
      inputs = try samples("input", ends.inputs)
      outputs = try samples("output", ends.outputs)
    } catch let error as CompressError { return .outOfScope(reason(error)) }
    guard names.count >= inputs.count else { return .failed("\(inputs.count) inputs for a model of \(names.count)") }
    let given = Dictionary(zip(names, inputs)) { first, _ in first }
    // Cases say not which axis is the batch, and which inputs are weights: with a batch in front, which may have to be
    // one sample where it varies, or each as one sample; all inputs varying, or the first one; and where integers come
    // first, as weights do, none: everything is folded.
    enum Batch: CaseIterable { case whole, one, none }
    var readings: [(batch: Batch, constants: ArraySlice<String>)] = []
    for batch in Batch.allCases {
      for first in [names.count, 1] { readings.append((batch, names.dropFirst(first))) }
    }
    if inputs.first?.isInteger ?? false { readings.append((.none, names[...])) }
    var reason: String?
    for reading in readings {
      var options = ONNXFile.Options()
      options.hasBatch = reading.batch != .none
      for (name, tensor) in given {
        if reading.constants.contains(name) {
          options.constants[name] = tensor.path
        } else {
          let dims = tensor.values.shape.dims
          options.inputShapes[name] = reading.batch == .one ? [1] + dims.dropFirst() : dims
        }
      }
      do {
        let imported = try ONNXFile.load(model, options)
        let session = try imported.model.map { Session(try compile($0)) }
        return try compare(imported, session, given, outputs)
      } catch let error as CompressError { reason = reason ?? Self.reason(error) }
    }
    return .outOfScope(reason ?? "")
  }

  private static func reason(_ error: CompressError) -> String {
    (error.layer.map { "layer \"\($0)\": " } ?? "") + error.message
  }

  // MARK: Running

  private static func compare(
    _ imported: ONNXImport, _ session: Session?, _ given: [String: ONNXFile.SampleTensor],
    _ wanted: [ONNXFile.SampleTensor]
  ) throws -> Verdict {
    guard imported.outputs.count == wanted.count else {
      return .failed("\(imported.outputs.count) outputs; the case has \(wanted.count)")
    }
    var largest: Float = 0
    let results = try session.map { try run(imported, $0, given) } ?? [:]
    for (output, wanted) in zip(imported.outputs, wanted) {
      guard let result = output.constant ?? results[output.name] else {
        return .failed("output \(output.name) is missing")
      }
      guard result.shape == wanted.values.shape else {
        return .failed("output \(output.name) has shape \(result.shape), not \(wanted.values.shape)")
      }
      let deviation = Self.deviation(result, wanted.values)
      largest = max(largest, deviation)
      guard deviation <= tolerance || isClose(result, wanted.values, output.ownTolerance ?? ownTolerance.relative) else {
        return .failed("output \(output.name) is off by \(deviation) of its largest element")
      }
    }
    return .passed(deviation: largest)
  }

  /// The file's outputs that depend on inputs, by their names, for the file's inputs.
  public static func run(
    _ imported: ONNXImport, _ session: Session, _ given: [String: ONNXFile.SampleTensor]
  ) throws -> [String: Tensor] {
    var samples = 1
    for input in imported.inputs where input.hasBatch { samples = given[input.name]?.values.shape.dims.first ?? 1 }
    let varying = imported.outputs.filter { $0.constant == nil }
    var results: [String: [Float]] = [:]
    var record = [Float](repeating: 0, count: session.plan.outputShape.count)
    for sample in 0..<samples {
      var values: [Float] = []
      for input in imported.inputs {
        guard let tensor = given[input.name]?.values else {
          throw CompressError("input \"\(input.name)\" is missing", kind: .input)
        }
        let one = try input.taken(input.hasBatch ? try tensor.selected(axis: 0, sample) : tensor)
        values += try one.transposed(input.order).array(Float.self)
      }
      values.withUnsafeBufferPointer { values in
        record.withUnsafeMutableBufferPointer { record in session.run(input: values, output: record) }
      }
      var start = 0
      for output in varying {
        let shape = Shape(output.order.map { output.shape[$0] })
        let held = Tensor(Array(record[start..<start + shape.count]), shape)
        let inverse = output.order.indices.map { axis in output.order.firstIndex(of: axis)! }
        results[output.name, default: []] += try held.transposed(inverse).array(Float.self)
        start += shape.count
      }
    }
    return Dictionary(
      try varying.map { output in
        var shape = output.hasBatch ? output.shape.batched(samples) : output.shape
        if !output.hasBatch, samples > 1 {
          // The batch of one as an axis like others.
          guard shape.dims.first == 1 else {
            throw CompressError("output \"\(output.name)\" has no batch for \(samples) samples", kind: .input)
          }
          shape = Shape([samples] + shape.dims.dropFirst())
        }
        return (output.name, output.given(Tensor(results[output.name]!, shape)))
      }) { first, _ in first }
  }

  private static func isClose(_ a: Tensor, _ b: Tensor, _ relative: Float) -> Bool {
    zip(a.array(Float.self), b.array(Float.self)).allSatisfy { x, y in
      x == y || x.isNaN && y.isNaN || abs(x - y) <= relative * abs(y) + ownTolerance.absolute
    }
  }

  /// The largest difference, in parts of the largest element that should be there; infinite where one is no number and
  /// the other is.
  public static func deviation(_ a: Tensor, _ b: Tensor) -> Float {
    var difference: Float = 0, largest: Float = 0
    for (x, y) in zip(a.array(Float.self), b.array(Float.self)) where !(x == y || x.isNaN && y.isNaN) {
      guard (x - y).isFinite else { return .infinity }
      difference = max(difference, abs(x - y))
    }
    for y in b.array(Float.self) where y.isFinite { largest = max(largest, abs(y)) }
    return difference == 0 ? 0 : difference / max(largest, .leastNormalMagnitude)
  }
}
