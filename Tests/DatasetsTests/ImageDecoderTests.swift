import Diagnostics
import Foundation
import Testing

@testable import Datasets

struct ImageDecoderTests {
  func decode(_ bytes: [UInt8], shortestSide: Int = .max) throws -> ImageDecoder.Picture {
    try bytes.withUnsafeBytes { try ImageDecoder.decode($0, shortestSide: shortestSide) }
  }

  func pixel(_ picture: ImageDecoder.Picture, _ y: Int, _ x: Int) -> [Int] {
    let start = (y * picture.width + x) * 3
    return picture.bytes[start..<(start + 3)].map { Int($0) }
  }

  func isNear(_ a: [Int], _ b: [Int]) -> Bool { zip(a, b).allSatisfy { abs($0 - $1) <= 3 } }

  @Test(arguments: [SampleImages.baseline, SampleImages.progressive, SampleImages.cmyk])
  func colours(bytes: [UInt8]) throws {
    let picture = try decode(bytes)
    #expect(picture.height == 16 && picture.width == 32)
    #expect(picture.bytes.count == 16 * 32 * 3)
    #expect(isNear(pixel(picture, 8, 4), [200, 30, 40]), "\(pixel(picture, 8, 4))")
    #expect(isNear(pixel(picture, 8, 28), [10, 60, 220]), "\(pixel(picture, 8, 28))")
  }

  @Test func greyBecomesColour() throws {
    let picture = try decode(SampleImages.grey)
    #expect(isNear(pixel(picture, 8, 4), [82, 82, 82]))
    #expect(isNear(pixel(picture, 8, 28), [63, 63, 63]))
  }

  @Test(arguments: [(17, 16, 32), (16, 16, 32), (8, 8, 16), (5, 8, 16), (4, 4, 8), (2, 2, 4), (1, 2, 4)])
  func smallerWhenThatIsEnough(side: Int, height: Int, width: Int) throws {
    let picture = try decode(SampleImages.baseline, shortestSide: side)
    #expect(picture.height == height && picture.width == width)
    #expect(isNear(pixel(picture, height / 2, 0), [200, 30, 40]))
  }

  @Test func pngWithAndWithoutTransparency() throws {
    let plain = try SampleImages.png(width: 2, height: 1, channels: 3, [1, 2, 3, 250, 251, 252])
    #expect(try decode(plain).bytes == [1, 2, 3, 250, 251, 252])
    let grey = try SampleImages.png(width: 1, height: 2, channels: 1, [7, 200])
    #expect(try decode(grey).bytes == [7, 7, 7, 200, 200, 200])
    // On black: what is wholly transparent is gone.
    let clear = try SampleImages.png(width: 2, height: 1, channels: 4, [9, 9, 9, 255, 200, 200, 200, 0])
    #expect(try decode(clear).bytes == [9, 9, 9, 0, 0, 0])
  }

  @Test func cutOff() throws {
    for whole in [
      SampleImages.baseline, SampleImages.progressive,
      try SampleImages.png(width: 40, height: 40, channels: 1, (0..<1600).map { UInt8(truncatingIfNeeded: $0 * 7) }),
    ] {
      for count in stride(from: 0, to: whole.count - 20, by: 13) {
        let error = try failure { try decode(Array(whole[..<count])) }
        #expect(error.kind == .input, "\(count) bytes: \(error)")
        #expect(throws: CompressError.self) { try Array(whole[..<count]).withUnsafeBytes(ImageDecoder.check) }
      }
      try whole.withUnsafeBytes(ImageDecoder.check)
    }
  }

  @Test func otherFiles() throws {
    #expect(try failure { try decode([]) }.message == "an empty file is no image")
    #expect(try failure { try decode(Array("GIF89a".utf8)) }.message == "neither JPEG nor PNG: starts with 47 49 46 38")
    #expect(try failure { try decode([0xFF, 0xD8, 0xFF]) }.message.hasPrefix("broken JPEG: "))
    #expect(
      try failure { try decode([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) }.message.hasPrefix("broken PNG: "))
  }

  /// Headers that promise more than anybody wants to hold: nothing is allocated for them.
  @Test func bombs() throws {
    var jpeg = SampleImages.baseline
    let frame = try #require((0..<jpeg.count).first { jpeg[$0...].starts(with: [0xFF, 0xC0]) })
    jpeg.replaceSubrange((frame + 5)..<(frame + 9), with: [0xFF, 0xDC, 0xFF, 0xDC])
    let large = try failure { try decode(jpeg) }
    #expect(large.message == "JPEG of 65500 x 65500 pixels; from 1 to 67108864 are read")
    #expect(large.kind == .limit)
    var png = try SampleImages.png(width: 1, height: 1, channels: 1, [0])
    let side = SampleImages.big(900_000)
    png.replaceSubrange(8..<33, with: SampleImages.chunk("IHDR", side + side + [8, 2, 0, 0, 0] as [UInt8]))
    let message = try failure { try decode(png) }.message
    #expect(message.hasPrefix("PNG of 900000 x 900000 pixels") || message.hasPrefix("broken PNG"))
    // A progressive file that repeats one scan over and over.
    let scan = try #require(
      (0..<SampleImages.progressive.count).last { SampleImages.progressive[$0...].starts(with: [0xFF, 0xDA]) })
    let body = SampleImages.progressive[scan..<(SampleImages.progressive.count - 2)]
    var repeated = Array(SampleImages.progressive[..<scan])
    for _ in 0..<2000 { repeated += body }
    #expect(try failure { try decode(repeated + [0xFF, 0xD9]) }.message == "broken JPEG: more than 100 scans")
  }
}
