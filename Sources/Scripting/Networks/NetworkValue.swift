import Diagnostics
import Network
import Pipeline
import Tensors

/// A value of a network that a script describes: an input, a constant, or what a block makes of other values. It has no
/// shape before it is part of a network.
final class NetworkValue: NamedForScripts {
  static let scriptName = "Value"

  enum Source {
    case input(Shape)
    case constant(Constant, Tensor?)
    case output(BlockObject, of: [NetworkValue])
  }

  let source: Source
  /// Of an input or a constant.
  let name: String?
  /// Where the script made it.
  let origin: Stage.Origin?
  /// Values are made after those they are made of.
  let serial: Int
  private let depth: Int

  /// The most blocks that follow each other.
  private static let deepest = 4096

  /// - Throws: `CompressError` when too many blocks follow each other.
  init(_ source: Source, name: String? = nil, serial: Int, origin: Stage.Origin?) throws {
    self.source = source
    self.name = name
    self.serial = serial
    self.origin = origin
    depth =
      switch source {
      case .input, .constant: 0
      case .output(_, let values): 1 + (values.map(\.depth).max() ?? 0)
      }
    guard depth <= Self.deepest else {
      throw CompressError("\(depth) blocks follow each other; the limit is \(Self.deepest)")
    }
  }

  /// The memory it takes beside the values it is made of.
  var bytes: Int {
    switch source {
    case .input: 512
    case .constant(_, let values): 512 + (values?.byteCount ?? 0)
    case .output(_, let values): 512 + 16 * values.count
    }
  }

  var inputs: [NetworkValue] {
    if case .output(_, let values) = source { values } else { [] }
  }

  /// Those that some values are made of and they themselves, each once, after what they are made of.
  static func lineage(of values: [NetworkValue]) -> [NetworkValue] {
    var seen: Set<ObjectIdentifier> = [], open = values, lineage: [NetworkValue] = []
    while let value = open.popLast() {
      guard seen.insert(ObjectIdentifier(value)).inserted else { continue }
      lineage.append(value)
      open += value.inputs
    }
    return lineage.sorted { $0.serial < $1.serial }
  }
}
