import Diagnostics
import Tensors

/// The tensors that a checkpoint's pickle tells of. Dictionaries and lists within each other become names with dots:
/// `state_dict.conv1.weight`.
struct PyTorchCheckpoint {
  /// Elements one after the other that tensors are views of.
  struct Storage: Equatable {
    let key: String
    /// nil where those who use it say so.
    let type: ElementType?
    /// Elements; bytes where the type is not known.
    let count: Int

    var byteCount: Int { count * (type?.size ?? 1) }
  }

  /// A tensor as a view of a storage, checked to lie in it.
  struct View {
    let name: String
    let type: ElementType
    let shape: Shape
    let storage: Storage
    /// In elements.
    let offset: Int
    let strides: [Int]
  }

  let views: [View]
  /// All that the pickle names.
  let storages: [Storage]
  private let pickle: Pickle

  /// Dictionaries and lists inside each other.
  private static let deepest = 32

  init(_ pickle: Pickle) throws {
    self.pickle = pickle
    storages = try pickle.objects.filter { $0.kind == .persistent }.map { try Self.storage($0, pickle) }
    var views: [View] = [], visited = [Bool](repeating: false, count: pickle.objects.count)
    func visit(_ value: PickleValue, _ name: String, _ depth: Int) throws {
      guard case .object(let number) = value, !visited[number] else { return }
      let object = pickle.objects[number]
      guard name.utf8.count <= TensorEntry.longestName else {
        throw CompressError("has names of more than \(TensorEntry.longestName) bytes", kind: .limit)
      }
      guard depth <= Self.deepest else {
        throw CompressError("is nested more than \(Self.deepest) deep", kind: .limit)
      }
      func inner(_ part: String) -> String { name.isEmpty ? part : "\(name).\(part)" }
      switch object.kind {
      case .dictionary:
        visited[number] = true
        for index in stride(from: 0, to: object.items.count, by: 2) {
          switch object.items[index] {
          case .text(let key): try visit(object.items[index + 1], inner(key), depth + 1)
          case .integer(let key): try visit(object.items[index + 1], inner("\(key)"), depth + 1)
          default: break
          }
        }
      case .list, .tuple:
        visited[number] = true
        for (index, item) in object.items.enumerated() { try visit(item, inner("\(index)"), depth + 1) }
      case .call:
        guard let call = Call(object, pickle), Self.rebuilders.contains(call.function) else { return }
        guard views.count < TensorEntry.most else {
          throw CompressError("has more than \(TensorEntry.most) tensors", kind: .limit)
        }
        do { views.append(try Self.view(name, call, pickle)) } catch let error as CompressError {
          let label = name.isEmpty ? "its tensor" : "tensor \"\(name.escapedForTerminal.shortened(to: 80))\""
          throw CompressError("\(label): \(error.message)", kind: error.kind, hint: error.hint)
        }
      case .global, .persistent: break
      }
    }
    try visit(pickle.value, "", 0)
    self.views = views
  }

  // MARK: What may be asked for

  private static let rebuilders: Set = [
    "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3",
    "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state",
    "torch._tensor._rebuild_from_type_v2",
  ]

  private static let storageTypes: [String: ElementType] = [
    "FloatStorage": .float32, "DoubleStorage": .float64, "HalfStorage": .float16, "BFloat16Storage": .bfloat16,
    "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16, "CharStorage": .int8, "ByteStorage": .uint8,
    "BoolStorage": .bool,
  ]

  private static let elementTypes: [String: ElementType] = [
    "float32": .float32, "float64": .float64, "float16": .float16, "bfloat16": .bfloat16, "int64": .int64,
    "int32": .int32, "int16": .int16, "int8": .int8, "uint8": .uint8, "uint16": .uint16, "uint32": .uint32,
    "uint64": .uint64, "bool": .bool,
  ]

  /// What stands beside the tensors of many checkpoints and is passed over: none of it is made, only its name is known.
  private static let passedOver: Set = [
    "collections.OrderedDict", "collections.defaultdict", "collections.Counter", "argparse.Namespace",
    "builtins.set", "builtins.dict", "builtins.list", "builtins.int", "builtins.float", "builtins.complex",
    "builtins.bytearray", "builtins.slice", "__builtin__.set", "_codecs.encode", "copyreg._reconstructor",
    "builtins.object", "pathlib.PosixPath", "pathlib.Path", "pathlib.PurePosixPath", "datetime.datetime",
    "numpy.dtype", "numpy.ndarray", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar",
    "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct",
    "torch.Size", "torch.device", "torch.Tensor", "torch._tensor.Tensor", "torch.nn.parameter.Parameter",
    "torch.storage.UntypedStorage", "torch.UntypedStorage", "torch.contiguous_format", "torch.channels_last",
    "torch.serialization._get_layout", "torch.strided",
  ]

  /// - Throws: `CompressError` naming what a pickle asks for that no checkpoint of tensors needs.
  static func checkAllowed(_ name: String) throws {
    if rebuilders.contains(name) || passedOver.contains(name) || storageType(name) != nil || elementType(name) != nil {
      return
    }
    if name.hasPrefix("torch._utils.") || name.hasPrefix("torch._tensor.") {
      throw CompressError(
        "holds a tensor of a kind that is not read: it is made by \(name.escapedForTerminal.shortened(to: 120))",
        kind: .input, hint: "quantized and sparse tensors have to be made dense floats, in Python")
    }
    throw CompressError(
      "is a pickled module, or holds one: it asks for \(name.escapedForTerminal.shortened(to: 120)), and nothing that "
        + "a file asks for is run", kind: .input,
      hint: "save its state_dict() alone, in Python: torch.save(torch.load(\"FILE\", weights_only=False).state_dict(), "
        + "\"weights.pth\")")
  }

  private static func storageType(_ name: String) -> ElementType? {
    for module in ["torch.", "torch.cuda."] where name.hasPrefix(module) {
      if let type = storageTypes[String(name.dropFirst(module.count))] { return type }
    }
    return nil
  }

  private static func elementType(_ name: String) -> ElementType? {
    name.hasPrefix("torch.") ? elementTypes[String(name.dropFirst(6))] : nil
  }

  // MARK: Tensors

  private struct Call {
    let function: String
    let arguments: [PickleValue]

    init?(_ function: PickleValue, _ arguments: PickleValue, _ pickle: Pickle) {
      guard case .global(let name)? = pickle[function]?.kind, let tuple = pickle[arguments], tuple.kind == .tuple else {
        return nil
      }
      self.function = name
      self.arguments = tuple.items
    }

    init?(_ object: Pickle.Object, _ pickle: Pickle) {
      guard object.kind == .call, object.items.count == 2 else { return nil }
      self.init(object.items[0], object.items[1], pickle)
    }
  }

  private static func storage(_ object: Pickle.Object, _ pickle: Pickle) throws -> Storage {
    let items = object.items.first.flatMap { pickle[$0] }?.items ?? []
    guard items.count >= 5, case .text("storage") = items[0], case .global(let name)? = pickle[items[1]]?.kind,
      case .text(let key) = items[2], case .integer(let count) = items[4]
    else { throw CompressError("refers to something that is no storage of a tensor", kind: .input) }
    let type = storageType(name)
    guard type != nil || name.hasSuffix(".UntypedStorage") else {
      throw CompressError(
        "has a storage of \(name.escapedForTerminal.shortened(to: 80)), which is no type", kind: .input)
    }
    // The views of storages that PyTorch once had.
    if items.count > 5 {
      guard case .none = items[5] else {
        throw CompressError(
          "has views of storages, as versions of PyTorch before 0.4 wrote them", kind: .input,
          hint: "torch.save(torch.load(\"FILE\"), \"weights.pth\") in a later one writes it anew")
      }
    }
    guard (0...1 << 40).contains(count) else {
      throw CompressError("has a storage of \(count) elements", kind: .input)
    }
    return Storage(key: key, type: type, count: count)
  }

  private static func view(_ name: String, _ call: Call, _ pickle: Pickle, depth: Int = 0) throws -> View {
    let arguments = call.arguments
    func inner(_ call: Call?) throws -> View {
      guard let call, rebuilders.contains(call.function), depth < deepest else {
        throw CompressError("is made of what is no tensor", kind: .input)
      }
      return try Self.view(name, call, pickle, depth: depth + 1)
    }
    if call.function.contains("_rebuild_parameter") {
      return try inner(arguments.first.flatMap { pickle[$0] }.flatMap { Call($0, pickle) })
    }
    if call.function.hasSuffix("_rebuild_from_type_v2") {
      guard arguments.count >= 3 else { throw CompressError("is made of what is no tensor", kind: .input) }
      return try inner(Call(arguments[0], arguments[2], pickle))
    }
    guard arguments.count >= 4, let persistent = pickle[arguments[0]], persistent.kind == .persistent,
      case .integer(let offset) = arguments[1], let extents = Self.integers(arguments[2], pickle),
      let strides = Self.integers(arguments[3], pickle)
    else { throw CompressError("has no storage, place, shape and strides", kind: .input) }
    let storage = try Self.storage(persistent, pickle)
    let shape = try Shape(checking: extents)
    let isTyped = call.function.hasSuffix("_v3"), bits = isTyped ? 7 : 6
    if arguments.count > bits, let metadata = pickle[arguments[bits]], !metadata.items.isEmpty {
      throw CompressError(
        "is kept as the negative or conjugate of its storage, which is not read", kind: .input,
        hint: "in Python: .resolve_neg() before it is saved")
    }
    var given = storage.type
    if isTyped {
      guard arguments.count > 6, case .global(let name)? = pickle[arguments[6]]?.kind else {
        throw CompressError("has no type", kind: .input)
      }
      given = elementType(name)
    }
    guard let type = given else { throw CompressError("has a type that is not read", kind: .input) }
    guard strides.count == shape.rank else {
      throw CompressError("has shape \(shape) and \(strides.count) strides", kind: .input)
    }
    // Along an axis of one element nothing steps, whatever the stride is said to be.
    let steps = zip(extents, strides).map { $0 > 1 ? $1 : 0 }
    let view = View(name: name, type: type, shape: shape, storage: storage, offset: offset, strides: steps)
    try view.check()
    return view
  }

  /// Of a tuple or list; nil for anything else.
  private static func integers(_ value: PickleValue, _ pickle: Pickle) -> [Int]? {
    guard var object = pickle[value] else { return nil }
    // torch.Size((1, 2))
    if object.kind == .call, let call = Call(object, pickle), call.function == "torch.Size",
      let given = call.arguments.first.flatMap({ pickle[$0] })
    {
      object = given
    }
    guard object.kind == .tuple || object.kind == .list else { return nil }
    var integers: [Int] = []
    for item in object.items {
      guard case .integer(let integer) = item else { return nil }
      integers.append(integer)
    }
    return integers
  }
}

extension PyTorchCheckpoint.View {
  var isContiguous: Bool {
    shape.count == 0 || zip(zip(shape.dims, strides), shape.strides).allSatisfy { $0.0 == 1 || $0.1 == $1 }
  }

  /// - Throws: `CompressError` when elements are not in the storage, or the same for several places of the tensor: a
  ///   small file could claim a tensor of any size by them.
  fileprivate func check() throws {
    let elements = storage.byteCount / type.size
    guard offset >= 0, offset <= elements else {
      throw CompressError("begins at element \(offset) of a storage of \(elements)", kind: .input)
    }
    guard shape.count > 0 else { return }
    // From the narrowest stride to the widest, each steps over all that is inside it.
    var last = 0
    for (extent, stride) in zip(shape.dims, strides).filter({ $0.0 > 1 }).sorted(by: { $0.1 < $1.1 }) {
      guard stride > last else {
        throw CompressError(
          "has strides \(strides) for shape \(shape): several of its elements are one", kind: .input,
          hint: "in Python: .contiguous() before it is saved")
      }
      let (steps, overflow) = (extent - 1).multipliedReportingOverflow(by: stride)
      guard !overflow, steps < elements - last else {
        throw CompressError(
          "has elements beyond its storage: shape \(shape), strides \(strides), from \(offset) of \(elements)",
          kind: .input)
      }
      last += steps
    }
    guard last < elements - offset else {
      throw CompressError(
        "has elements beyond its storage: shape \(shape), strides \(strides), from \(offset) of \(elements)",
        kind: .input)
    }
  }

  /// The elements in the order of the shape, as they lie in the storage.
  ///
  /// - Parameter bytes: of the storage.
  func elements(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    let size = type.size, extents = shape.dims
    return [UInt8](unsafeUninitializedCapacity: shape.count * size) { out, count in
      var index = [Int](repeating: 0, count: extents.count), source = offset
      for element in 0..<shape.count {
        let from = UnsafeRawBufferPointer(rebasing: bytes[source * size..<(source + 1) * size])
        UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(out)[(element * size)...]).copyMemory(
          from: from)
        for axis in extents.indices.reversed() {
          index[axis] += 1
          source += strides[axis]
          if index[axis] < extents[axis] { break }
          source -= index[axis] * strides[axis]
          index[axis] = 0
        }
      }
      count = shape.count * size
    }
  }
}
