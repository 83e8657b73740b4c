import Kernels
import Network
import Runtime

/// A model's predicted classes: the index of the largest output, the first of equals; -1 where an output is NaN.
public struct Classifier {
  /// Samples at once.
  public static let batch = 64

  private let session: Session

  /// - Parameter isExact: see `CompileOptions`.
  public init(_ model: Model, isExact: Bool = false, pool: ThreadPool) throws {
    let options = CompileOptions(maxBatch: Self.batch, isExact: isExact)
    session = Session(try compile(model.classifying(), options), pool: pool)
  }

  /// Elements of a sample.
  public var sampleCount: Int { session.plan.inputShape.count }

  /// - Precondition: `count` samples of the network's input shape.
  public func predictions(_ images: UnsafeBufferPointer<Float>, count: Int) -> [Int32] {
    let size = sampleCount
    return session.predictions(count: count) { samples, batch in
      _ = batch.update(fromContentsOf: images[samples.lowerBound * size..<samples.upperBound * size])
    }.map { Int32($0) }
  }
}

extension Model {
  /// The network as far as its first output, whose class scores count.
  public func classifying() throws -> Model { graph.outputs.count == 1 ? self : try upTo([graph.output]) }
}
