import Diagnostics
import Exports
import Formats
import Kernels
import Network
import Runtime

/// A network with its weights: read from a file, or made by a pipeline.
public struct CompressModel: Sendable {
  let model: Model

  init(_ model: Model) { self.model = model }

  /// Reads a file of any format that `compress` reads, told by its content: native, packed, ONNX, TFLite, Keras (which a
  /// program of its own reads: `compress-hdf5`, beside this one).
  ///
  /// - Throws: an error whose description names the file and what is wrong with it.
  public init(contentsOf path: String) throws { model = try ModelFile.read(path) }

  /// Writes what the name's ending asks for: `.cmpr`, `.cmpz`, `.onnx`, `.tflite`, `.c` with a header beside it, `.cmpx`.
  public func write(to path: String) throws {
    _ = try ModelExport.write(model, to: path, ModelExport.Options(), tell: { _ in })
  }

  /// What a sample is, and what is answered to it: of images height, width and channels; of several inputs or outputs the
  /// number of elements of all together.
  public var inputShape: [Int] { model.graph.inputShape.dims }
  public var outputShape: [Int] { model.graph.outputShape.dims }
  /// Names of the classes, in the order of the scores; nil where nobody said.
  public var classes: [String]? { model.signature.classes }
  /// Multiply-accumulates for one sample, and all parameters.
  public var multiplyAccumulates: Int { ModelCost(model).macs }
  public var parameters: Int { ModelCost(model).parameters }

  /// Compiles it for this machine.
  ///
  /// - Parameters:
  ///   - threads: that share out the work of a run, the calling one included; results are the same for any number.
  ///   - mostSamples: at once.
  /// - Throws: an error that names the layer which cannot be compiled.
  public func session(threads: Int = 1, mostSamples: Int = 1) throws -> CompressSession {
    try CompressSession(
      Session(compile(model, CompileOptions(maxBatch: mostSamples)), pool: ThreadPool(threads: threads)))
  }
}
