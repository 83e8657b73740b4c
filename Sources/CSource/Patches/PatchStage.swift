import Tensors

/// The first layers of a network, computed for one patch of the last one's result after the other: of every result
/// between there is a patch only, with the pixels around it that its readers need. Those are computed again for the
/// patches beside it (MCUNetV2, Lin et al. 2021). Where an image ends, a patch ends, so that what lies outside is the
/// same to each layer as without patches.
struct PatchStage {
  /// A number that the function of a layer is told; of the operand of that index.
  enum Extent: Hashable {
    case rows, columns
    case height(Int), width(Int), top(Int), left(Int)
  }

  /// A part of a value.
  struct Region: Hashable {
    var rows, columns: Range<Int>
  }

  /// The part of an operand that is there, and how far before it the window of the result's first pixel begins.
  struct Operand: Hashable {
    var height, width, top, left: Int
  }

  let chain: PatchChain
  let down, across: PatchAxis

  var count: Int { chain.layers.count }

  /// Multiply-accumulates of the stage, what lies in several patches as often as it is computed.
  var macs: Int {
    chain.layers.enumerated().reduce(0) { sum, item in
      let (index, layer) = item, pixels = layer.shape[0] * layer.shape[1]
      return sum + layer.macs / pixels * down.sum(index) * across.sum(index)
    }
  }
  /// Those that are computed again.
  var macsAgain: Int { macs - chain.macs }

  // MARK: Memory

  /// Bytes of the largest patch of a layer's result; the last layer's lies in the whole image.
  func byteCount(_ layer: Int) -> Int {
    let own = chain.layers[layer]
    return down.most(layer) * across.most(layer) * own.shape[2] * own.elementBytes
  }

  /// How a layer's patches may lie over those of its inputs.
  func overlaps(_ layer: Int) -> [Overlap] {
    let own = chain.layers[layer]
    var seen: Set<[Int]> = [], found: [Overlap]?
    for y in 0..<down.count {
      for x in 0..<across.count {
        let result = Region(rows: down.parts[y][layer], columns: across.parts[x][layer])
        let operands = own.sources.indices.map { operand(layer, $0, y, x) }
        let key =
          [result.rows.count, result.columns.count] + operands.flatMap { [$0.height, $0.width, $0.top, $0.left] }
        guard seen.insert(key).inserted else { continue }
        let overlaps = own.form.overlaps(result, operands)
        found = found.map { zip($0, overlaps).map { $0.0.both($0.1) } } ?? overlaps
      }
    }
    return found ?? own.sources.map { _ in .none }
  }

  /// How the whole result may lie over the image, where nobody reads that behind the stage.
  var overlap: Overlap {
    guard chain.imageEnds else { return .none }
    let last = chain.layers[count - 1], width = chain.imageShape[1]
    let readsImage = last.sources.contains(.image)
    var forward = Int.min, least = Int.max
    for y in (0..<down.count).reversed() {
      for x in (0..<across.count).reversed() {
        let (rows, columns) = (down.image[y], across.image[x])
        let read =
          rows.isEmpty || columns.isEmpty
          ? Int.max : (rows.lowerBound * width + columns.lowerBound) * chain.imageShape[2] * chain.imageBytes
        let (own, beside) = (down.parts[y][count - 1], across.parts[x][count - 1])
        let written =
          ((own.upperBound - 1) * last.shape[1] + beside.upperBound) * last.shape[2] * last.elementBytes
        if readsImage { least = min(least, read) }
        if least != .max { forward = max(forward, written - least) }
        least = min(least, read)
      }
    }
    return forward == .min ? .none : Overlap(forward: forward)
  }

  // MARK: Numbers

  private func operand(_ layer: Int, _ input: Int, _ y: Int, _ x: Int) -> Operand {
    let own = chain.layers[layer], rows: Range<Int>, columns: Range<Int>
    switch own.sources[input] {
    case .layer(let before): (rows, columns) = (down.parts[y][before], across.parts[x][before])
    case .image: (rows, columns) = (0..<chain.imageShape[0], 0..<chain.imageShape[1])
    }
    let reach = own.form.reaches[input]
    return Operand(
      height: rows.count, width: columns.count, top: reach.rows.before(down.parts[y][layer], rows),
      left: reach.columns.before(across.parts[x][layer], columns))
  }

  /// What a layer's function is told, by patch along the axis that it is told of.
  func numbers(_ layer: Int, _ extent: Extent) -> (isDown: Bool, numbers: [Int]) {
    func rows(_ number: (Int) -> Int) -> (Bool, [Int]) { (true, (0..<down.count).map(number)) }
    func columns(_ number: (Int) -> Int) -> (Bool, [Int]) { (false, (0..<across.count).map(number)) }
    return switch extent {
    case .rows: rows { down.parts[$0][layer].count }
    case .columns: columns { across.parts[$0][layer].count }
    case .height(let input): rows { operand(layer, input, $0, 0).height }
    case .top(let input): rows { operand(layer, input, $0, 0).top }
    case .width(let input): columns { operand(layer, input, 0, $0).width }
    case .left(let input): columns { operand(layer, input, 0, $0).left }
    }
  }
}
