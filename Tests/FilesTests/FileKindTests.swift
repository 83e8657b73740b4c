import Diagnostics
import Files
import Foundation
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

  /// Models in protocol buffers are told apart by how they go on.
  @Test func protocolBuffers() {
    let described: [UInt8] = [0x08, 0x05, 0x12, 0x20, 0x0A, 0x1E, 0x0A, 0x05] + Array("image".utf8)
    #expect(kind(described)?.name == "a Core ML model (.mlmodel, .mlpackage)")
    let long: [UInt8] = [0x08, 0x05, 0x12, 0xA0, 0x01, 0x0A, 0x1E, 0x0A, 0x05] + Array("image".utf8)
    #expect(kind(long)?.name == "a Core ML model (.mlmodel, .mlpackage)")
    #expect(kind([0x08, 0x01, 0x12, 0x04, 0x0A, 0x02, 0x0A, 0x00, 0x00])?.name == "a TensorFlow SavedModel (.pb)")
    #expect(kind([0x08, 0x08, 0x12, 0x07] + Array("pytorch".utf8))?.name == "an ONNX model (.onnx)")
    #expect(kind([0x08, 0x07, 0x12, 0x00, 0x3A, 0x03, 0x0A, 0x01, 0x61])?.name == "an ONNX model (.onnx)")
  }

  /// What is read, given where something else is wanted.
  @Test func ofProgramsThatTrain() {
    #expect(
      kind([0x89] + Array("HDF\r\n\u{1A}\n".utf8) + [0, 0, 0])?.name == "an HDF5 file, as Keras writes them (.h5)")
    #expect(
      kind([0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9])?.name
        == "a Python pickle, as PyTorch once saved checkpoints (.pth, .pt)")
  }

  /// By the name of the first file in them.
  @Test(
    arguments: [
      ("net/data.pkl", "a PyTorch checkpoint, a pickle in a zip archive (.pth, .pt)"),
      ("net/data/0", "a PyTorch checkpoint, a pickle in a zip archive (.pth, .pt)"),
      ("net/data/weights/weight_0", "a program that torch.export saved (.pt2)"),
      ("net/archive_format", "a program that torch.export saved (.pt2)"),
      ("serialized_exported_program.json", "a program that torch.export saved (.pt2)"),
      ("metadata.json", "a Keras model (.keras)"), ("x.npy", "an archive of NumPy arrays (.npz)"),
      ("photos/1.jpg", "a zip archive"), ("", "a zip archive"),
    ])
  func archives(_ first: String, _ name: String) {
    let header = Array("PK\u{3}\u{4}".utf8) + [UInt8](repeating: 0, count: 22) + [UInt8(first.utf8.count), 0, 0, 0]
    #expect(kind(header + Array(first.utf8) + [0, 0, 0, 0, 0])?.name == name)
  }

  @Test func folders() throws {
    let folder = try TemporaryFolder()
    #expect(FileKind(folder: folder.path) == nil && FileKind(folder: folder.path + "/none") == nil)
    try Data([8, 1]).write(to: URL(fileURLWithPath: folder.path + "/saved_model.pb"))
    #expect(FileKind(folder: folder.path)?.name == "a TensorFlow SavedModel (.pb)")
    try Folders.create(folder.path + "/net.mlpackage/Data/com.apple.CoreML")
    #expect(FileKind(folder: folder.path + "/net.mlpackage")?.name == "a Core ML model (.mlmodel, .mlpackage)")
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
