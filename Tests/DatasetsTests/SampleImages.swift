import Files
import Foundation

/// Small images: the left half (200, 30, 40), the right half (10, 60, 220); 32 x 16 pixels.
enum SampleImages {
  static let baseline = decoded(
    """
    /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsI\
    CQoKCgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoK\
    CgoKCgoKCgoKCgoKCgr/wAARCAAQACADAREAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAA\
    AgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6\
    Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXG\
    x8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREA\
    AgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5\
    OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPE\
    xcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwD5Hr8fP9UAoA8zr/cA/wAFwoA9Mr/D8/3o\
    CgDzOv8AcA/wXCgD/9k=
    """)
  static let progressive = decoded(
    """
    /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsI\
    CQoKCgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoK\
    CgoKCgoKCgoKCgoKCgr/wgARCAAQACADAREAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAAAAYH/8QAFgEBAQEAAAAAAAAA\
    AAAAAAAAAAgG/9oADAMBAAIQAxAAAAHI8fVAmbggsU0P3oJm4ILH/8QAFBABAAAAAAAAAAAAAAAAAAAAMP/aAAgBAQABBQIP\
    /8QAFBEBAAAAAAAAAAAAAAAAAAAAMP/aAAgBAwEBPwEP/8QAFBEBAAAAAAAAAAAAAAAAAAAAMP/aAAgBAgEBPwEP/8QAFBAB\
    AAAAAAAAAAAAAAAAAAAAMP/aAAgBAQAGPwIP/8QAFBABAAAAAAAAAAAAAAAAAAAAMP/aAAgBAQABPyEP/9oADAMBAAIAAwAA\
    ABAAAAD/xAAUEQEAAAAAAAAAAAAAAAAAAAAw/9oACAEDAQE/EA//xAAUEQEAAAAAAAAAAAAAAAAAAAAw/9oACAECAQE/EA//\
    xAAUEAEAAAAAAAAAAAAAAAAAAAAw/9oACAEBAAE/EA//2Q==
    """)
  static let grey = decoded(
    """
    /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsI\
    CQoKCgoKBggLDAsKDAkKCgr/wAALCAAQACABAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgED\
    AwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RF\
    RkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJ\
    ytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEBAAA/APkeivM6K9MorzOiv//Z
    """)
  static let cmyk = decoded(
    """
    /9j/7gAOQWRvYmUAZAAAAAAA/9sAQwACAQEBAQECAQEBAgICAgIEAwICAgIFBAQDBAYFBgYGBQYGBgcJCAYHCQcGBggLCAkK\
    CgoKCgYICwwLCgwJCgoK/8AAFAgAEAAgBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//E\
    ALUQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2\
    Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrC\
    w8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwD9IK/Hevyfr9/KKKKK/kHr3iv6\
    0KKKKKK/r4rwev5L6KKKKK/kHr3iv60KKKKKK//Z
    """)

  private static func decoded(_ text: String) -> [UInt8] { [UInt8](Data(base64Encoded: text) ?? Data()) }

  /// An uncompressed PNG of 8 bits a sample.
  static func png(width: Int, height: Int, channels: Int, _ pixels: [UInt8]) throws -> [UInt8] {
    let color: UInt8 = [1: 0, 3: 2, 4: 6][channels]!
    return try png(width: width, height: height, bits: 8, color: color, row: pixels, before: [])
  }

  /// Of any depth and colour type.
  ///
  /// - Parameters:
  ///   - pixels: the bytes of the rows, one after the other.
  ///   - before: chunks between the header and the data.
  static func png(
    width: Int, height: Int, bits: UInt8, color: UInt8, row pixels: [UInt8], before: [(String, [UInt8])]
  ) throws -> [UInt8] {
    var rows: [UInt8] = []
    let size = pixels.count / max(height, 1)
    for y in 0..<height {
      rows.append(0)
      rows += pixels[(y * size)..<((y + 1) * size)]
    }
    var sums = (a: 1, b: 0)
    for byte in rows {
      sums.a = (sums.a + Int(byte)) % 65_521
      sums.b = (sums.b + sums.a) % 65_521
    }
    // What lies between gzip's header of ten bytes and its trailer of eight is a deflate stream.
    let packed = try rows.withUnsafeBytes { try Gzip.deflate($0) }.dropFirst(10).dropLast(8)
    var out: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    var header = big(width)
    header += big(height)
    header += [bits, color, 0, 0, 0]
    out += chunk("IHDR", header)
    for (name, data) in before { out += chunk(name, data) }
    var data: [UInt8] = [0x78, 0x9C]
    data += packed
    data += big(sums.b << 16 | sums.a)
    out += chunk("IDAT", data)
    out += chunk("IEND", [])
    return out
  }

  static func big(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }

  static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
    let body = Array(type.utf8) + data
    var crc = Crc32()
    body.withUnsafeBytes { crc.add($0) }
    var out = big(data.count)
    out += body
    out += big(Int(crc.value))
    return out
  }
}
