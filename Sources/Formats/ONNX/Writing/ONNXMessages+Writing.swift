import Diagnostics
import Files
import Network
import Tensors

// The messages of onnx.proto as bytes. What weights are made of comes in between, piece by piece.
extension ONNXGraphWriter {
  /// Bytes of a file, in their order.
  enum Piece {
    case bytes([UInt8])
    case elements(Initializer)

    var count: Int {
      switch self {
      case .bytes(let bytes): bytes.count
      case .elements(let initializer): initializer.byteCount
      }
    }
  }

  /// Where in another file the elements of a weight lie.
  struct Place {
    let file: String
    let offset: Int
  }

  /// The whole model.
  ///
  /// - Parameter places: of weights in a file of their own, by their names.
  func pieces(metadata: [(String, String)], places: [String: Place]) -> [Piece] {
    var graph: [Piece] = []
    func add(_ write: (inout WireWriter) -> Void) {
      var writer = WireWriter()
      write(&writer)
      graph.append(.bytes(writer.bytes))
    }
    for node in nodes { add { $0.field(1) { Self.write(node, to: &$0) } } }
    add { $0.field(2, "network") }
    for initializer in initializers {
      var head = WireWriter()
      for extent in initializer.dims { head.field(1, extent) }
      head.field(2, initializer.element.rawValue)
      head.field(8, initializer.name)
      if let place = places[initializer.name] {
        for (key, value) in [
          ("location", place.file), ("offset", "\(place.offset)"), ("length", "\(initializer.byteCount)"),
        ] {
          head.field(13) {
            $0.field(1, key)
            $0.field(2, value)
          }
        }
        head.field(14, 1)
        graph.append(.bytes(WireWriter.prefix(5, count: head.bytes.count) + head.bytes))
      } else {
        let bytes = head.bytes + WireWriter.prefix(9, count: initializer.byteCount)
        graph.append(.bytes(WireWriter.prefix(5, count: bytes.count + initializer.byteCount) + bytes))
        graph.append(.elements(initializer))
      }
    }
    for value in inputs { add { $0.field(11) { Self.write(value, to: &$0) } } }
    for value in outputs { add { $0.field(12) { Self.write(value, to: &$0) } } }

    var head = WireWriter()
    // The first version of the format that knows the operators.
    let formats = [13: 7, 14: 7, 15: 8, 16: 8, 17: 8, 18: 8, 19: 9, 20: 9]
    head.field(1, formats[version] ?? 10)
    head.field(2, "compress")
    head.field(3, programVersion)
    var tail = WireWriter()
    tail.field(8) {
      $0.field(1, "")
      $0.field(2, version)
    }
    for (key, value) in metadata {
      tail.field(14) {
        $0.field(1, key)
        $0.field(2, value)
      }
    }
    let count = graph.reduce(0) { $0 + $1.count }
    return [.bytes(head.bytes + WireWriter.prefix(7, count: count))] + graph + [.bytes(tail.bytes)]
  }

  private static func write(_ node: Node, to message: inout WireWriter) {
    for input in node.inputs { message.field(1, input) }
    for output in node.outputs { message.field(2, output) }
    message.field(3, node.outputs[0])
    message.field(4, node.kind)
    for (name, attribute) in node.attributes {
      message.field(5) { message in
        message.field(1, name)
        switch attribute {
        case .float(let value):
          message.field(2, value)
          message.field(20, 1)
        case .integer(let value):
          message.field(3, value)
          message.field(20, 2)
        case .text(let text):
          message.field(4, text)
          message.field(20, 3)
        case .integers(let values):
          for value in values { message.field(8, value) }
          message.field(20, 7)
        }
      }
    }
  }

  private static func write(_ value: Value, to message: inout WireWriter) {
    message.field(1, value.name)
    message.field(2) { type in
      type.field(1) { tensor in
        tensor.field(1, value.element.rawValue)
        tensor.field(2) { shape in
          for extent in value.extents {
            shape.field(1) {
              switch extent {
              case .fixed(let size): $0.field(1, size)
              case .named(let name): $0.field(2, name)
              }
            }
          }
        }
      }
    }
  }
}
