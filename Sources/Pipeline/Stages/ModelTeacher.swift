import Analysis
import Kernels
import Network
import Runtime
import Training

/// Any model as a teacher: compiled, in the arithmetic its annotations ask for, without its softmax, or up to the values
/// that are matched.
struct ModelTeacher: Teacher {
  private let session: Session

  /// Samples at once.
  private static let batch = 32

  init(_ model: Model, matching: Matching? = nil, pool: ThreadPool) throws {
    let part = try matching.map { try model.upTo($0.targets(in: model.graph)) } ?? model.withoutSoftmax()
    session = Session(try compile(part, CompileOptions(maxBatch: Self.batch)), pool: pool)
  }

  var classCount: Int { session.plan.outputShape.count }

  func scores(
    _ samples: UnsafeBufferPointer<Float>, count: Int, into scores: UnsafeMutableBufferPointer<Float>
  ) throws {
    let size = session.plan.inputShape.count, classes = classCount
    for start in stride(from: 0, to: count, by: Self.batch) {
      let end = min(start + Self.batch, count)
      session.run(
        input: UnsafeBufferPointer(rebasing: samples[start * size..<end * size]),
        output: UnsafeMutableBufferPointer(rebasing: scores[start * classes..<end * classes]))
    }
  }
}

extension Model {
  /// The same scores, those of the first output, before the softmax at it if there is one.
  fileprivate func withoutSoftmax() throws -> Model {
    guard let last = graph.producer(of: graph.output), case .activation(.softmax) = last.op else {
      return try classifying()
    }
    return try upTo([last.inputs[0]])
  }
}
