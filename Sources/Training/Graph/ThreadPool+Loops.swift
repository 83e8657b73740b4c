import Kernels

// Loops cut into chunks whose bounds depend on the amount of work alone, never on the number of threads.
extension ThreadPool {
  /// Elements to a chunk: enough to be worth handing out, few enough to stay in the cache.
  static let chunk = 16_384

  /// Chunks of the standard size that `count` elements make.
  static func chunks(_ count: Int) -> Int { (count + chunk - 1) / chunk }

  /// Runs `body` on consecutive ranges that cover 0..<count.
  func forChunks(_ count: Int, of size: Int = chunk, _ body: (Range<Int>) -> Void) {
    parallelFor((count + size - 1) / size) { index in
      body(index * size..<min(count, (index + 1) * size))
    }
  }

  /// Ranges of rows of `width` elements each, about a chunk of elements to a range.
  func forRows(_ rows: Int, width: Int, _ body: (Range<Int>) -> Void) {
    forChunks(rows, of: Self.rows(width: width), body)
  }

  static func rows(width: Int) -> Int { max(1, chunk / max(1, width)) }

  /// Copies the first `count` elements.
  func copy(_ source: FloatBuffer, to target: FloatBuffer, count: Int) {
    guard source !== target else { return }
    forChunks(count) { range in
      (target.base + range.lowerBound).update(from: source.base + range.lowerBound, count: range.count)
    }
  }
}
