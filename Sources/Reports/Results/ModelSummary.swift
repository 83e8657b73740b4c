import Formats
import Network
import Runtime

/// A model layer by layer, for other programs: what `compress inspect --json` writes.
public struct ModelSummary: Encodable {
  struct Value: Encodable {
    let name: String
    /// Of one sample.
    let shape: [Int]
  }

  struct Layer: Encodable {
    let name, kind: String
    let inputs: [String]
    let outputShape: [Int]
    let filters: Int?
    let parameters, nonzero, weights, nonzeroWeights, macs, bytes: Int
    let encoding: String?
    let bits: Int?

    private enum CodingKeys: String, CodingKey {
      case name, kind, inputs, outputShape = "output_shape", filters, parameters, nonzero, weights
      case nonzeroWeights = "nonzero_weights", macs, bytes, encoding, bits
    }
  }

  /// What the runtime would do.
  struct Step: Encodable {
    let layer, operation, arithmetic: String
    let outputShape: [Int]
    let type: String
    let macs, weightBytes: Int
    let kernel: String
    let reason: String?

    private enum CodingKeys: String, CodingKey {
      case layer, operation, arithmetic, outputShape = "output_shape", type, macs, weightBytes = "weight_bytes", kernel
      case reason = "kernel_reason"
    }
  }

  /// What a tensor takes in a packed file.
  struct Packed: Encodable {
    let layer: String?
    let role: String
    let count, bits: Int
    let entropyBits: Double

    private enum CodingKeys: String, CodingKey { case layer, role, count, bits, entropyBits = "entropy_bits" }
  }

  let file: String
  let fileBytes: Int
  /// After `gzip -9`; nil where nobody asked.
  let gzipBytes: Int?
  let parameters, nonzero, macs: Int
  let inputs, outputs: [Value]
  let classes: [String]?
  let preprocessing: Preprocessing?
  let layers: [Layer]
  /// nil where nobody asked.
  let steps: [Step]?
  /// nil of other files.
  let packed: [Packed]?

  public init(
    _ model: Model, file: String, fileBytes: Int, gzipBytes: Int?, plan: Plan? = nil, packed: [PackedCost]? = nil
  ) {
    let cost = ModelCost(model), graph = model.graph
    self.file = file
    self.fileBytes = fileBytes
    self.gzipBytes = gzipBytes
    parameters = cost.parameters
    nonzero = cost.nonzero
    macs = cost.macs
    inputs = zip(graph.inputs, graph.inputShapes).map { Value(name: $0, shape: $1.dims) }
    outputs = zip(graph.outputs, graph.outputShapes).map { Value(name: $0, shape: $1.dims) }
    classes = model.signature.classes
    preprocessing = model.signature.preprocessing
    self.packed = packed?.map {
      Packed(layer: $0.layer, role: $0.role, count: $0.elements, bits: $0.bits, entropyBits: $0.entropy)
    }
    layers = cost.layers.map {
      Layer(
        name: $0.name, kind: $0.kind, inputs: $0.inputs, outputShape: $0.outputShape.dims, filters: $0.filters,
        parameters: $0.parameters, nonzero: $0.nonzero, weights: $0.weights, nonzeroWeights: $0.nonzeroWeights,
        macs: $0.macs, bytes: $0.bytes, encoding: $0.encoding, bits: $0.bits)
    }
    steps = plan?.steps.map {
      Step(
        layer: $0.layer, operation: $0.operation, arithmetic: $0.arithmetic.rawValue, outputShape: $0.outputShape.dims,
        type: $0.outputType.rawValue, macs: $0.macs, weightBytes: $0.weightBytes, kernel: $0.kernelName,
        reason: $0.choice?.reason)
    }
  }

  private enum CodingKeys: String, CodingKey {
    case file, fileBytes = "file_bytes", gzipBytes = "gzip_bytes", parameters, nonzero, macs, inputs, outputs, classes
    case preprocessing, layers, steps, packed
  }
}

/// The tensors of a file that holds nothing else, likewise.
public struct TensorSummary: Encodable {
  struct Entry: Encodable {
    let name, type: String
    let shape: [Int]
    let bytes: Int
  }

  let file: String
  let tensors: [Entry]

  public init(_ weights: any WeightsFile, file: String) {
    self.file = file
    tensors = weights.entries.map {
      Entry(name: $0.name, type: $0.type.rawValue, shape: $0.shape.dims, bytes: $0.byteCount)
    }
  }
}
