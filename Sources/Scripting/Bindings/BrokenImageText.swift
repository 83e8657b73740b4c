import Datasets

/// What there is to say about images that could not be read.
enum BrokenImageText {
  private static let most = 5

  /// `train: 2 images cannot be read; 1 left out, 1 replaced by others of its class: a.jpg (why), b.jpg (why)`.
  static func of(_ items: [BrokenImages.Item], in name: String) -> String {
    let replaced = items.count { $0.isReplaced }, left = items.count - replaced
    var ways: [String] = []
    if left > 0 { ways.append("\(left) left out") }
    if replaced > 0 { ways.append("\(replaced) replaced by others of the same class") }
    var text = "\(name): \(items.count) image\(items.count == 1 ? "" : "s") cannot be read, "
    text += ways.joined(separator: ", ") + ": "
    text += items.prefix(most).map { "\($0.file) (\($0.reason))" }.joined(separator: ", ")
    return text + (items.count > most ? " and \(items.count - most) more" : "")
  }
}
