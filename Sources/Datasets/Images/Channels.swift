/// Images with another number of channels: grey becomes colour by repetition, colour becomes grey by its luma.
enum Channels {
  /// The conversions there are.
  static func canConvert(_ from: Int, to: Int) -> Bool { from == to || (from, to) == (1, 3) || (from, to) == (3, 1) }

  /// - Precondition: `canConvert`; `output` has room for `pixels * to`.
  static func convert(
    _ input: UnsafePointer<Float>, pixels: Int, from: Int, to: Int, output: UnsafeMutablePointer<Float>
  ) {
    switch (from, to) {
    case (1, 3):
      for i in 0..<pixels {
        for c in 0..<3 { output[3 * i + c] = input[i] }
      }
    case (3, 1):  // ITU-R BT.601
      for i in 0..<pixels { output[i] = 0.299 * input[3 * i] + 0.587 * input[3 * i + 1] + 0.114 * input[3 * i + 2] }
    default:
      output.update(from: input, count: pixels * from)
    }
  }
}
