import Compression
import Diagnostics
import Network
import Tensors
import Testing

@Suite struct QuantizationAssignmentTests {
  static let int8 = LayerQuantization(
    weights: .integer(bits: 8, granularity: .channel), activations: ActivationFormat())

  func residual(softmax: Bool = false) throws -> Model {
    var net = GraphBuilder(input: [8, 8, 3])
    let stem = net.conv2d(filters: 4, kernel: 3, padding: .same, bias: false, name: "stem")
    net.batchNorm(name: "norm")
    let entry = net.activation(.relu, name: "entry")
    net.conv2d(filters: 4, kernel: 3, padding: .same, name: "branch")
    net.add(entry, "branch", name: "sum")
    net.activation(.relu, name: "joined")
    net.maxPool(2, name: "pool")
    net.flatten(name: "flat")
    net.dense(5, name: "head")
    if softmax { net.activation(.softmax, name: "softmax") }
    _ = stem
    return try Model(initializing: net.graph(), seed: 1)
  }

  func ranges(_ assignment: QuantizationAssignment) throws -> [String: ActivationEncoding] {
    try assignment.observed.mapValues { _ in .affine(try ActivationQuantization(scale: 0.1, zeroPoint: 3)) }
  }

  @Test func observesBothSidesOfEachLayerAndWhatLiesBetween() throws {
    let assignment = try QuantizationAssignment(residual()) { _, _ in Self.int8 }
    #expect(assignment.observed.keys.sorted() == ["branch", "entry", "input", "joined"])
    let model = try assignment.quantized(ranges(assignment))
    #expect(model.graph["norm"] == nil, "batch norms are folded first")
    #expect(model.activations.keys.sorted() == ["branch", "entry", "flat", "input", "joined", "pool"])
    #expect(model.activations["head"] == nil, "the network's output stays float")
    #expect(model["head", .weight]?.encoding.name == "int8")
    #expect(model["head", .bias]?.encoding.name == "int32")
  }

  @Test func logitsBeforeSoftmaxStayFloat() throws {
    let assignment = try QuantizationAssignment(residual(softmax: true)) { _, _ in Self.int8 }
    #expect(assignment.observed["head"] == nil && assignment.observed["softmax"] == nil)
  }

  @Test func weightsAloneNeedNoObservers() throws {
    let assignment = try QuantizationAssignment(residual()) { _, _ in
      LayerQuantization(weights: .integer(bits: 8, granularity: .channel))
    }
    #expect(assignment.observed.isEmpty)
    let model = try assignment.quantized([:])
    #expect(model.activations.isEmpty)
    #expect(model["branch", .bias]?.encoding.name == "float32")
  }

  @Test func reshapedValuesAreObservedWhereTheyAreMade() throws {
    var net = GraphBuilder(input: [4, 4, 1])
    net.flatten(name: "flat")
    net.dense(3, name: "head")
    let assignment = try QuantizationAssignment(Model(initializing: net.graph(), seed: 1)) { _, _ in Self.int8 }
    #expect(assignment.observed.keys.sorted() == ["input"])
    #expect(try assignment.quantized(ranges(assignment)).activations.keys.sorted() == ["flat", "input"])
  }

  @Test func skippedLayersStayFloat() throws {
    let assignment = try QuantizationAssignment(residual()) { _, node in node.name == "head" ? nil : Self.int8 }
    let model = try assignment.quantized(ranges(assignment))
    #expect(model["head", .weight]?.encoding.name == "float32")
  }

  @Test func prunedWeightsStayPruned() throws {
    var model = try residual()
    let weight = model["head", .weight]!.values
    var mask = Tensor(repeating: 1, weight.shape).converted(to: .uint8)
    mask.withMutable(UInt8.self) { for i in $0.indices where i % 3 != 0 { $0[i] = 0 } }
    try model.set(Parameter(.float(Tensor.select(mask, weight, Tensor(scalar: 0))), mask: mask), "head", .weight)
    let assignment = try QuantizationAssignment(model) { _, _ in Self.int8 }
    let head = try assignment.quantized(ranges(assignment))["head", .weight]!
    #expect(head.nonzeroCount <= weight.count / 3 + 1)
    #expect(head.mask != nil)
  }

  @Test func quantizingTwiceIsRefusedWithTheLayersName() throws {
    let assignment = try QuantizationAssignment(residual()) { _, _ in LayerQuantization(weights: .float16) }
    let once = try assignment.quantized([:])
    let error = #expect(throws: CompressError.self) { try QuantizationAssignment(once) { _, _ in Self.int8 } }
    #expect(error?.layer == "stem")
  }

  @Test func uncalibratedLayersAreNamed() throws {
    let assignment = try QuantizationAssignment(residual()) { _, _ in Self.int8 }
    let error = #expect(throws: CompressError.self) { try assignment.quantized([:]) }
    #expect(error?.layer == "input")
  }

  /// What a batch norm multiplies by is made of few gammas and few variances.
  @Test(arguments: LevelSpacing.allCases) func normsOfFewBits(_ spacing: LevelSpacing) throws {
    var net = GraphBuilder(input: [4, 4, 1])
    net.conv2d(filters: 60, kernel: 1, bias: false, name: "conv")
    net.batchNorm(name: "norm")
    var model = try Model(initializing: net.graph(), seed: 1)
    var random = SeededRandom(seed: 8)
    for role in [ParameterRole.gamma, .beta, .mean, .variance] {
      try model.set(Parameter(Tensor(uniform: [60], 0.5, 2, using: &random)), "norm", role)
    }
    func factors(_ norm: NormFormat?) throws -> Set<Float> {
      let assignment = try QuantizationAssignment(model) { _, _ in LayerQuantization(weights: .float16, norm: norm) }
      let folded: [Float] = assignment.model["conv", .weight]!.values.array()
      return Set(zip(folded, model["conv", .weight]!.values.array(Float.self)).map { ($0 / $1 * 1e4).rounded() })
    }
    #expect(try factors(nil).count > 50)
    #expect(try factors(NormFormat(spacing, bits: 2)).count <= 16)
    func mean(_ factors: Set<Float>) -> Float { factors.reduce(0, +) / Float(factors.count) }
    let whole = mean(try factors(nil)), eight = mean(try factors(NormFormat(spacing, bits: 8)))
    #expect(abs(eight - whole) < 0.05 * whole)
    #expect(throws: CompressError.self) { try factors(NormFormat(spacing, bits: 9)) }
  }
}
