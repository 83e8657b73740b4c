import Diagnostics
import Kernels
import Network
import Tensors

/// One parameter while it is trained: its values, their gradient, and which of them are held at zero.
final class TrainableParameter {
  let layer: String
  let role: ParameterRole
  let shape: Shape
  let values: FloatBuffer
  /// nil for running statistics, which gradient descent does not move.
  let gradient: FloatBuffer?
  /// Whether weight decay pulls it towards zero.
  var decays: Bool
  /// What the optimizer remembers, each buffer as long as `values`.
  var state: [FloatBuffer] = []
  /// What a hook gathers of it over the steps: float32 of the parameter's shape.
  private(set) var gathered: Tensor?
  /// uint8 of the parameter's shape; where it is 0 the value is zero and stays zero.
  private(set) var mask: Tensor?
  /// What the zeros of the mask came in when training began.
  private var structure: SparsityStructure?

  init(layer: String, role: ParameterRole, _ parameter: Parameter) throws {
    guard case .float(let tensor) = parameter.encoding else {
      throw CompressError(
        "\(role.rawValue) is \(parameter.encoding.name); only floats can be trained",
        hint: "train first, then quantize"
      ).at(layer: layer)
    }
    self.layer = layer
    self.role = role
    shape = parameter.shape
    values = try FloatBuffer(tensor)
    gradient = role.isTrainable ? try FloatBuffer(shape.count) : nil
    decays = role == .weight
    mask = parameter.mask
    structure = parameter.structure
    holdMask()
  }

  /// Whose values these are, where a layer computes with another's.
  private var owner: TrainableParameter?

  /// The same values with another gradient, for a layer that computes with another's parameters.
  init(sharing owner: TrainableParameter) throws {
    layer = owner.layer
    role = owner.role
    shape = owner.shape
    values = owner.values
    gradient = try owner.gradient.map { try FloatBuffer($0.count) }
    decays = owner.decays
    self.owner = owner
  }

  /// Adds what this one's layer has found to the owner's gradient.
  func addGradientToOwner(_ pool: ThreadPool) {
    guard let gradient, let total = owner?.gradient else { return }
    Elementwise.add(total.base, gradient.base, output: total.base, count: gradient.count, pool: pool)
  }

  func setMask(_ mask: Tensor?) throws {
    if let mask, mask.dtype != .uint8 || mask.shape != shape {
      throw CompressError("a \(mask.dtype) mask of shape \(mask.shape) for a \(role.rawValue) of shape \(shape)")
        .at(layer: layer)
    }
    self.mask = mask
    holdMask()
  }

  func gather(_ tensor: Tensor) throws {
    guard tensor.shape == shape else {
      throw CompressError("a tensor of shape \(tensor.shape) gathered for a \(role.rawValue) of shape \(shape)")
        .at(layer: layer)
    }
    gathered = tensor.converted(to: .float32).contiguous()
  }

  /// Zeroes what the mask removes, in the values and in what the optimizer remembers of them: momentum
  /// must not bring a weight back.
  func holdMask(_ pool: ThreadPool = .serial, withState: Bool = true) {
    guard let mask else { return }
    mask.withElements(UInt8.self) { keep in
      for buffer in withState ? [values] + state : [values] {
        pool.forChunks(keep.count) { range in
          let p = buffer.base
          for i in range {
            let value = p[i]
            p[i] = keep[i] == 0 ? 0 : value
          }
        }
      }
    }
  }

  var trained: Parameter {
    get throws {
      var trained = try Parameter(.float(values.tensor(shape)), mask: mask)
      trained.adopt(structure)
      return trained
    }
  }
}

/// The parameters of a model while it is trained: what a `TrainingHook` sees and may edit between steps.
public final class TrainableWeights {
  let graph: Graph
  /// In the model's order.
  let parameters: [TrainableParameter]
  private let indices: [String: [ParameterRole: Int]]
  /// What the network will do to them when it is quantized, as it was at the beginning.
  let quantization: FakeQuantization
  private let signature: ModelSignature

  /// - Throws: `CompressError` naming the layer when the model is quantized, or `quantization` does not fit it.
  init(_ model: Model, quantization: FakeQuantization = FakeQuantization()) throws {
    for value in model.graph.values where model.activations[value] != nil {
      throw CompressError(
        "its output is quantized; only float models can be trained", hint: "train first, then quantize"
      ).at(layer: value)
    }
    graph = model.graph
    self.quantization = quantization
    signature = model.signature
    parameters =
      try model.allParameters.map { try TrainableParameter(layer: $0.layer, role: $0.role, $0.parameter) }
      + Self.scales(quantization, of: model)
    var indices: [String: [ParameterRole: Int]] = [:]
    for (index, parameter) in parameters.enumerated() { indices[parameter.layer, default: [:]][parameter.role] = index }
    self.indices = indices
  }

  /// The scales that are learned, in the graph's order.
  private static func scales(_ quantization: FakeQuantization, of model: Model) throws -> [TrainableParameter] {
    var scales: [TrainableParameter] = []
    for node in model.graph.nodes {
      try atLayer(node.name) {
        if let weight = quantization.weights[node.name] {
          guard let shape = model[node.name, .weight]?.shape, [1, shape[0]].contains(weight.scales.count) else {
            throw CompressError("\(weight.scales.count) scales for its weight")
          }
          if quantization.learnsScales {
            let zeros = Parameter(Tensor(zeros: [weight.scales.count]))
            scales.append(try TrainableParameter(layer: node.name, role: .weightScale, zeros))
          }
        }
        if quantization.activations[node.name] != nil, quantization.learnsScales {
          scales.append(try TrainableParameter(layer: node.name, role: .outputScale, Parameter(Tensor(zeros: [1]))))
        }
        if let codes = quantization.ties[node.name] {
          guard codes.dtype == .uint8, codes.shape == model[node.name, .weight]?.shape else {
            throw CompressError("ties of shape \(codes.shape) for its weight")
          }
        }
      }
    }
    return scales
  }

  /// Names of the layers that have a weight, in the graph's order.
  public var weightLayers: [String] { parameters.filter { $0.role == .weight }.map(\.layer) }

  /// A copy of a parameter's current values, float32; nil when the layer has none in that role.
  public func values(_ layer: String, _ role: ParameterRole = .weight) -> Tensor? {
    parameter(layer, role).map { $0.values.tensor($0.shape) }
  }

  /// A copy of the gradient of the loss of the last batch; nil when the layer has no such parameter. Where a mask holds
  /// values at zero it is the gradient there, too.
  public func gradient(_ layer: String, _ role: ParameterRole = .weight) -> Tensor? {
    parameter(layer, role).flatMap { parameter in parameter.gradient?.tensor(parameter.shape) }
  }

  /// What hooks have gathered of a layer's weight over the steps, of its shape: it goes into checkpoints along with the
  /// weight. nil before the first time.
  public func gathered(_ layer: String) -> Tensor? { parameter(layer, .weight)?.gathered }

  /// - Throws: `CompressError` when the layer has no weight or the shape is not that of its weight.
  public func gather(_ tensor: Tensor, of layer: String) throws {
    guard let parameter = parameter(layer, .weight) else { throw CompressError("has no weight").at(layer: layer) }
    try parameter.gather(tensor)
  }

  /// The mask in force (uint8, 1 keeps, 0 removes); nil when all is kept.
  public func mask(_ layer: String, _ role: ParameterRole = .weight) -> Tensor? { parameter(layer, role)?.mask }

  /// Replaces a parameter's mask and zeroes at once what it removes. A value that comes free again
  /// starts from zero, and so does the optimizer's memory of it.
  ///
  /// - Throws: `CompressError` when there is no such parameter or the mask is no uint8 tensor of its shape.
  public func setMask(_ mask: Tensor?, of layer: String, _ role: ParameterRole = .weight) throws {
    guard let parameter = parameter(layer, role) else {
      throw CompressError("has no \(role.rawValue) to mask").at(layer: layer)
    }
    try parameter.setMask(mask)
  }

  /// The model with its current values; masks are kept.
  public func model() throws -> Model {
    var trained: [String: [ParameterRole: Parameter]] = [:]
    for parameter in parameters where parameter.role != .weightScale && parameter.role != .outputScale {
      trained[parameter.layer, default: [:]][parameter.role] = try parameter.trained
    }
    return try Model(graph: graph, parameters: trained, signature: signature)
  }

  /// Whether there are running statistics.
  var hasStatistics: Bool { parameters.contains { $0.role == .mean } }

  var areFinite: Bool {
    parameters.allSatisfy { parameter in (0..<parameter.values.count).allSatisfy { parameter.values[$0].isFinite } }
  }

  /// The first value that is no number.
  var firstNonFinite: (layer: String, role: ParameterRole, index: Int, count: Int, value: Float)? {
    for parameter in parameters {
      let values = parameter.values
      guard let index = (0..<values.count).first(where: { !values[$0].isFinite }) else { continue }
      return (parameter.layer, parameter.role, index, values.count, values[index])
    }
    return nil
  }

  /// By role; nothing of a layer that has none of its own.
  func parameters(of layer: String) -> [ParameterRole: TrainableParameter] {
    (indices[layer] ?? [:]).mapValues { parameters[$0] }
  }

  func parameter(_ layer: String, _ role: ParameterRole) -> TrainableParameter? {
    indices[layer]?[role].map { parameters[$0] }
  }
}
