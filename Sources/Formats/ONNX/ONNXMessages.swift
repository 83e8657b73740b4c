import Diagnostics
import Files

// What is read of the messages of onnx.proto3; fields that nobody needs are skipped. Graphs inside attributes are not
// read, so that no message is nested in one of its own kind.

/// A version of a set of operators.
struct ONNXOperatorSet {
  var domain = ""
  var version = 0

  init(_ reader: ByteReader) throws {
    var fields = WireReader(reader)
    while let field = try fields.next() {
      switch field.number {
      case 1: domain = try field.text()
      case 2: version = Int(truncatingIfNeeded: try field.integer())
      default: break
      }
    }
    if domain == "ai.onnx" { domain = "" }
  }
}

struct ONNXModelMessage {
  var irVersion = 0
  var producer = ""
  var operatorSets: [String: Int] = [:]
  var graph: ONNXGraphMessage?
  var functions: [ONNXFunctionMessage] = []

  init(_ reader: ByteReader) throws {
    var fields = WireReader(reader)
    while let field = try fields.next() {
      switch field.number {
      case 1: irVersion = Int(truncatingIfNeeded: try field.integer())
      case 2: producer = try field.text()
      case 7: graph = try ONNXGraphMessage(try field.message())
      case 8:
        let set = try ONNXOperatorSet(try field.message())
        operatorSets[set.domain] = set.version
      case 25: functions.append(try ONNXFunctionMessage(try field.message()))
      default: break
      }
    }
  }
}

struct ONNXGraphMessage {
  var name = ""
  var nodes: [ONNXNode] = []
  var initializers: [ONNXTensorMessage] = []
  var inputs: [ONNXValueMessage] = []
  var outputs: [ONNXValueMessage] = []
  var hasSparseInitializers = false

  init(_ reader: ByteReader) throws {
    var fields = WireReader(reader)
    while let field = try fields.next() {
      switch field.number {
      case 1: nodes.append(try ONNXNode(try field.message()))
      case 2: name = try field.text()
      case 5: initializers.append(try ONNXTensorMessage(try field.message()))
      case 11: inputs.append(try ONNXValueMessage(try field.message()))
      case 12: outputs.append(try ONNXValueMessage(try field.message()))
      case 15: hasSparseInitializers = true
      default: break
      }
    }
  }
}

struct ONNXNode {
  var name = ""
  var kind = ""
  var domain = ""
  /// An empty name stands for an input or output that is left out.
  var inputs: [String] = []
  var outputs: [String] = []
  var attributes: [String: ONNXAttribute] = [:]
  /// The version of its domain's operators, once it is known.
  var version = 0

  init(_ reader: ByteReader) throws {
    var fields = WireReader(reader)
    while let field = try fields.next() {
      switch field.number {
      case 1: inputs.append(try field.text())
      case 2: outputs.append(try field.text())
      case 3: name = try field.text()
      case 4: kind = try field.text()
      case 5:
        let attribute = try ONNXAttribute(try field.message())
        attributes[attribute.name] = attribute
      case 7: domain = try field.text()
      default: break
      }
    }
    if domain == "ai.onnx" { domain = "" }
  }

  /// How errors name it.
  var label: String {
    let name = name.isEmpty ? outputs.first ?? "" : name
    return "node \"\(name.escapedForTerminal.shortened(to: 120))\" (\(qualifiedKind))"
  }

  var qualifiedKind: String {
    (domain.isEmpty ? kind : "\(domain).\(kind)").escapedForTerminal.shortened(to: 120)
  }
}

struct ONNXAttribute {
  var name = ""
  /// Of a node in a function: the function's attribute it stands for.
  var reference = ""
  var float: Float?
  var integer: Int64?
  var text: String?
  var tensor: ONNXTensorMessage?
  var floats: [Float] = []
  var integers: [Int64] = []
  var hasGraph = false

  init(_ reader: ByteReader) throws {
    var fields = WireReader(reader)
    while let field = try fields.next() {
      switch field.number {
      case 1: name = try field.text()
      case 2: float = try field.float()
      case 3: integer = try field.integer()
      // Text by the standard, but bytes that are none do no harm where nobody asks for them.
      case 4: text = try? field.text()
      case 5: tensor = try ONNXTensorMessage(try field.message())
      case 6, 11: hasGraph = true
      case 7: try field.append(to: &floats)
      case 8: try field.append(to: &integers)
      case 21: reference = try field.text()
      default: break
      }
    }
  }
}

/// A function of the model's own, whose body takes the place of the nodes that call it.
struct ONNXFunctionMessage {
  var name = ""
  var domain = ""
  var inputs: [String] = []
  var outputs: [String] = []
  var nodes: [ONNXNode] = []
  var operatorSets: [String: Int] = [:]
  var defaults: [String: ONNXAttribute] = [:]

  init(_ reader: ByteReader) throws {
    var fields = WireReader(reader)
    while let field = try fields.next() {
      switch field.number {
      case 1: name = try field.text()
      case 4: inputs.append(try field.text())
      case 5: outputs.append(try field.text())
      case 7: nodes.append(try ONNXNode(try field.message()))
      case 9:
        let set = try ONNXOperatorSet(try field.message())
        operatorSets[set.domain] = set.version
      case 10: domain = try field.text()
      case 11:
        let attribute = try ONNXAttribute(try field.message())
        defaults[attribute.name] = attribute
      default: break
      }
    }
  }
}

/// What a graph says of one of its inputs or outputs.
struct ONNXValueMessage {
  enum Extent: Equatable {
    case fixed(Int)
    /// By its name, which may be empty.
    case dynamic(String)
  }

  var name = ""
  var element = 0
  /// nil where nothing is said.
  var shape: [Extent]?
  var isTensor = false

  init(_ reader: ByteReader) throws {
    var fields = WireReader(reader)
    while let field = try fields.next() {
      switch field.number {
      case 1: name = try field.text()
      case 2: try readType(try field.message())
      default: break
      }
    }
  }

  private mutating func readType(_ reader: ByteReader) throws {
    var fields = WireReader(reader)
    while let field = try fields.next() {
      guard field.number == 1 else { continue }
      isTensor = true
      var type = WireReader(try field.message())
      while let field = try type.next() {
        switch field.number {
        case 1: element = Int(truncatingIfNeeded: try field.integer())
        case 2: try readShape(try field.message())
        default: break
        }
      }
    }
  }

  private mutating func readShape(_ reader: ByteReader) throws {
    var extents: [Extent] = [], fields = WireReader(reader)
    while let field = try fields.next() {
      guard field.number == 1 else { continue }
      var extent = Extent.dynamic(""), parts = WireReader(try field.message())
      while let part = try parts.next() {
        switch part.number {
        case 1:
          let value = try part.integer()
          // Exporters write -1 for what varies.
          extent = value < 0 ? .dynamic("") : .fixed(Int(value))
        case 2: extent = .dynamic(try part.text())
        default: break
        }
      }
      extents.append(extent)
    }
    shape = extents
  }
}
