import Diagnostics
import Files
import Testing

@Suite struct FileKindTests {
  private func kind(_ bytes: [UInt8]) -> FileKind? { bytes.withUnsafeBytes { FileKind($0) } }

  @Test(
    arguments: [
      ("RIFF\u{1}\u{1}\u{1}\u{1}WEBPVP8 ", "a WebP image"), ("GIF89a..", "a GIF image"), ("II*\0....", "a TIFF image"),
      ("\0\0\0\u{18}ftypheic....", "a HEIC image"), ("\0\0\0\u{18}ftypisom....", "a film (MP4)"),
      ("%PDF-1.7", "a PDF document"),
      ("{\"a\": 1}", "a JSON text"), ("<?xml version=\"1.0\"?>", "an XML text"), ("GGUF\u{3}\0\0\0", "a GGUF file"),
      ("  \n<html><body>", "an HTML page, as servers send in place of a file"),
      ("hello\nworld", "a text that starts with \"hello\""), ("größer", "a text that starts with \"größer\""),
    ])
  func byTheFirstBytes(_ text: String, _ name: String) { #expect(kind(Array(text.utf8))?.name == name) }

  @Test func whatTellsNothing() {
    for bytes in [[1, 2, 3], [0, 0, 8, 3], [0xFF, 0xFE, 0x7B], [8, 200, 1, 1, 1, 1, 1, 1, 1, 1]] as [[UInt8]] {
      #expect(kind(bytes) == nil, "\(bytes)")
    }
  }

  /// Any beginning of anything: never beyond the end.
  @Test func anyPrefix() {
    for text in ["PK\u{3}\u{4}" + String(repeating: "\u{7F}", count: 40), "version https://git-lfs", "<!DOCTYPE html>"]
    {
      let bytes = Array(text.utf8)
      for count in 0...bytes.count { _ = kind(Array(bytes[..<count])) }
    }
  }
}
