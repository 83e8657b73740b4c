import Network
import Runtime
import Tensors

/// The squared error of a changed model's outputs beside an original's on a few samples, each output's relative to its
/// squares, so that outputs of all sizes count alike.
struct OutputError {
  private let images: Tensor
  private let expected: [Float]
  private let shapes: [Shape]
  private let context: WorkContext

  init(of original: Model, on images: Tensor, context: WorkContext) throws {
    self.images = images
    self.context = context
    shapes = original.graph.outputShapes
    expected = try Self.outputs(original, images, context)
  }

  private static func outputs(_ model: Model, _ images: Tensor, _ context: WorkContext) throws -> [Float] {
    try context.cancellation.check()
    let session = Session(try compile(model, CompileOptions(maxBatch: min(images.shape[0], 16))), pool: context.pool)
    return try session.run(images).array()
  }

  /// The sum over the outputs.
  func of(_ model: Model) throws -> Double {
    let found = try Self.outputs(model, images, context), width = shapes.reduce(0) { $0 + $1.count }
    var sum = 0.0, first = 0
    for shape in shapes {
      var signal = 0.0, noise = 0.0
      for start in stride(from: first, to: expected.count, by: width) {
        for i in start..<start + shape.count {
          let error = Double(expected[i]) - Double(found[i])
          signal += Double(expected[i]) * Double(expected[i])
          noise += error * error
        }
      }
      sum += signal > 0 ? noise / signal : noise
      first += shape.count
    }
    return sum
  }
}
