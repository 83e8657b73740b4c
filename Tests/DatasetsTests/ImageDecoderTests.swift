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
    // As Pillow's convert("RGB") has it: what lies under the transparency is seen.
    let clear = try SampleImages.png(width: 2, height: 1, channels: 4, [9, 9, 9, 255, 200, 201, 202, 0])
    #expect(try decode(clear).bytes == [9, 9, 9, 200, 201, 202])
  }

  /// 0x80 of 0xFF is 0.502, whatever the file says or does not say of gamma. 16 bits are the upper 8.
  @Test func samplesAreTakenAsTheyAre() throws {
    let deep = try SampleImages.png(
      width: 2, height: 1, bits: 16, color: 0, row: [0x80, 0x80, 0x12, 0xFF], before: [])
    #expect(try decode(deep).bytes == [128, 128, 128, 18, 18, 18])
    #expect(abs(Float(try decode(deep).bytes[0]) / 255 - 0.502) < 0.0005)
    let colours = try SampleImages.png(
      width: 1, height: 1, bits: 16, color: 2, row: [0x80, 0x80, 1, 2, 0xFF, 0xFE], before: [])
    #expect(try decode(colours).bytes == [128, 1, 255])
    for gamma in [100_000, 45_455] {
      let told = try SampleImages.png(
        width: 2, height: 1, bits: 8, color: 0, row: [128, 7], before: [("gAMA", SampleImages.big(gamma))])
      #expect(try decode(told).bytes == [128, 128, 128, 7, 7, 7])
    }
    // A chromaticity, a rendering intent and a profile that is none.
    let profile = try SampleImages.png(
      width: 1, height: 1, bits: 8, color: 2, row: [10, 20, 30],
      before: [("sRGB", [0]), ("cHRM", [UInt8](repeating: 1, count: 32)), ("iCCP", Array("x\0\0rubbish".utf8))])
    #expect(try decode(profile).bytes == [10, 20, 30])
    // One bit, two bits, a palette with transparency, grey with alpha.
    let bits = try SampleImages.png(width: 4, height: 1, bits: 1, color: 0, row: [0b1010_0000], before: [])
    #expect(try decode(bits).bytes == [255, 255, 255, 0, 0, 0, 255, 255, 255, 0, 0, 0])
    let pairs = try SampleImages.png(width: 2, height: 1, bits: 2, color: 0, row: [0b0110_0000], before: [])
    #expect(try decode(pairs).bytes == [85, 85, 85, 170, 170, 170])
    let palette = try SampleImages.png(
      width: 2, height: 1, bits: 8, color: 3, row: [1, 0],
      before: [("PLTE", [9, 8, 7, 50, 60, 70]), ("tRNS", [0, 0])])
    #expect(try decode(palette).bytes == [50, 60, 70, 9, 8, 7])
    let grey = try SampleImages.png(width: 2, height: 1, bits: 8, color: 4, row: [100, 0, 50, 255], before: [])
    #expect(try decode(grey).bytes == [100, 100, 100, 50, 50, 50])
  }

  /// What phones append is no damage, and a missing end marker is none where all rows are there: the quick look agrees
  /// with the decoder.
  @Test func theQuickLookAgreesWithTheDecoder() throws {
    let film = [UInt8](repeating: 0x5A, count: 5000)
    let png = try SampleImages.png(width: 3, height: 2, channels: 1, [1, 2, 3, 4, 5, 6])
    for whole in [SampleImages.baseline, SampleImages.progressive, png] {
      for bytes in [whole, whole + [0], whole + film, whole + film + film] {
        _ = try decode(bytes)
        try bytes.withUnsafeBytes(ImageDecoder.check)
      }
    }
    let endless = Array(SampleImages.baseline.dropLast(2))
    let decodes = (try? decode(endless)) != nil, passes = (try? endless.withUnsafeBytes(ImageDecoder.check)) != nil
    #expect(decodes == passes)
    let cut = Array(SampleImages.baseline.dropLast(200)) + film
    #expect(throws: CompressError.self) { try decode(cut) }
    #expect(throws: CompressError.self) { try cut.withUnsafeBytes(ImageDecoder.check) }
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
    #expect(try failure { try decode(Array("GIF89a".utf8)) }.message == "neither JPEG nor PNG: it is a GIF image")
    #expect(try failure { try decode([1, 2, 3, 4, 5]) }.message == "neither JPEG nor PNG: starts with 01 02 03 04")
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
