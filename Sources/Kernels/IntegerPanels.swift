import CKernels

/// The int8 weights of a convolution as the integer kernels read them (see ck_s8_pack), and what is known of the sums.
///
/// Each group's matrix (depth, outputs) is cut into panels of columns, stored in groups of four k, zeros filling the
/// last. By taps they are one panel of (tap, channel). Where the instruction set has a tile for quads, each panel is a list
/// of them (see `ck_s8_quads`).
struct IntegerPanels {
  private let geometry: ConvolutionGeometry
  private let layout: ck_panels
  private let isByTaps: Bool
  /// The tile that the weights are packed for.
  let tile: ck_tile
  /// Of weights in quads, the first one of each panel of all groups, and behind the last.
  let firstQuads: [UInt32]?
  /// Bytes of one group's panels, and of all.
  let groupBytes: Int
  let byteCount: Int
  /// For each output channel the sum of its weights less their zero point, which the input's zero point multiplies.
  let sums: [Int32]
  /// The least and greatest sum that activations of 0...255 can reach in each output channel.
  let reach: [ClosedRange<Int>]

  /// - Precondition: 255 times the greatest weight less its zero point times the depth fits 31 bits.
  init(
    _ geometry: ConvolutionGeometry, _ weights: UnsafePointer<Int8>, zeroPoints: [Int32]?, byTaps: Bool,
    isa: InstructionSet
  ) {
    let depth = geometry.depth, kernels = isa.kernels.pointee
    self.geometry = geometry
    isByTaps = byTaps
    let isInQuads = !byTaps && kernels.quads_tile.rows > 0 && depth >= 4
    tile = isInQuads ? kernels.quads_tile : kernels.u8_tile
    layout = ck_panels(n: geometry.outputsPerGroup, k: depth, tile: tile.columns, lanes: tile.lanes)
    groupBytes = ck_u8s8_panel_bytes(layout)
    let first = isInQuads ? Self.countQuads(weights, geometry, layout) : nil
    firstQuads = first
    if let first {
      byteCount = Int(first.last!) * tile.columns * 4
    } else {
      byteCount = byTaps ? geometry.outputChannels * roundUp(depth, to: 4) : geometry.groups * groupBytes
    }
    var sums = [Int32](), reach = [ClosedRange<Int>]()
    for channel in 0..<geometry.outputChannels {
      let zeroPoint = Int(zeroPoints?[channel] ?? 0)
      var negative = 0, positive = 0
      for i in 0..<depth {
        let weight = Int(weights[channel * depth + i]) - zeroPoint
        if weight < 0 { negative += weight } else { positive += weight }
      }
      sums.append(Int32(negative + positive))
      reach.append(255 * negative...255 * positive)
    }
    self.sums = sums
    self.reach = reach
  }

  private static func countQuads(
    _ weights: UnsafePointer<Int8>, _ geometry: ConvolutionGeometry, _ layout: ck_panels
  ) -> [UInt32] {
    var first: [UInt32] = [0]
    for group in 0..<geometry.groups {
      for panel in 0..<ck_panel_count(layout) {
        let from = weights + (group * geometry.outputsPerGroup + panel * layout.tile) * geometry.depth
        let quads = ck_s8_quads(ck_panel_columns(layout, panel), layout.tile, geometry.depth, from, nil, nil)
        first.append(first.last! + UInt32(quads))
      }
    }
    return first
  }

  /// Writes the weights in quads, and which activations each quad meets.
  func pack(
    _ weights: UnsafePointer<Int8>, into target: UnsafeMutablePointer<Int8>, places: UnsafeMutablePointer<UInt32>
  ) {
    let panels = ck_panel_count(layout)
    for (index, first) in (firstQuads ?? []).dropLast().enumerated() {
      let (group, panel) = (index / panels, index % panels), first = Int(first)
      let from = weights + (group * geometry.outputsPerGroup + panel * layout.tile) * geometry.depth
      _ = ck_s8_quads(
        ck_panel_columns(layout, panel), layout.tile, geometry.depth, from, places + first,
        target + first * layout.tile * 4)
    }
  }

  func pack(_ weights: UnsafePointer<Int8>, into target: UnsafeMutablePointer<Int8>) {
    guard !isByTaps else {
      ck_s8_pack(geometry.outputChannels, geometry.outputChannels, geometry.depth, weights, target)
      return
    }
    for group in 0..<geometry.groups {
      for panel in 0..<ck_panel_count(layout) {
        ck_s8_pack(
          ck_panel_columns(layout, panel), ck_panel_width(layout, panel), geometry.depth,
          weights + (group * geometry.outputsPerGroup + panel * layout.tile) * geometry.depth,
          target + group * groupBytes + ck_u8s8_panel_start(layout, panel))
      }
    }
  }
}
