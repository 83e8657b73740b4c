import Diagnostics
import Kernels
import Network
import Tensors

/// What computes a step, and why it was chosen.
public struct KernelChoice: Hashable, Sendable {
  public let algorithm: ConvolutionAlgorithm
  /// For instance `windows of 3x3 in 4 groups`.
  public let reason: String
  /// What one thread is thought to need for the largest batch, in cycles: enough to compare, not to foretell.
  public let cycles: Double
  let limits: CutLimits
}

extension Program {
  /// Chooses for each layer with weights the algorithm that computes it, and how its work is cut into pieces.
  ///
  /// Of float algorithms the first that applies is taken: which one follows from shape, the weight's structure and the
  /// precision, so that results are the same wherever they are computed. Integer sums are exact, so there the cheapest
  /// is taken. Nothing here asks the machine this runs on.
  mutating func selectKernels(for machine: Machine, maxBatch: Int) throws {
    for (index, operation) in operations.enumerated() {
      let work = try atLayer(operation.layer) { try ConvolutionWork(operation, values, batch: maxBatch) }
      operations[index].choice = work?.choice(on: machine)
    }
  }
}

/// A layer with weights, as far as the choice of its kernel asks.
struct ConvolutionWork {
  let geometry: ConvolutionGeometry
  let sumsIntegers: Bool
  let batch: Int
  /// Bytes of an input element and of a weight as they are read.
  let inputBytes, weightBytes: Int

  init(_ geometry: ConvolutionGeometry, sumsIntegers: Bool, batch: Int, weightBytes: Int) {
    self.geometry = geometry
    self.sumsIntegers = sumsIntegers
    self.batch = batch
    inputBytes = sumsIntegers ? 1 : 4
    self.weightBytes = weightBytes
  }

  /// nil for what has no weights.
  init?(_ operation: Program.Operation, _ values: [Program.Value], batch: Int) throws {
    let shape = operation.shapes?.first ?? operation.inputs.first.map { values[$0].shape }
    guard let shape else { return nil }
    let geometry: ConvolutionGeometry
    switch operation.kind {
    case .affine:
      guard operation.arithmetic != .int8 else { return nil }  // has a step of its own
      geometry = try .perChannel(values[operation.output].shape)
    case .node(.conv2d(let conv), _): geometry = try ConvolutionGeometry(conv, image: shape)
    case .node(.dense(let dense), _): geometry = try .dense(over: shape, outputs: dense.units)
    default: return nil
    }
    let isInteger = operation.arithmetic.sumsIntegers
    self.init(
      geometry, sumsIntegers: isInteger, batch: batch,
      weightBytes: isInteger ? 1 : operation.arithmetic == .float16Weights ? 2 : 4)
  }

  /// Algorithms in the order in which float layers take them: each with what speaks for it, and its cost.
  private static let candidates: [ConvolutionAlgorithm] = [.taps, .pixels, .patches]

  /// - Parameter cost: of an algorithm in cycles; nil for the model's.
  func choice(on machine: Machine, cost: ((ConvolutionAlgorithm) -> Double)? = nil) -> KernelChoice {
    let able = Self.candidates.filter { $0.computes(geometry) }
    let costs = able.map { cost?($0) ?? cycles(of: $0, on: machine) }
    let best = sumsIntegers ? costs.indices.min { costs[$0] < costs[$1] }! : 0
    var reason = reason(able[best])
    if sumsIntegers, let next = costs.indices.filter({ $0 != best }).min(by: { costs[$0] < costs[$1] }) {
      let times = (costs[next] / max(costs[best], 1)).rounded(.toNearestOrAwayFromZero)
      reason += ", \(able[next].rawValue) would take about \(Int(min(times, 1000))) times as long"
    }
    return KernelChoice(
      algorithm: able[best], reason: reason, cycles: costs[best], limits: limits(on: machine))
  }

  private func reason(_ algorithm: ConvolutionAlgorithm) -> String {
    let window = geometry.window
    return switch algorithm {
    case .taps: "one filter to each channel"
    case .pixels: window.outputPixels == 1 ? "one vector of inputs" : "single pixels, read in place"
    case .patches:
      "windows of \(window.kernelHeight)x\(window.kernelWidth)"
        + (geometry.groups > 1 ? " in \(geometry.groups) groups" : "")
    }
  }

  /// Rows of a piece stay in the second cache level beside a panel; pieces suffice for every thread.
  private func limits(on machine: Machine) -> CutLimits {
    CutLimits(
      pieceBytes: min(max(machine.secondLevelBytes / 4, 32 << 10), CutLimits.standard.pieceBytes),
      pieces: max(CutLimits.standard.pieces, 4 * machine.threads))
  }

  private func cycles(of algorithm: ConvolutionAlgorithm, on machine: Machine) -> Double {
    let kernels = machine.isa.kernels.pointee
    let tile = sumsIntegers ? kernels.u8_tile : kernels.f32_tile
    let rate = sumsIntegers ? machine.integerMACsPerCycle : machine.floatMACsPerCycle
    let window = geometry.window, groups = Double(geometry.groups)
    let pixels = Double(batch * window.outputPixels), depth = Double(geometry.depth)
    let perGroup = geometry.outputChannels / geometry.groups
    let weights = Double(geometry.weightCount * weightBytes)
    // From memory once, where they are more than the cache holds.
    let reading =
      weights
      / (geometry.weightCount * weightBytes > machine.secondLevelBytes
        ? machine.memoryBytesPerCycle : machine.cacheBytesPerCycle)
    switch algorithm {
    case .taps:
      // Each product loads its pixel.
      let products = pixels * Double(geometry.outputChannels) * depth
      return products / min(rate, machine.cacheBytesPerCycle / Double(inputBytes)) + reading
    case .pixels, .patches:
      let lanes = max(tile.lanes, 1), columns = Double((perGroup + lanes - 1) / lanes * lanes)
      // Every row of a tile loads a panel anew.
      let products = pixels * columns * depth * groups / rate
      let loading =
        pixels / Double(max(tile.rows, 1)) * columns * depth * groups * Double(weightBytes)
        / machine.cacheBytesPerCycle
      let gathering =
        algorithm == .pixels ? 0 : 2 * pixels * depth * groups * Double(inputBytes) / machine.cacheBytesPerCycle
      return max(products, loading) + gathering + reading
    }
  }
}
