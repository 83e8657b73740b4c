import Diagnostics
import Kernels
import Network

public struct CompileOptions: Sendable {
  /// The largest batch that a session can be given at once.
  public var maxBatch = 1
  /// What the plan is made for. No result depends on it.
  public var machine: Machine
  /// Whether float32 convolutions add up their products in the order of the definition, rather than by Winograd's method
  /// where that is faster. Results differ in their last digits.
  public var isExact = false
  /// Whether kernels that leave zeros out may be chosen. Without them a layer takes as long as with weights that are
  /// none of them zero, which is what their time is told beside.
  public var leavesZerosOut = true

  public init(maxBatch: Int = 1, machine: Machine = .host, isExact: Bool = false, leavesZerosOut: Bool = true) {
    self.maxBatch = maxBatch
    self.machine = machine
    self.isExact = isExact
    self.leavesZerosOut = leavesZerosOut
  }
}

/// Makes a plan that computes what the model's annotations say (see `ReferenceInterpreter`).
///
/// Batch norms are folded, transposed convolutions become plain ones, activations that only clamp are fused, reshapes
/// dropped, conversions inserted, kernels chosen for the machine, and weights packed. The plan keeps nothing of the
/// model: once the caller lets go of it, its tensors are released.
///
/// - Throws: `CompressError` when the batch or a scale is out of range, naming the layer; of kind `.limit` when plan
///   and session would take more than `Plan.memoryLimit`, before the session's memory is taken.
public func compile(_ model: consuming Model, _ options: CompileOptions = CompileOptions()) throws -> Plan {
  guard (1...65536).contains(options.maxBatch) else {
    throw CompressError("a batch of \(options.maxBatch) is outside 1...65536")
  }
  var program = try Program(checking: model)
  let floatFallbacks = program.lower()
  try program.selectKernels(options)
  let plan = try Plan(lowering: program, floatFallbacks: floatFallbacks, options)
  guard plan.memoryBytes() <= Plan.memoryLimit else {
    throw CompressError(
      "running it on batches of \(options.maxBatch) takes \(plan.memoryBytes()) bytes, \(plan.weightBytes) of them for "
        + "weights; there is room for \(Plan.memoryLimit)", kind: .limit)
  }
  return plan
}

extension Program {
  /// A model's operations, before the passes.
  ///
  /// - Throws: `CompressError` naming the layer whose scale is out of range.
  package init(checking model: consuming Model) throws {
    for (layer, encoding) in model.activations.sorted(by: { $0.key < $1.key }) {
      guard case .affine(let quantization) = encoding else { continue }
      guard ActivationQuantization.scales.contains(quantization.scale) else {
        throw CompressError("activation scale \(quantization.scale) is out of range", kind: .input).at(layer: layer)
      }
    }
    self.init(try model.foldingBatchNorm().insertingZeros())
  }

  /// Makes every operation one kernel, and decides in which numbers it computes: what plans are made of, and code for
  /// other machines. Nothing in it depends on a machine.
  ///
  /// - Returns: what stays float in a network that holds quantized values, and why.
  package mutating func lower() -> [FloatFallback] {
    fuseActivations()
    inheritQuantization()
    dropReshapes()
    return assignArithmetic()
  }
}
