import CKernels

/// Weights with many zeros, as the kernels read them that leave zeros out (see ck-sparse.h): words of 32 bits, each a float
/// or four int8 of neighbouring input channels.
struct SparseWeights {
  /// What a step holds of them.
  let native: ck_sparse_weights
  /// How many words are not zero.
  var nonzeros: Int { native.nonzeros }
  private let matrix: WordMatrix
  /// Where each part's filters begin, and where the last ends.
  private let bounds: [Int]
  /// Nonzeros of each filter in each block of rows, filter by filter.
  private let counts: [UInt16]

  private var blocks: Int { ceilDivide(matrix.depth, Int(CK_STRIP_ROWS)) }

  /// - Parameter outputPixels: of one image: where they fill few strips, filters come in parts, so that threads can
  ///   share them.
  /// - Precondition: `ConvolutionAlgorithm.sparse` computes the convolution.
  init(_ matrix: WordMatrix, outputPixels: Int, in places: inout ConstantLayout) {
    self.matrix = matrix
    let rows = Int(CK_STRIP_ROWS), blocks = ceilDivide(matrix.depth, rows)
    var counts = [UInt16](repeating: 0, count: matrix.outputs * blocks)
    var sums = [Int](repeating: 0, count: matrix.outputs)
    for filter in 0..<matrix.outputs {
      for block in 0..<blocks {
        let count = matrix.nonzeros(filter, block * rows..<min((block + 1) * rows, matrix.depth))
        counts[filter * blocks + block] = UInt16(count)
        sums[filter] += count
      }
    }
    self.counts = counts
    bounds = Self.bounds(sums, parts: ceilDivide(8, ceilDivide(outputPixels, Int(CK_STRIP))))
    let nonzeros = sums.reduce(0, +), parts = bounds.count - 1, pairs = matrix.outputs * blocks
    // Each run has a filter at least; zero to all rows, each of them twice, are as many lengths as a block can have.
    let runs = min(pairs, parts * blocks * (2 * rows + 1))
    native = ck_sparse_weights(
      depth: matrix.depth, parts: parts, nonzeros: nonzeros,
      bounds: places.add(bytes: (parts + 1) * 4),
      places: places.add(bytes: parts * blocks * MemoryLayout<ck_sparse_place>.stride),
      runs: places.add(bytes: runs * MemoryLayout<ck_sparse_run>.stride), filters: places.add(bytes: pairs * 2),
      // A value and its row are written before it is known whether they stay.
      rows: places.add(bytes: nonzeros + 1), values: places.add(bytes: (nonzeros + 1) * 4))
  }

  /// Parts of whole sixteens of filters, at least 64 each, with about the same number of weights.
  private static func bounds(_ sums: [Int], parts: Int) -> [Int] {
    let parts = max(min(parts, sums.count / 64), 1), total = sums.reduce(0, +)
    var bounds = [0], seen = 0
    for filter in sums.indices {
      if filter % 16 == 0, filter > 0, bounds.count < parts, seen * parts >= total * bounds.count {
        bounds.append(filter)
      }
      seen += sums[filter]
    }
    return bounds + [sums.count]
  }

  /// Writes all of it to where the layout has room for it.
  func pack(into constants: OwnedMemory) {
    func array<T>(_ offset: Int, of type: T.Type) -> UnsafeMutablePointer<T> {
      (constants.base + offset).assumingMemoryBound(to: T.self)
    }
    constants.store(bounds.map(UInt32.init), at: native.bounds)
    let places = array(native.places, of: ck_sparse_place.self), runs = array(native.runs, of: ck_sparse_run.self)
    let filters = array(native.filters, of: UInt16.self)
    let rows = array(native.rows, of: UInt8.self), values = array(native.values, of: UInt32.self)
    let height = Int(CK_STRIP_ROWS)
    var run = 0, filter = 0, value = 0
    for part in 0..<native.parts {
      for block in 0..<blocks {
        let firstRun = run, firstFilter = filter, firstValue = value
        // Filters by their number of weights, the most first. One without any has its sums begun by the first block.
        var byCount = [[Int]](repeating: [], count: 2 * height + 1)
        for index in bounds[part]..<bounds[part + 1] { byCount[Int(counts[index * blocks + block])].append(index) }
        for count in stride(from: 2 * height, through: block == 0 ? 0 : 1, by: -1) where !byCount[count].isEmpty {
          runs[run] = ck_sparse_run(filters: UInt16(byCount[count].count), nonzeros: UInt16(count))
          run += 1
          for index in byCount[count] {
            filters[filter] = UInt16(index)
            filter += 1
            matrix.copyNonzeros(
              index, block * height..<min((block + 1) * height, matrix.depth), to: values + value, rows: rows + value)
            value += count
          }
        }
        places[part * blocks + block] = ck_sparse_place(
          run: UInt32(firstRun), run_count: UInt32(run - firstRun), filter: UInt32(firstFilter), row: UInt32(firstValue)
        )
      }
    }
  }
}

/// A matrix (outputs, depth) of weights in words of 32 bits.
struct WordMatrix {
  let outputs, depth: Int
  private let words: UnsafeRawPointer
  /// The bits that tell a word from zero: of a float all but the sign.
  private let significant: UInt32
  /// Whether a word of four integers whose pairs leave 16 bits comes as two.
  private let splits: Bool

  init(_ floats: UnsafeBufferPointer<Float>, outputs: Int) {
    words = UnsafeRawPointer(floats.baseAddress!)
    self.outputs = outputs
    depth = floats.count / outputs
    significant = 0x7FFF_FFFF
    splits = false
  }

  /// - Parameter splits: whether a word comes as two where neighbouring weights' products may leave 16 bits, as
  ///   `ck_u8s8_sparse_fn` wants it for some instruction sets.
  /// - Precondition: there are four times as many as words.
  init(_ integers: UnsafeBufferPointer<Int8>, outputs: Int, splits: Bool) {
    words = UnsafeRawPointer(integers.baseAddress!)
    self.outputs = outputs
    depth = integers.count / outputs / 4
    significant = .max
    self.splits = splits
  }

  private func word(_ index: Int) -> UInt32 { words.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self) }

  /// How many words of a filter's rows are not zero.
  func nonzeros(_ output: Int, _ rows: Range<Int>) -> Int {
    var count: UInt32 = 0
    for index in output * depth + rows.lowerBound..<output * depth + rows.upperBound {
      count &+= word(index) & significant == 0 ? 0 : 1
      if splits, ck_s8_moving(word(index)) != 0 { count &+= 1 }
    }
    return Int(count)
  }

  /// How many words are not zero.
  var nonzeros: Int { (0..<outputs).reduce(0) { $0 + nonzeros($1, 0..<depth) } }

  /// A word less the weights that move, which is never zero: each leaves its neighbour.
  private func without(_ moving: UInt32, _ word: UInt32) -> UInt32 {
    var rest = word
    for shift in stride(from: UInt32(0), to: 32, by: 8) where moving >> shift & 0xFF != 0 { rest &= ~(0xFF << shift) }
    return rest
  }

  /// Copies those of a filter's rows, and their rows counted from the first; both arrays have room for one more.
  func copyNonzeros(
    _ output: Int, _ range: Range<Int>, to values: UnsafeMutablePointer<UInt32>, rows: UnsafeMutablePointer<UInt8>
  ) {
    var next = 0
    for row in range {
      var word = word(output * depth + row)
      if splits {
        let moving = ck_s8_moving(word)
        if moving != 0 {
          values[next] = moving
          rows[next] = UInt8(row - range.lowerBound)
          next &+= 1
          word = without(moving, word)
        }
      }
      values[next] = word
      rows[next] = UInt8(row - range.lowerBound)
      next &+= word & significant == 0 ? 0 : 1
    }
  }
}

/// How many of a layer's weights the sparse kernels would multiply with.
public struct SparseCount: Hashable, Sendable {
  /// Words of 32 bits, floats or four integers, that are not zero, and all of them.
  public let nonzeros, words: Int

  init(_ matrix: WordMatrix) {
    nonzeros = matrix.nonzeros
    words = matrix.outputs * matrix.depth
  }

  public init(_ floats: UnsafeBufferPointer<Float>, outputs: Int) { self.init(WordMatrix(floats, outputs: outputs)) }

  /// - Precondition: the input channels are a multiple of four.
  public init(_ integers: UnsafeBufferPointer<Int8>, outputs: Int) { self.init(WordMatrix(integers, outputs: outputs, splits: false)) }

  public init(nonzeros: Int, words: Int) {
    self.nonzeros = nonzeros
    self.words = words
  }

  /// The share of zeros, from 0 to 1.
  public var zeros: Double { words == 0 ? 0 : 1 - Double(nonzeros) / Double(words) }
}
