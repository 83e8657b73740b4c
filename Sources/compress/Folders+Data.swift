import Diagnostics
import Files

extension Folders {
  /// - Parameter data: the folder of `--data`, if one was given.
  /// - Throws: `CompressError` when it is not there: a script would be told that its data is missing, or take other data.
  static func checkData(_ data: String?) throws {
    guard let data, !Folders.exists(data) else { return }
    throw CompressError(
      Folders.isFile(data) ? "is a file: --data names a folder with data sets" : "there is no such folder",
      kind: .input,
      hint: "data sets are fetched by: compress data get NAME --data DIR"
    ).at(file: data)
  }
}
