import Diagnostics
import Kernels
import Network
import Runtime
import Tensors

/// What reaches one layer of a model, sample by sample, as the layer gets it: rounded where the model rounds it.
public struct LayerInputs {
  private let source: String
  /// nil where it is the network's only input.
  private let session: Session?
  private let encoding: ActivationEncoding?

  /// - Parameter layer: a layer with a weight.
  public init(of layer: String, in model: Model, pool: ThreadPool) throws {
    let node = model.graph[layer]!
    source = model.graph.origin(of: node.inputs[0])
    encoding = model.activations[source]
    if model.graph.inputs == [source] {
      session = nil
    } else {
      // One of several inputs is seen on the way to the layer.
      let end = model.graph.inputs.contains(source) ? node.output : source
      session = Session(try compile(model.upTo([end]), CompileOptions(maxBatch: Calibration.batch)), pool: pool)
    }
  }

  /// - Parameter images: at most `Calibration.batch` samples, float32.
  public func values(_ images: Tensor) throws -> [Float] {
    guard let session else {
      let pixels = images.array(Float.self)
      return encoding.map { encoding in pixels.map(encoding.rounded) } ?? pixels
    }
    var values: [Float] = []
    try session.run(images, decodes: true) { value, elements in if value == source { values = Array(elements) } }
    return values
  }
}
