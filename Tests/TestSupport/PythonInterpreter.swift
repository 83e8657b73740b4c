import Foundation

/// The Python that `COMPRESS_TEST_PYTHON` names, where it has what a test needs.
public enum PythonInterpreter {
  /// - Parameter modules: what must be importable, as in `torch, numpy`.
  /// - Returns: its path; nil where none is named, or it lacks one of them.
  public static func path(importing modules: String) -> String? {
    guard let path = ProcessInfo.processInfo.environment["COMPRESS_TEST_PYTHON"] else { return nil }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = ["-c", "import \(modules)"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    process.waitUntilExit()
    return process.terminationStatus == 0 ? path : nil
  }
}
