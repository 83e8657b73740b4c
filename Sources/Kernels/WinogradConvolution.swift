import CKernels

/// A 3x3 convolution in float32 by Winograd's F(2x2, 3x3), where it saves work (see `WinogradTiles`).
///
/// Weights are packed anew in every run: it is for training, where they are never twice the same, and where the larger
/// tiles' weights would take longer to make than they save. The results have the same bits for any number of threads and
/// any instruction set.
public struct WinogradConvolution: Sendable {
  public let geometry: ConvolutionGeometry
  private let isa: InstructionSet

  /// nil where the method does not apply or does not pay.
  public init?(_ geometry: ConvolutionGeometry, isa: InstructionSet = .current) {
    guard WinogradTiles(geometry) != nil else { return nil }
    self.geometry = geometry
    self.isa = isa
  }

  private var tiles: WinogradTiles { WinogradTiles(geometry)! }
  private var inputs: Int { geometry.window.channels }
  private var outputs: Int { geometry.outputChannels }
  /// Of the weights at one place of the transformed tile: B is (inputs, outputs).
  private var layout: PanelLayout { PanelLayout(n: outputs, k: inputs, isa.kernels.pointee.f32_tile) }

  /// What a piece of work may take, so that most of it stays in the second cache level.
  private static let pieceBytes = 1 << 20

  private var tilesPerPiece: Int {
    let rows = isa.kernels.pointee.f32_tile.rows
    let fitting = Self.pieceBytes / (WinogradTiles.places * (inputs + outputs) * MemoryLayout<Float>.stride)
    return max(2, fitting / rows) * rows
  }

  /// One thread's: a piece's tiles before and after the product, or a panel's weights before they are packed.
  private var workCount: Int {
    WinogradTiles.places * max(tilesPerPiece * (inputs + outputs), layout.tile * inputs) + outputs
  }

  public func scratchBytes(threads: Int) -> Int {
    let shared =
      alignedBytes(WinogradTiles.places * layout.count * 4) + 2 * alignedBytes(layout.paddedColumns * 4)
      + alignedBytes(inputs * 4)
    return ScratchCursor.padded(
      shared + threads * (alignedBytes(workCount * 4) + alignedBytes(WinogradPointers.bytes)))
  }

  /// How weights lie in memory.
  public enum Order: Sendable {
    /// OHWI, as the geometry says.
    case forward
    /// Those of the convolution whose input's gradient this one computes from its output's: IHWO for this geometry,
    /// turned by 180 degrees.
    case turned
  }

  /// Convolves `batch` images; input and output must not overlap.
  ///
  /// - Precondition: the scratch has at least `scratchBytes(threads:)` bytes.
  public func run(
    input: UnsafePointer<Float>, weights: UnsafePointer<Float>, order: Order = .forward, bias: UnsafePointer<Float>?,
    clamp: ClosedRange<Float> = -.infinity ... .infinity, output: UnsafeMutablePointer<Float>, batch: Int,
    scratch: UnsafeMutableRawBufferPointer, pool: ThreadPool
  ) {
    let layout = layout
    var cursor = ScratchCursor(scratch, needed: scratchBytes(threads: pool.threads))
    let packed = cursor.take(WinogradTiles.places * layout.count, of: Float.self)
    let added = cursor.take(layout.paddedColumns, of: Float.self)
    let nothing = cursor.take(layout.paddedColumns, of: Float.self)
    let outside = cursor.take(inputs, of: Float.self)
    let workers = (0..<pool.threads).map { _ in
      Worker(memory: cursor.take(workCount, of: Float.self), pointers: WinogradPointers(&cursor))
    }
    for zeros in [added, nothing] { zeros.update(repeating: 0, count: layout.paddedColumns) }
    if let bias { added.update(from: bias, count: outputs) }
    outside.update(repeating: 0, count: inputs)

    pool.parallelFor(layout.panels) { panel, worker in
      switch order {
      case .forward: pack(weights, panel, into: packed, workers[worker])
      case .turned: packTurned(weights, panel, into: packed, workers[worker])
      }
    }
    let tiles = tiles, perPiece = tilesPerPiece, count = batch * tiles.perImage
    let loop = FloatTileLoop(kernels: isa.kernels, layout: layout, low: -.infinity, high: .infinity)
    pool.parallelFor(ceilDivide(count, perPiece)) { piece, worker in
      let (memory, pointers) = (workers[worker].memory, workers[worker].pointers)
      let first = piece * perPiece, rows = min(perPiece, count - first)
      let seen = memory, products = memory + WinogradTiles.places * perPiece * inputs
      let sink = products + WinogradTiles.places * perPiece * outputs
      for tile in 0..<rows {
        tiles.see(first + tile, of: input, zeros: outside, pointers.from)
        pointers.write(seen + tile * inputs, step: perPiece * inputs)
        isa.kernels.pointee.f32_winograd_tile(inputs, pointers.from, pointers.to)
      }
      for place in 0..<WinogradTiles.places {
        loop.run(
          rows: rows, a: seen + place * perPiece * inputs, lda: inputs,
          weights: .float32(packed + place * layout.count), panels: 0..<layout.panels,
          start: nothing, c: products + place * perPiece * outputs,
          ldc: outputs)
      }
      for tile in 0..<rows {
        pointers.read(products + tile * outputs, step: perPiece * outputs)
        tiles.forEachOutput(first + tile) { pointers.to[$0] = $1.map { output + $0 * outputs } ?? sink }
        isa.kernels.pointee.f32_winograd_outputs(
          outputs, pointers.from, added, clamp.lowerBound, clamp.upperBound, pointers.to)
      }
    }
  }

  private struct Worker {
    let memory: UnsafeMutablePointer<Float>
    let pointers: WinogradPointers
  }

  /// Columns are outputs, and rows inputs, which is how the weights' elements follow each other.
  private func pack(
    _ weights: UnsafePointer<Float>, _ panel: Int, into packed: UnsafeMutablePointer<Float>, _ worker: Worker
  ) {
    let layout = layout, columns = layout.columns(panel), step = layout.tile * inputs
    for column in 0..<columns {
      let from = weights + (panel * layout.tile + column) * geometry.depth
      for tap in 0..<9 { worker.pointers.from[tap] = from + tap * inputs }
      worker.pointers.write(worker.memory + column * inputs, step: step)
      isa.kernels.pointee.f32_winograd_weights(inputs, worker.pointers.from, worker.pointers.to)
    }
    for place in 0..<WinogradTiles.places {
      ck_f32_pack(
        columns, layout.width(panel), inputs, worker.memory + place * step, inputs, 1,
        packed + place * layout.count + layout.start(panel))
    }
  }

  /// Here the columns follow each other.
  private func packTurned(
    _ weights: UnsafePointer<Float>, _ panel: Int, into packed: UnsafeMutablePointer<Float>, _ worker: Worker
  ) {
    let layout = layout, columns = layout.columns(panel), width = layout.width(panel)
    for row in 0..<inputs {
      let from = weights + row * 9 * outputs + panel * layout.tile
      for tap in 0..<9 { worker.pointers.from[tap] = from + (8 - tap) * outputs }
      let target = packed + layout.start(panel) + row * width
      worker.pointers.write(target, step: layout.count)
      isa.kernels.pointee.f32_winograd_weights(columns, worker.pointers.from, worker.pointers.to)
      guard columns < width else { continue }
      for place in 0..<WinogradTiles.places {
        (target + place * layout.count + columns).update(repeating: 0, count: width - columns)
      }
    }
  }
}
