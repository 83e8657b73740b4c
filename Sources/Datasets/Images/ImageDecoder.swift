import CImages
import Diagnostics
import Files

/// JPEG and PNG files as red, green and blue bytes, as Pillow's `convert("RGB")` gives them: what files say of gamma,
/// colour profiles, transparency and the way up is not looked at.
enum ImageDecoder {
  /// Larger images are refused by their header, before anything is allocated: 64 million pixels.
  static let largestPixels = 1 << 26
  /// Pixels that any file may have, and for each of its bytes so many more: photographs have about ten a byte, and an
  /// even surface has a thousand.
  private static let smallPixels = 1 << 23, pixelsByByte = 16
  /// A usual progressive file has about ten.
  private static let mostScans: Int32 = 100

  enum Format: String { case jpeg = "JPEG", png = "PNG" }

  /// [height, width, 3], rows without gaps.
  struct Picture {
    let height: Int
    let width: Int
    let bytes: [UInt8]
  }

  /// By their first bytes, whatever the file's name.
  static func format(_ bytes: UnsafeRawBufferPointer) throws -> Format {
    if bytes.starts(with: [0xFF, 0xD8, 0xFF]) { return .jpeg }
    if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
    let start = bytes.prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    let kind = FileKind(bytes)
    throw CompressError(
      bytes.isEmpty
        ? "an empty file is no image"
        : "neither JPEG nor PNG: " + (kind.map { "it is \($0.name)" } ?? "starts with \(start)"),
      kind: .input, hint: kind?.hint)
  }

  /// Height and width as the header says.
  ///
  /// - Throws: `CompressError` when it is broken, or claims more pixels than `largestPixels` or than so small a file is
  ///   likely to have.
  static func size(_ bytes: UnsafeRawBufferPointer) throws -> (height: Int, width: Int) {
    let format = try format(bytes)
    var width: UInt32 = 0, height: UInt32 = 0
    try call(format) { message in
      let start = bytes.bindMemory(to: UInt8.self).baseAddress
      return switch format {
      case .jpeg: cimg_jpeg_size(start, bytes.count, &width, &height, message)
      case .png: cimg_png_size(start, bytes.count, &width, &height, message)
      }
    }
    let (pixels, overflow) = Int(width).multipliedReportingOverflow(by: Int(height))
    guard pixels > 0, !overflow, pixels <= largestPixels else {
      throw CompressError(
        "\(format.rawValue) of \(width) x \(height) pixels; from 1 to \(largestPixels) are read", kind: .limit)
    }
    guard pixels <= smallPixels + pixelsByByte * bytes.count else {
      throw CompressError(
        "\(format.rawValue) of \(width) x \(height) pixels in \(bytes.count) bytes; up to "
          + "\(smallPixels + pixelsByByte * bytes.count) are read of so small a file", kind: .limit)
    }
    return (Int(height), Int(width))
  }

  /// A cheap look that finds files which are cut off, no images, or too large; not damage in the middle.
  static func check(_ bytes: UnsafeRawBufferPointer) throws {
    _ = try size(bytes)
    let end: [UInt8] = try format(bytes) == .jpeg ? [0xFF, 0xD9] : Array("IEND".utf8)
    // Anything may follow the end, a whole film in what phones write; and the end may be missing where nothing else is.
    // Decoding decides.
    let tail = bytes.suffix(4096)
    guard tail.indices.contains(where: { bytes[$0...].starts(with: end) }) else {
      _ = try decode(bytes, shortestSide: 1)
      return
    }
  }

  /// The picture. A JPEG may come at a half, a quarter or an eighth of its size, when its shorter side keeps
  /// `shortestSide` pixels then.
  ///
  /// - Throws: `CompressError` when it is broken, cut off or too large.
  static func decode(_ bytes: UnsafeRawBufferPointer, shortestSide: Int = .max) throws -> Picture {
    let format = try format(bytes)
    var (height, width) = try size(bytes)
    var eighths = 8
    if format == .jpeg {
      while eighths > 1, min(height, width) * (eighths / 2) / 8 >= shortestSide { eighths /= 2 }
      (height, width) = ((height * eighths + 7) / 8, (width * eighths + 7) / 8)
    }
    let count = height * width * 3
    let pixels = try [UInt8](unsafeUninitializedCapacity: count) { out, filled in
      try call(format) { message in
        let start = bytes.bindMemory(to: UInt8.self).baseAddress
        return switch format {
        case .jpeg:
          cimg_jpeg_decode(start, bytes.count, Int32(eighths), mostScans, out.baseAddress, count, message)
        case .png: cimg_png_decode(start, bytes.count, out.baseAddress, count, message)
        }
      }
      filled = count
    }
    return Picture(height: height, width: width, bytes: pixels)
  }

  private static func call(_ format: Format, _ body: (UnsafeMutablePointer<CChar>) -> Int32) throws {
    var message = [CChar](repeating: 0, count: Int(CIMG_MESSAGE))
    let success = message.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
    guard success == 1 else {
      let text = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw CompressError("broken \(format.rawValue): \(text.escapedForTerminal)", kind: .input)
    }
  }
}
