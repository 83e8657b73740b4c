import Diagnostics
import Network
import Tensors

/// A model as a description and tensors: what a packed file holds.
struct PackedContent {
  let description: PackedDescription
  /// In the file's order: values and mask of each parameter, then all scales, tables and levels as one vector.
  let tensors: [(layout: PackedTensor, values: Tensor)]

  /// Takes a model apart.
  init(_ model: Model) {
    var tensors: [(layout: PackedTensor, values: Tensor)] = []
    var entries: [PackedDescription.Entry] = []
    var numbers: [Float] = []
    for node in model.graph.nodes {
      for (role, parameter) in model.parameters(of: node) {
        var entry: PackedDescription.Entry
        var layout = PackedTensor(
          layer: node.name, role: role.rawValue, dtype: parameter.encoding.tensor.dtype, shape: parameter.shape)
        switch parameter.encoding {
        case .float(let values): entry = .init(type: values.dtype.rawValue)
        case .integer(let integers):
          entry = .init(type: integers.values.dtype.rawValue)
          if integers.bits < 8 { entry.bits = integers.bits }
          if Self.derivedScales(model, node, role)?.map(\.bitPattern) == integers.scales.map(\.bitPattern) {
            entry.scales = .derived
          } else {
            entry.scales = integers.scales.count == 1 ? .one : .each
            numbers += integers.scales
          }
          entry.zeroPoints = integers.zeroPoints
          layout.offsets = (integers.zeroPoints ?? []).map(Int16.init)
        case .codes(let coded):
          entry = .init(type: PackedDescription.codes)
          let steps = coded.steps
          if steps == nil { entry.table = coded.table.count } else { entry.steps = coded.table.count }
          let zero = coded.table.indices.min { abs(coded.table[$0]) < abs(coded.table[$1]) } ?? 0
          if zero != 0 {
            entry.zero = zero
            layout.offsets = [Int16(zero)]
          }
          numbers += steps.map { [$0.step] } ?? coded.table
        }
        entry.structure = parameter.structure
        tensors.append((layout, parameter.encoding.tensor.contiguous()))
        if let mask = parameter.mask {
          let nonzero = parameter.encoding.nonzeroMask
          entry.mask = PackedMask.agree(mask, nonzero) ? .nonzero : .own
          if entry.mask == .own {
            let layout = PackedTensor(layer: node.name, role: "mask", dtype: .uint8, shape: parameter.shape)
            tensors.append((layout, PackedMask.difference(mask, nonzero)))
          }
        }
        entries.append(entry)
      }
    }
    var zeroPoints: [Int?] = [], bits: [Int] = [], levels: [Int?] = [], steps: [Float] = []
    for value in model.graph.values {
      var zeroPoint: Int?, count: Int?
      switch model.activations[value] {
      case .affine(let quantization):
        zeroPoint = quantization.zeroPoint
        bits.append(quantization.bits)
        numbers.append(quantization.scale)
      case .levels(let rounded):
        count = rounded.values.count
        steps += rounded.values
      case nil: break
      }
      zeroPoints.append(zeroPoint)
      levels.append(count)
    }
    numbers += steps
    let layout = PackedTensor(layer: nil, role: "scales", dtype: .float32, shape: [numbers.count])
    tensors.append((layout, Tensor(numbers)))
    self.tensors = tensors
    description = PackedDescription(
      graph: model.graph, parameters: entries, activations: bits.isEmpty ? nil : zeroPoints,
      activationBits: bits.allSatisfy { $0 == 8 } ? nil : bits, levels: steps.isEmpty ? nil : levels,
      signature: model.signature)
  }

  /// The scales that a bias has as a rule: those of the products that it is added to. nil where there are no such.
  private static func derivedScales(_ model: Model, _ node: Node, _ role: ParameterRole) -> [Float]? {
    guard role == .bias, case .integer(let weight)? = model[node.name, .weight]?.encoding else { return nil }
    return derivedScales(model.activations, node, weight.scales)
  }

  static func derivedScales(
    _ activations: [String: ActivationEncoding], _ node: Node, _ weightScales: [Float]
  ) -> [Float]? {
    guard let input = node.inputs.first, case .affine(let quantization)? = activations[input] else { return nil }
    return weightScales.map { quantization.scale * $0 }
  }
}
