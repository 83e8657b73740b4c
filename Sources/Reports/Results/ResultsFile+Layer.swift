import Network
import Pipeline

extension ResultsFile {
  /// One layer of a variant's stored model.
  public struct Layer: Codable, Sendable, Equatable {
    public var name: String
    public var kind: String
    /// Of convolutions and dense layers: output channels.
    public var filters: Int?
    public var parameters: Int
    public var nonzero: Int
    /// Values of the weight alone, and those that are not zero; nil in files of older versions.
    public var weights: Int?
    public var nonzeroWeights: Int?
    public var macs: Int
    /// Of the weight: `float32`, `int8` …; nil without one.
    public var encoding: String?
    public var bits: Int?
    /// The form in which the weight's zeros come; nil where none is known.
    public var structure: Structure?
    /// Its parameters as stored.
    public var bytes: Int
    /// In which numbers the runtime computes it; nil when it has no step of its own (fused or folded away).
    public var arithmetic: String?
    /// The function that runs it, and of a layer with weights why it was chosen; nil as the arithmetic is, and in files of
    /// older versions.
    public var kernel: String?
    public var kernelReason: String?
    /// Of a layer that leaves zeros out, the median time of a run, and of one with every weight multiplied.
    public var milliseconds: Double?
    public var denseMilliseconds: Double?

    private enum CodingKeys: String, CodingKey {
      case name, kind, filters, parameters, nonzero, weights, nonzeroWeights = "nonzero_weights", macs, encoding, bits
      case structure, bytes, arithmetic, kernel, kernelReason = "kernel_reason"
      case milliseconds = "p50_ms", denseMilliseconds = "dense_p50_ms"
    }
  }

  public enum Structure: Codable, Sendable, Equatable {
    case pattern(keep: Int, of: Int)
    case blocks(rows: Int, columns: Int)

    private enum CodingKeys: String, CodingKey { case pattern, blocks }
    private enum PatternCodingKeys: String, CodingKey { case keep, of }
    private enum BlocksCodingKeys: String, CodingKey { case rows, columns }
  }
}

extension ResultsFile.Layer {
  /// Whether its kernel multiplies with weights that are not zero alone.
  var leavesZerosOut: Bool { kernel == "f32_sparse" || kernel == "u8s8_sparse" }

  init(_ layer: VariantResult.Layer) {
    self.init(
      name: layer.name, kind: layer.kind, filters: layer.filters, parameters: layer.parameters,
      nonzero: layer.nonzero, weights: layer.weights, nonzeroWeights: layer.nonzeroWeights, macs: layer.macs,
      encoding: layer.encoding, bits: layer.bits, structure: layer.structure.map(ResultsFile.Structure.init),
      bytes: layer.bytes, arithmetic: layer.arithmetic, kernel: layer.kernel, kernelReason: layer.kernelReason,
      milliseconds: layer.zerosSaved?.milliseconds, denseMilliseconds: layer.zerosSaved?.denseMilliseconds)
  }
}

extension ResultsFile.Structure {
  init(_ structure: SparsityStructure) {
    switch structure {
    case .pattern(let keep, let of): self = .pattern(keep: keep, of: of)
    case .blocks(let rows, let columns): self = .blocks(rows: rows, columns: columns)
    }
  }
}
