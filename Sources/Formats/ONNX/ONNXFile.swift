import Diagnostics
import Files
import Network
import Tensors

/// Models in the format of the Open Neural Network Exchange.
public enum ONNXFile {
  public static let fileExtension = "onnx"
  /// Counts what changes the network that a file becomes, so that results of before are not taken for those of now.
  public static let reading = 4
  /// The versions of the standard operators that are read.
  static let operatorSets = 1...26

  /// How a file is read.
  public struct Options: Sendable {
    /// Shapes of inputs whose axes vary, by their names, with the batch: they take the place of what the file says.
    public var inputShapes: [String: [Int]] = [:]
    /// Inputs that are the same in every call, by their names, as files of a tensor each.
    public var constants: [String: String] = [:]
    /// Whether the first axis of every input and output is the batch; otherwise each is one sample as it is.
    public var hasBatch = true
    /// Whether nodes whose operator is not known are left out, with all that follow them.
    public var allowsUnknown = false
    /// Whether a batch that varies is taken to be one sample, so that it may mix with other axes.
    var isBatchOne = false

    public init() {}

    /// A shape as the command line has it: `NAME=1x3x224x224`.
    ///
    /// - Throws: `CompressError` when it is none.
    public static func inputShape(_ text: String) throws -> (name: String, dims: [Int]) {
      let parts = text.split(separator: "=", omittingEmptySubsequences: false)
      let extents = (parts.last ?? "").split(separator: "x", omittingEmptySubsequences: false)
      let dims = extents.map { Int($0) ?? 0 }
      guard parts.count >= 2, !dims.isEmpty, dims.count <= 8, dims.allSatisfy({ (1...1 << 30).contains($0) }) else {
        throw CompressError("\"\(text.escapedForTerminal.shortened(to: 80))\" is no NAME=1x3x224x224")
      }
      return (parts.dropLast().joined(separator: "="), dims)
    }
  }

  /// Whether bytes look like a model's: the fields of such a message, to the end of the file or what is looked at.
  public static func isONNX(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var fields = WireReader(ByteReader(bytes)), hasGraph = false
    do {
      while let field = try fields.next() {
        switch (field.number, field.value) {
        case (1, .varint(let version)) where version <= 1 << 10: break
        case (7, .bytes): hasGraph = true
        case (5, .varint), (2...4, .bytes), (6, .bytes), (8, .bytes), (14, .bytes), (20, .bytes), (25...26, .bytes):
          break
        default: return false
        }
      }
    } catch { return false }
    return hasGraph
  }

  /// - Throws: `CompressError` with the path, and the node concerned, when the file is broken or asks for what is not
  ///   supported.
  ///
  /// - Parameter note: gets sentences on what was left out.
  public static func read(
    _ path: String, _ options: Options = Options(), note: (String) -> Void = { _ in }
  ) throws -> Model {
    try atFile(path) {
      let imported = try load(path, options)
      for text in imported.notes { note(text) }
      guard let model = imported.model else {
        throw CompressError("all its outputs are constants: there is no network", kind: .input)
      }
      return model
    }
  }

  /// The network with how its inputs and outputs relate to the file's.
  public static func load(_ path: String, _ options: Options = Options()) throws -> ONNXImport {
    try atFile(path) {
      let file = try MappedFile(path)
      return try withExtendedLifetime(file) {
        let message = try ONNXModelMessage(ByteReader(file.bytes))
        guard let graph = message.graph else { throw CompressError("has no graph", kind: .input) }
        guard !graph.hasSparseInitializers else {
          throw CompressError("has sparse initializers, which are not read", kind: .input)
        }
        guard let version = message.operatorSets[""] else {
          throw CompressError("does not say which version of the operators it asks for", kind: .input)
        }
        guard operatorSets.contains(version) else {
          throw CompressError(
            "asks for version \(version) of the operators; versions \(operatorSets.lowerBound) to "
              + "\(operatorSets.upperBound) are read", kind: .input)
        }
        var constants: [String: ONNXConstant] = [:]
        for (name, path) in options.constants { constants[name] = try tensor(path) }
        let nodes = try ONNXInlining(message, graph).nodes
        var importer = ONNXImporter(nodes: nodes, graph: graph, files: ONNXFiles(file), options: options)
        do { return try importer.imported(constants) } catch let error as CompressError {
          // What mixes the batch with other axes may do so where it is one sample, which one that varies can be, or
          // where a sample is the whole batch.
          let batch = importer.batch
          guard options.hasBatch, batch != 1 else { throw error }
          var options = options
          if batch == nil { options.isBatchOne = true } else { options.hasBatch = false }
          importer = ONNXImporter(nodes: nodes, graph: graph, files: ONNXFiles(file), options: options)
          do {
            var imported = try importer.imported(constants)
            imported.notes.append(
              batch.map { "the file fixes a batch of \($0) and mixes it with other axes: one sample is a whole batch" }
                ?? "the file mixes the batch, which varies, with other axes: it is read for a batch of one")
            return imported
          } catch let second as CompressError {
            // Of one sample the batch is no obstacle: what is one behind the node that mixes it is the reason.
            func node(_ error: CompressError) -> Substring { error.message.prefix { $0 != ":" } }
            guard let batch else { throw node(error) == node(second) ? error : second }
            var error = error
            error.hint = error.hint ?? "the file fixes a batch of \(batch): export it with one of 1, or one that varies"
            throw error
          }
        }
      }
    }
  }

  /// A tensor in a file of its own.
  ///
  /// - Parameter declared: the type of its elements by the number that a model gives it, where that is known: ONNX's
  ///   own cases hold bfloat16 in tensors of uint16.
  static func tensor(_ path: String, declared: Int? = nil) throws -> ONNXConstant {
    try atFile(path) {
      let file = try MappedFile(path)
      return try withExtendedLifetime(file) {
        var message = try ONNXTensorMessage(ByteReader(file.bytes))
        let isDisguised =
          message.element == ONNXElement.uint16.rawValue && declared == ONNXElement.bfloat16.rawValue
        if isDisguised { message.element = ONNXElement.bfloat16.rawValue }
        return try message.constant(ONNXFiles(file))
      }
    }
  }

  /// The files beside a model's that hold its weights.
  static func externalFiles(_ file: MappedFile) throws -> [String] {
    try atFile(file.path) {
      try withExtendedLifetime(file) {
        let message = try ONNXModelMessage(ByteReader(file.bytes))
        let nodes = (message.graph?.nodes ?? []) + message.functions.flatMap(\.nodes)
        let tensors =
          (message.graph?.initializers ?? []) + nodes.flatMap { $0.attributes.values.compactMap(\.tensor) }
        let names = Set(tensors.compactMap { $0.external["location"] }).sorted()
        return try names.map { try ONNXFiles.path(beside: file.path, $0) }
      }
    }
  }

  /// What goes into a model or comes out of it, in a file of its own.
  public struct SampleTensor: Sendable {
    public let path: String
    public let values: Tensor
    public let isInteger: Bool
  }

  /// - Parameter declared: the type of its elements by the number that the model gives it, where it gives one.
  /// - Throws: `CompressError` with the path when the file holds no tensor that is read.
  public static func sample(_ path: String, declared: Int? = nil) throws -> SampleTensor {
    let constant = try tensor(path, declared: declared)
    return SampleTensor(path: path, values: constant.floats, isInteger: !constant.element.isFloat)
  }

  /// What a model says of its inputs that have no value of their own, and of its outputs, each in their order: their
  /// names, and the types of their elements by number.
  public static func ends(
    _ path: String
  ) throws -> (inputs: [(name: String, element: Int)], outputs: [(name: String, element: Int)]) {
    try atFile(path) {
      let file = try MappedFile(path)
      return try withExtendedLifetime(file) {
        guard let graph = try ONNXModelMessage(ByteReader(file.bytes)).graph else {
          throw CompressError("has no graph", kind: .input)
        }
        let known = Set(graph.initializers.map(\.name))
        return (
          graph.inputs.filter { !known.contains($0.name) }.map { ($0.name, $0.element) },
          graph.outputs.map { ($0.name, $0.element) }
        )
      }
    }
  }
}

/// A network read from a file, and how its inputs and outputs relate to the file's.
public struct ONNXImport {
  /// One of the network's inputs or outputs.
  public struct Value {
    /// In the file.
    public let name: String
    /// Of one sample, in the file's order of axes.
    public let shape: Shape
    /// Axis `i` of the engine's value is axis `order[i]` of the file's.
    public let order: [Int]
    /// Whether the file's has the batch in front.
    public let hasBatch: Bool
    /// What it always is, where it does not depend on the inputs.
    public let constant: Tensor?
    /// In the file; the network's are floats.
    let element: ONNXElement
    /// Of integers that stand for numbers of a scale: which.
    let encoding: ActivationQuantization?

    /// By how much of itself a number may be off that is held in a type of few bits: a step of bfloat16, which ONNX's own
    /// cases cut off rather than round.
    public var ownTolerance: Float? { element == .bfloat16 ? 0x1p-7 : nil }

    /// As the model keeps it.
    func interface(_ value: String) -> ModelInterface.Value {
      ModelInterface.Value(
        value, name: name, order: order, hasBatch: hasBatch, element: element.interface,
        isPlain: !element.isFloat && encoding == nil)
    }

    /// The file's numbers as the network takes them.
    public func taken(_ values: Tensor) throws -> Tensor {
      guard let encoding else { return values }
      return try values.applying(.sub, Float(encoding.zeroPoint - element.offset)).applying(.mul, encoding.scale)
    }

    /// The network's numbers as the file has them.
    public func given(_ values: Tensor) -> Tensor {
      guard let encoding else { return element.rounded(values) }
      let zero = Float(encoding.zeroPoint - element.offset)
      return Tensor(
        values.array(Float.self).map { (encoding.rounded($0) / encoding.scale).rounded() + zero }, values.shape)
    }
  }

  /// nil where nothing is left to compute.
  public let model: Model?
  public let inputs: [Value]
  public let outputs: [Value]
  /// What was left out, where that was asked for.
  public var notes: [String] = []
}
