import Kernels
import Network
import Tensors

/// What one step runs, with all that was prepared for it. Counts are elements of one sample.
enum StepKernel: Sendable {
  case floatConvolution(FloatConvolution)
  case dynamicConvolution(DynamicConvolution)
  case integerConvolution(IntegerConvolution)
  /// From uint8 to float32; the input's quantization as often as there can be images.
  case decodingConvolution(IntegerConvolution, [AffineQuantization])

  case floatMaxPool(Pooling)
  case floatAveragePool(Pooling)
  /// The table, where there is one, codes the result anew.
  case integerMaxPool(Pooling, table: [UInt8]?)
  case integerAveragePool(Pooling, from: AffineQuantization, to: AffineQuantization)

  case floatAdd(count: Int, clamp: ClosedRange<Float>, Broadcast)
  case integerAdd(IntegerAddition, Broadcast)
  case concatenate(Concatenation)
  case floatPad(ZeroPadding)
  /// Surrounded by the input's zero point; the table, where there is one, codes the result anew.
  case integerPad(ZeroPadding, table: [UInt8]?, zeroPoint: UInt8)

  case floatClamp(count: Int, to: ClosedRange<Float>)
  case sigmoid(count: Int)
  case softmax(rows: Int, columns: Int)

  /// The same values for every sample.
  case constant([Float])
  /// Any other.
  case prepared(any PreparedStep)
  case quantize(count: Int, AffineQuantization)
  case dequantize(count: Int, AffineQuantization)
  /// Any function of uint8 values.
  case lookup(count: Int, table: [UInt8])
  case copy(count: Int)
  case roundAffine(count: Int, scale: Float, zeroPoint: Int, limit: Int)
  case roundLevels(count: Int, middles: [Float], levels: [Float])

  /// Bytes of packed weights.
  var weightBytes: Int {
    switch self {
    case .floatConvolution(let convolution): convolution.packedBytes
    case .dynamicConvolution(let dynamic): dynamic.convolution.packedBytes
    case .integerConvolution(let convolution), .decodingConvolution(let convolution, _): convolution.packedBytes
    default: 0
    }
  }

  /// Whether the result may take the place of an input of the same size.
  var worksInPlace: Bool {
    switch self {
    case .floatAdd(_, _, let broadcast), .integerAdd(_, let broadcast): !broadcast.isNeeded
    case .prepared(let step): step.worksInPlace
    case .floatClamp, .sigmoid, .softmax, .lookup, .roundAffine, .roundLevels: true
    default: false
    }
  }

  func scratchBytes(batch: Int, threads: Int) -> Int {
    switch self {
    case .floatConvolution(let convolution): convolution.scratchBytes(batch: batch, threads: threads)
    case .dynamicConvolution(let dynamic): dynamic.scratchBytes(batch: batch, threads: threads)
    case .integerConvolution(let convolution), .decodingConvolution(let convolution, _):
      convolution.scratchBytes(batch: batch, threads: threads)
    default: 0
    }
  }
}

/// A step in a file of its own, with all that was prepared for it. It needs neither packed weights nor scratch.
protocol PreparedStep: Sendable {
  /// Whether the result may take the place of an input of the same size.
  var worksInPlace: Bool { get }

  /// Computes the step for the images of a call.
  func run(_ step: BoundStep, _ call: Call)
}
