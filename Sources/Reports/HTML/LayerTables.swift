import Pipeline

extension ReportPage {
  /// Layers with parameters down, variants across.
  struct LayerMatrix {
    let heads: [Head]
    let rows: [Row]

    struct Head {
      let head: String
      let headSeries: String
    }

    struct Row {
      let layer: String
      let layerKind: String
      let cells: [Cell]
    }

    struct Cell {
      let owner: String
      let sparsity: String
      let stored: String
      let size: String
    }

    init(_ results: ResultsFile) {
      heads = results.variants.enumerated().map { Head(head: shown($1.name), headSeries: series($0)) }
      rows = Self.layerNames(results).map { name in
        let found = results.variants.map { variant in variant.layers?.first { $0.name == name } }
        return Row(
          layer: shown(name), layerKind: shown(found.lazy.compactMap { $0 }.first?.kind ?? ""),
          cells: zip(results.variants, found).map { variant, layer in
            guard let layer else { return Cell(owner: shown(variant.name), sparsity: "–", stored: "", size: "") }
            return Cell(
              owner: shown(variant.name), sparsity: sparsity(layer), stored: stored(layer),
              size: Formatting.bytes(layer.bytes))
          })
      }
    }

    /// Of all layers with parameters in any variant, in order of appearance.
    static func layerNames(_ results: ResultsFile) -> [String] {
      var seen = Set<String>()
      return results.variants.flatMap { $0.layers ?? [] }.filter { $0.parameters > 0 && seen.insert($0.name).inserted }
        .map(\.name)
    }
  }

  /// Everything about one variant's layers.
  struct LayerTable {
    let owner: String
    let ownerSeries: String
    let layers: [Layer]

    struct Layer {
      let layer, layerKind, parameters, sparsity, biasSparsity, stored, size, macs, arithmetic, zeros: String
    }

    init(_ variant: ResultsFile.Variant, _ index: Int) {
      owner = shown(variant.name)
      ownerSeries = series(index)
      layers = (variant.layers ?? []).map { layer in
        let hasParameters = layer.parameters > 0
        return Layer(
          layer: shown(layer.name), layerKind: shown(layer.kind),
          parameters: hasParameters ? Formatting.count(layer.parameters) : "",
          sparsity: hasParameters ? sparsity(layer) : "", biasSparsity: hasParameters ? biasSparsity(layer) : "",
          stored: stored(layer), size: hasParameters ? Formatting.bytes(layer.bytes) : "",
          macs: layer.macs > 0 ? Formatting.scaled(layer.macs) : "",
          arithmetic: layer.arithmetic.map(shown) ?? "–", zeros: zerosSaved(layer))
      }
    }
  }

  /// What leaving zeros out saves in the layer.
  private static func zerosSaved(_ layer: ResultsFile.Layer) -> String {
    guard let own = layer.milliseconds, let dense = layer.denseMilliseconds, own > 0 else {
      guard let weights = layer.weights, let left = layer.nonzeroWeights, left < weights else { return "" }
      return layer.leavesZerosOut ? "left out" : "multiplied"
    }
    return
      "\(Formatting.duration(own / 1e3)), dense \(Formatting.duration(dense / 1e3)): \(Formatting.factor(dense / own))"
  }

  /// Of the layer's weights; of all its parameters in files of older versions.
  private static func sparsity(_ layer: ResultsFile.Layer) -> String {
    guard let weights = layer.weights, let left = layer.nonzeroWeights else {
      return zeros(layer.nonzero, of: layer.parameters)
    }
    return weights == 0 ? "–" : zeros(left, of: weights)
  }

  /// Of everything else: biases, and the statistics of batch norms.
  private static func biasSparsity(_ layer: ResultsFile.Layer) -> String {
    guard let weights = layer.weights, let left = layer.nonzeroWeights, layer.parameters > weights else { return "–" }
    return zeros(layer.nonzero - left, of: layer.parameters - weights)
  }

  private static func zeros(_ nonzero: Int, of count: Int) -> String {
    Formatting.percent(1 - Double(nonzero) / Double(max(count, 1)), digits: 1)
  }

  private static func stored(_ layer: ResultsFile.Layer) -> String {
    guard let encoding = layer.encoding else { return layer.parameters > 0 ? "–" : "" }
    return shown(encoding)
  }
}
