import Diagnostics
import Foundation
import Testing

@testable import Files

/// A folder of the test's own, removed with it.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/compress-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String, _ bytes: [UInt8]? = nil) throws -> String {
    let file = path + "/" + name
    if let bytes { try Data(bytes).write(to: URL(fileURLWithPath: file)) }
    return file
  }

  /// Names in the folder, hidden ones included.
  var names: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() } }
}

func bytes(of path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

/// The `CompressError` that `body` throws; the test fails when it throws none.
func failure<R>(_ body: () throws -> R, sourceLocation: SourceLocation = #_sourceLocation) throws -> CompressError {
  try #require(throws: CompressError.self, sourceLocation: sourceLocation) { _ = try body() }
}

/// Bytes that compress somewhat, the same in every run.
func testBytes(_ count: Int) -> [UInt8] {
  var state: UInt32 = 1
  return (0..<count).map { _ in
    state = state &* 1_664_525 &+ 1_013_904_223
    return state >> 24 < 128 ? 0 : UInt8(state >> 28)
  }
}
