import Diagnostics

extension ONNXNode {
  func integer(_ name: String, _ otherwise: Int64) -> Int64 { attributes[name]?.integer ?? otherwise }
  func integers(_ name: String) -> [Int64]? { attributes[name]?.integers }
  func float(_ name: String, _ otherwise: Float) -> Float { attributes[name]?.float ?? otherwise }
  func text(_ name: String, _ otherwise: String) -> String { attributes[name]?.text ?? otherwise }
  func flag(_ name: String) -> Bool { integer(name, 0) != 0 }

  /// Integers as sizes: each fits what arithmetic is done with.
  func sizes(_ name: String) throws -> [Int]? {
    try integers(name)?.map {
      guard abs(Double($0)) < Double(1 << 31) else { throw CompressError("\(name) is \($0)", kind: .input) }
      return Int($0)
    }
  }

  /// The name of an input, or nil where it is left out.
  func input(_ index: Int) -> String? {
    guard index < inputs.count, !inputs[index].isEmpty else { return nil }
    return inputs[index]
  }
}
