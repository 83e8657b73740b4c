import CKernels

/// The int8 weights of a convolution as the integer kernels read them.
///
/// Each group's matrix (depth, outputs) is cut into panels of columns, as in `PanelLayout`, but stored in groups
/// of four k, zeros filling the last. Depthwise weights are one panel of (tap, channel).
struct IntegerPanels {
  private let layout: IntegerLayout
  /// Sum of each output channel's weights, which the input's zero point multiplies.
  let sums: [Int32]
  /// The least and greatest sum that activations of 0...255 can reach in each output channel.
  let reach: [ClosedRange<Int>]
  private let memory: OwnedMemory

  /// - Precondition: 255 * 128 * depth fits 31 bits.
  init(_ geometry: ConvolutionGeometry, _ weights: UnsafePointer<Int8>, _ kernels: UnsafePointer<ck_kernels>) {
    let depth = geometry.depth
    layout = IntegerLayout(
      columns: geometry.outputsPerGroup, depth: depth, tile: kernels.pointee.u8_tile.columns,
      lanes: kernels.pointee.u8_tile.lanes)
    var sums = [Int32](), reach = [ClosedRange<Int>]()
    for channel in 0..<geometry.outputChannels {
      var negative = 0, positive = 0
      for i in 0..<depth {
        let weight = Int(weights[channel * depth + i])
        if weight < 0 { negative += weight } else { positive += weight }
      }
      sums.append(Int32(negative + positive))
      reach.append(255 * negative...255 * positive)
    }
    self.sums = sums
    self.reach = reach
    if geometry.isDepthwise {
      memory = OwnedMemory(byteCount: geometry.outputChannels * roundUp(depth, to: 4))
      ck_s8_pack(geometry.outputChannels, geometry.outputChannels, depth, weights, memory.pointer(Int8.self))
      return
    }
    memory = OwnedMemory(byteCount: geometry.groups * layout.byteCount)
    for group in 0..<geometry.groups {
      for panel in 0..<layout.panels {
        let columns = layout.columns(panel)
        ck_s8_pack(
          columns.count, layout.width(panel), depth,
          weights + (group * geometry.outputsPerGroup + columns.lowerBound) * depth,
          memory.pointer(Int8.self) + group * layout.byteCount + layout.start(panel))
      }
    }
  }

  var panels: Int { layout.panels }
  var byteCount: Int { memory.byteCount }

  /// Columns of the panel within its group.
  func columns(_ panel: Int) -> Range<Int> { layout.columns(panel) }
  /// Columns stored, with padding.
  func width(_ panel: Int) -> Int { layout.width(panel) }
  func panel(_ panel: Int, group: Int) -> UnsafePointer<Int8> {
    UnsafePointer(memory.pointer(Int8.self) + group * layout.byteCount + layout.start(panel))
  }

  /// Depthwise weights.
  var byTap: UnsafePointer<Int8> { UnsafePointer(memory.pointer()) }
}

private struct IntegerLayout {
  let columns, depth, tile, lanes: Int

  var panels: Int { ceilDivide(columns, tile) }
  func columns(_ panel: Int) -> Range<Int> { panel * tile..<min((panel + 1) * tile, columns) }
  func width(_ panel: Int) -> Int { roundUp(columns(panel).count, to: lanes) }
  func start(_ panel: Int) -> Int { panel * tile * roundUp(depth, to: 4) }
  var byteCount: Int { start(panels - 1) + width(panels - 1) * roundUp(depth, to: 4) }
}
