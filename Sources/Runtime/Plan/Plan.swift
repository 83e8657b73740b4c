import Kernels
import Network
import Tensors

/// A model made ready to run: a list of steps, each one kernel with its packed weights.
///
/// A plan is immutable; any number of sessions, on any threads, share its weights.
public struct Plan: Sendable {
  public struct Step: Sendable {
    /// The layer that it computes, or whose value it converts.
    public let layer: String
    /// The layer whose output it yields: of a fused activation, the activation's.
    public let value: String
    /// What runs, for instance `conv 3x3, relu` or `quantize`.
    public let operation: String
    public let arithmetic: Arithmetic
    /// For one sample.
    public let inputShapes: [Shape]
    public let outputShape: Shape
    /// Element type of the result: float32 or uint8.
    public let outputType: DType
    /// Multiply-accumulates for one sample.
    public let macs: Int
    /// Bytes of the packed weights, with tables and the like.
    public let weightBytes: Int
    /// Whether its result is the same in every call: then a session computes it once, when it begins.
    package let isConstant: Bool

    /// Of a layer with weights: the algorithm that was chosen, and why.
    public let choice: KernelChoice?
    /// The C function that runs, for instance `f32_patches`.
    public var kernelName: String { kernel.kernel }

    let outputQuantization: ActivationQuantization?
    package let kernel: PreparedStep
    /// Numbers of values.
    package let inputs: [Int]
    package let outputs: [Int]

    var output: Int { outputs[0] }
  }

  public let steps: [Step]
  /// What computes in float although the plan holds values as integers, and why.
  public let floatFallbacks: [FloatFallback]
  /// The largest batch a session can be given at once.
  public let maxBatch: Int
  public let inputShapes: [Shape]
  public let outputShapes: [Shape]
  /// The layers that stand for the network's inputs, and the values that are its outputs.
  public let inputNames: [String]
  public let outputNames: [String]
  /// What a session is given for a sample, and gives: one shape of one input or output; of several a vector with the
  /// elements of all, one after the other.
  public var inputShape: Shape { .record(inputShapes) }
  public var outputShape: Shape { .record(outputShapes) }
  /// Elements of one sample and of one result.
  let inputCount: Int
  let outputCount: Int
  /// Bytes of one sample of each value.
  package let valueBytes: [Int]
  package let inputs: [Int]
  package let outputs: [Int]
  /// What the plan is made for: its instruction set's tiles are those that the weights were packed for.
  public let machine: Machine

  /// Bytes of all packed weights, shared by the plan's sessions.
  public var weightBytes: Int { steps.reduce(0) { $0 + $1.weightBytes } }

  /// Multiply-accumulates for one sample.
  public var macs: Int { steps.reduce(0) { $0 + $1.macs } }

  /// Those whose products are of 8-bit integers.
  public var integerMACs: Int { steps.reduce(0) { $0 + ($1.arithmetic.sumsIntegers ? $1.macs : 0) } }

  /// Bytes that plan and session take together, packed weights, values and scratch; nothing is allocated to tell.
  public func memoryBytes(threads: Int = 1) -> Int { weightBytes + arenaBytes(threads: threads) }

  /// Bytes that `compile` takes at most before it can tell: the packed weights, and float32 copies of the parameters.
  public static func largestWeightBytes(of model: Model) -> Int {
    model.graph.nodes.reduce(0) { sum, node in
      let parameters = model.parameters(of: node).reduce(0) { $0 + $1.parameter.count }
      guard let weight = model[node.name, .weight] else { return sum + parameters * 4 }
      let groups = node.op.weighted?.groups ?? 1
      let outputs = max(weight.shape.dims.first ?? 1, 1), depth = weight.count / outputs
      // Kernels read up to 64 columns at once, and 64 rows.
      let packed = groups * (outputs / groups + 64) * (depth + 64) * 4
      return sum + packed + parameters * 4
    }
  }

  /// What a plan and one session of it may take on one thread; `compile` refuses more. Set around work on behalf of
  /// somebody whose memory is limited.
  @TaskLocal public static var memoryLimit = Int.max

  /// Bytes a session on so many threads needs for values and scratch.
  public func arenaBytes(threads: Int = 1) -> Int {
    StepMemory(self, threads: threads).byteCount
      + (computesSamplesApart(maxBatch, threads: threads) ? SamplesApart.byteCount(self, threads: threads) : 0)
  }
}
