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
  /// Of one sample: fewer than the layer has by its definition where Winograd's method saves some.
  public let multiplications: Int
  /// Of the weights the share that sparse kernels leave out; nil where there are none for the layer.
  public let zeros: Double?
  let limits: CutLimits
}

extension Program {
  /// Chooses for each layer with weights the algorithm that computes it, and how its work is cut into pieces.
  ///
  /// Which float algorithm is taken follows from shape, zeros and precision (`ConvolutionAlgorithm.cheapest`), so that
  /// results are the same wherever they are computed. Integer sums are exact, so there the cheapest on the machine is taken.
  /// Nothing here asks the machine this runs on.
  mutating func selectKernels(_ options: CompileOptions) throws {
    for (index, operation) in operations.enumerated() {
      var work = try atLayer(operation.layer) { try ConvolutionWork(operation, values, batch: options.maxBatch) }
      work?.isExact = options.isExact
      if !options.leavesZerosOut { work?.sparse = nil }
      operations[index].choice = work?.choice(on: options.machine)
    }
  }
}

/// A layer with weights, as far as the choice of its kernel asks.
struct ConvolutionWork {
  let geometry: ConvolutionGeometry
  let sumsIntegers: Bool
  let batch: Int
  /// What sparse kernels would multiply with; nil where there are none for such a layer.
  var sparse: SparseCount?
  /// Bytes of an input element and of a weight as they are read.
  let inputBytes, weightBytes: Int
  /// Whether float sums keep the order of the definition.
  var isExact = false

  init(_ geometry: ConvolutionGeometry, sumsIntegers: Bool, batch: Int, weightBytes: Int, sparse: SparseCount? = nil) {
    self.geometry = geometry
    self.sparse = sparse
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
    var weights: Program.Weights?
    switch operation.kind {
    case .affine:
      guard operation.arithmetic != .int8 else { return nil }  // has a step of its own
      geometry = try .perChannel(values[operation.output].shape)
    case .node(.conv2d(let conv), let own):
      geometry = try ConvolutionGeometry(conv, image: shape)
      weights = own
    case .node(.dense(let dense), let own):
      geometry = try .dense(over: shape, outputs: dense.units)
      weights = own
    default: return nil
    }
    let isInteger = operation.arithmetic.sumsIntegers
    self.init(
      geometry, sumsIntegers: isInteger, batch: batch,
      weightBytes: isInteger ? 1 : operation.arithmetic == .float16Weights ? 2 : 4,
      sparse: weights.flatMap {
        Self.sparse(
          $0.weight, geometry, operation.arithmetic, yieldsCodes: values[operation.output].quantization != nil)
      })
  }

  /// Counts the weights where there is a sparse kernel for them.
  private static func sparse(
    _ weights: Encoding, _ geometry: ConvolutionGeometry, _ arithmetic: Arithmetic, yieldsCodes: Bool
  ) -> SparseCount? {
    guard ConvolutionAlgorithm.sparse.computes(geometry) else { return nil }
    switch (arithmetic, weights) {
    case (.float32, _), (.simulated, _):
      return weights.decoded.withElements(Float.self) { SparseCount($0, outputs: geometry.outputChannels) }
    case (.int8, .integer(let integers)):
      guard yieldsCodes, integers.zeroPoints == nil, geometry.window.channels % 4 == 0 else { return nil }
      return integers.values.withElements(Int8.self) { SparseCount($0, outputs: geometry.outputChannels) }
    default: return nil
    }
  }

  /// Those that sum in the order of the definition.
  private static let direct: [ConvolutionAlgorithm] = [.taps, .pixels, .patches]

  /// - Parameter cost: of an algorithm in cycles; nil for the model's.
  func choice(on machine: Machine, cost: ((ConvolutionAlgorithm) -> Double)? = nil) -> KernelChoice {
    func cycles(_ algorithm: ConvolutionAlgorithm) -> Double {
      cost?(algorithm) ?? self.cycles(of: algorithm, on: machine)
    }
    func choice(_ algorithm: ConvolutionAlgorithm, _ reason: String) -> KernelChoice {
      KernelChoice(
        algorithm: algorithm, reason: reason, cycles: cycles(algorithm),
        multiplications: algorithm.multiplications(geometry, sparse), zeros: sparse?.zeros,
        limits: limits(on: machine))
    }
    guard sumsIntegers else {
      guard weightBytes == 4 else { return choice(.standard(geometry), reason(.standard(geometry))) }
      let costs = ConvolutionAlgorithm.costs(geometry, sparse, isExact: isExact).sorted { $0.cost < $1.cost }
      return choice(costs[0].algorithm, reason(costs[0].algorithm) + zerosThatSaveNothing(costs))
    }
    var able = Self.direct.filter { $0.computes(geometry) }
    if sparse != nil { able.append(.sparse) }
    able.sort { cycles($0) < cycles($1) }
    var reason = reason(able[0])
    if able.count > 1 {
      let times = (cycles(able[1]) / max(cycles(able[0]), 1)).rounded(.toNearestOrAwayFromZero)
      reason += ", \(able[1].rawValue) would take about \(Int(min(times, 1000))) times as long"
    }
    return choice(able[0], reason)
  }

  private func reason(_ algorithm: ConvolutionAlgorithm) -> String {
    let window = geometry.window
    return switch algorithm {
    case .taps: "one filter to each channel"
    case .pixels: window.outputPixels == 1 ? "one vector of inputs" : "single pixels, read in place"
    case .patches:
      "windows of \(window.kernelHeight)x\(window.kernelWidth)"
        + (geometry.groups > 1 ? " in \(geometry.groups) groups" : "")
    case .sparse: "\(Self.share(sparse?.zeros ?? 0)) zeros are left out"
    case .winograd2: "F(2x2, 3x3), 4 multiplications for 9"
    case .winograd4: "F(4x4, 3x3), 2.25 multiplications for 9"
    }
  }

  /// What is said where a layer with many zeros is computed without leaving them out.
  private func zerosThatSaveNothing(_ costs: [(algorithm: ConvolutionAlgorithm, cost: Double)]) -> String {
    guard let sparse, sparse.zeros >= 0.3, costs[0].algorithm != .sparse else { return "" }
    guard let cost = costs.first(where: { $0.algorithm == .sparse })?.cost else { return "" }
    let times = ((cost / costs[0].cost) * 10).rounded() / 10
    return ", without its \(Self.share(sparse.zeros)) zeros about \(times) times as long"
  }

  private static func share(_ zeros: Double) -> String { "\((zeros * 1000).rounded(.down) / 10) %" }

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
    case .sparse:
      guard let sparse else { return .infinity }
      let floats = machine.floatMACsPerCycle
      // Of integers a word's product is four, and takes as long as they do densely, or a little longer.
      let product = 1.2 * (sumsIntegers ? 4 * floats / rate : 1)
      return SparseCost(geometry, sparse).operations(outputs: batch * window.outputPixels, product: product) * 16
        / floats
    case .winograd2, .winograd4:
      let side = algorithm == .winograd2 ? 2 : 4, places = Double((side + 2) * (side + 2))
      let tiles = Double(
        batch * ((window.outputHeight + side - 1) / side) * ((window.outputWidth + side - 1) / side))
      let channels = Double(window.channels + geometry.outputChannels)
      let products = tiles * places * Double(window.channels * geometry.outputChannels) / rate
      // Every number of a transformed tile is written and read.
      let transforms = 2 * tiles * places * channels * 4 / machine.cacheBytesPerCycle
      return products + transforms + reading * places / 9
    }
  }
}
