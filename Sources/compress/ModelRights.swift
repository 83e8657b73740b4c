import Confinement
import Files
import Formats

extension Rights {
  /// What is read of a model: its file, and of an ONNX file the folder, where its weights may lie.
  static func model(_ path: String) -> [String] {
    path.hasSuffix("." + ONNXFile.fileExtension) ? [path, Folders.parent(of: path)] : [path]
  }
}
