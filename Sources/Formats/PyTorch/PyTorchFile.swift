import Diagnostics
import Files
import Tensors

/// A PyTorch checkpoint of tensors (`torch.save` of a `state_dict()`, or of a dictionary that holds one): a pickle that
/// names tensors, and the storages they are views of. Both forms are read: a zip archive, and the one before it, in
/// which pickles and storages follow each other. Nothing in it is executed.
///
/// `@unchecked Sendable`: the bytes are the mapped file's, which never change, and it is held.
public struct PyTorchFile: WeightsFile, @unchecked Sendable {
  public static let fileExtension = "pth"

  /// The place of each is its number among the views.
  public let entries: [TensorEntry]
  private let views: [PyTorchCheckpoint.View]
  /// Where the bytes of each storage lie.
  private let storages: [String: Range<Int>]
  private let file: MappedFile

  private static let longestPickle = 256 << 20
  /// As many as an archive without the extension for larger ones can have.
  private static let mostFiles = 65_535
  private static let magicNumber: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
  private static let formatVersion = 1001

  /// - Throws: `CompressError` with the path when the file cannot be read, is broken, or holds more than tensors.
  public init(_ path: String) throws {
    let file = try MappedFile(path)
    self = try atFile(path) {
      try file.withBytes(Self.isArchive)
        ? PyTorchFile(archive: ZipFile(path, mostEntries: Self.mostFiles), file) : PyTorchFile(old: file)
    }
  }

  private init(_ checkpoint: PyTorchCheckpoint, _ storages: [String: Range<Int>], _ file: MappedFile) throws {
    guard let first = checkpoint.views.first else { throw CompressError("holds no tensors", kind: .input) }
    guard !first.name.isEmpty else {
      throw CompressError(
        "holds one tensor without a name", kind: .input,
        hint: "in Python: torch.save({\"NAME\": tensor}, \"weights.pth\")")
    }
    let views = checkpoint.views.sorted { $0.name < $1.name }
    for (first, second) in zip(views, views.dropFirst()) where first.name == second.name {
      throw CompressError("tensor \"\(first.name.escapedForTerminal.shortened(to: 80))\" is there twice", kind: .input)
    }
    self.views = views
    entries = views.enumerated().map { TensorEntry(name: $1.name, type: $1.type, shape: $1.shape, place: $0) }
    self.storages = storages
    self.file = file
  }

  public func floats(_ entry: TensorEntry) -> Tensor {
    let view = views[entry.place], range = storages[view.storage.key]!
    return file.withBytes { bytes in
      let storage = UnsafeRawBufferPointer(rebasing: bytes[range]), start = view.offset * view.type.size
      guard !view.isContiguous else {
        return view.type.floats(
          UnsafeRawBufferPointer(rebasing: storage[start..<start + entry.byteCount]), view.shape)
      }
      return view.elements(storage).withUnsafeBytes { view.type.floats($0, view.shape) }
    }
  }

  // MARK: Which files

  /// Whether bytes begin as a checkpoint does, a pickle or an archive that PyTorch makes.
  static func isPyTorch(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.count > 2 && bytes[0] == 0x80 && (2...5).contains(bytes[1])
      || isArchive(bytes) && FileKind(bytes) == FileKind.pyTorchArchive
  }

  private static func isArchive(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.starts(with: Array("PK".utf8)) }

  /// What `torch.jit.save` and `torch.export.save` make holds a program.
  private static func checkKind(_ names: Set<String>, _ folder: String) throws {
    func has(_ name: String) -> Bool { names.contains(folder + name) }
    if has("constants.pkl") || names.contains(where: { $0.hasPrefix(folder + "code/") }) {
      throw CompressError(
        "is a TorchScript program, not a checkpoint of tensors", kind: .input,
        hint: "in Python: torch.onnx.export(torch.jit.load(\"FILE\"), x, \"net.onnx\", dynamo=False), x an input")
    }
  }

  // MARK: The archive

  private init(archive: ZipFile, _ file: MappedFile) throws {
    let named = Dictionary(archive.entries.map { ($0.name, $0) }) { first, _ in first }
    guard named.count == archive.entries.count else { throw CompressError("has two files of one name", kind: .input) }
    let pickles = archive.entries.filter { $0.name.splitByBytes(at: "/").last == "data.pkl" }
    guard let pickle = pickles.min(by: { $0.name.utf8.count < $1.name.utf8.count }) else {
      throw CompressError("is an archive without a data.pkl", kind: .input)
    }
    let folder = String(pickle.name.dropLast("data.pkl".count))
    try Self.checkKind(Set(named.keys), folder)
    if let order = named[folder + "byteorder"] {
      let text = String(decoding: try archive.beginning(of: order, count: 16), as: UTF8.self)
      guard text == "little" else {
        throw CompressError("has numbers in byte order \"\(text.escapedForTerminal)\"; little is read", kind: .input)
      }
    }
    guard pickle.size <= Self.longestPickle else {
      throw CompressError("a pickle of \(pickle.size) bytes; at most \(Self.longestPickle) are read", kind: .limit)
    }
    let bytes = try archive.read(pickle)
    let checkpoint = try bytes.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      return try PyTorchCheckpoint(Pickle(&reader, allowed: PyTorchCheckpoint.checkAllowed))
    }
    var storages: [String: Range<Int>] = [:]
    for storage in checkpoint.views.map(\.storage) where storages[storage.key] == nil {
      let name = "\(folder)data/\(storage.key)"
      func broken(_ what: String) -> CompressError {
        CompressError("\"\(name.escapedForTerminal.shortened(to: 80))\" \(what)", kind: .input)
      }
      guard let entry = named[name] else { throw broken("is missing, which tensors lie in") }
      guard !entry.isDeflated else { throw broken("is compressed, which PyTorch does not do") }
      storages[storage.key] = try archive.stored(entry).range
    }
    for view in checkpoint.views where storages[view.storage.key]!.count != view.storage.byteCount {
      throw CompressError(
        "tensor \"\(view.name.escapedForTerminal.shortened(to: 80))\" is in a storage of \(view.storage.byteCount) "
          + "bytes; \"\(folder.escapedForTerminal)data/\(view.storage.key.escapedForTerminal.shortened(to: 80))\" has "
          + "\(storages[view.storage.key]!.count)", kind: .input)
    }
    try self.init(checkpoint, storages, file)
  }

  // MARK: The form before it

  /// Pickles of a magic number, a version, the system, what was saved and the keys of its storages; then the storages.
  private init(old file: MappedFile) throws {
    let parts = try file.withBytes { bytes in
      var reader = ByteReader(bytes)
      func pickle(_ reader: inout ByteReader) throws -> Pickle {
        try Pickle(&reader, allowed: PyTorchCheckpoint.checkAllowed)
      }
      guard case .bytes(Self.magicNumber) = try pickle(&reader).value else {
        throw CompressError(
          "is a pickle, but not one that torch.save wrote", kind: .input,
          hint: "in Python: torch.save({name: torch.as_tensor(array), …}, \"weights.pth\")")
      }
      guard case .integer(Self.formatVersion) = try pickle(&reader).value else {
        throw CompressError("is a checkpoint of a version that is not known here", kind: .input)
      }
      try Self.checkSystem(try pickle(&reader))
      let checkpoint = try PyTorchCheckpoint(pickle(&reader))
      return (checkpoint, try Self.storages(&reader, checkpoint, keys: try pickle(&reader)))
    }
    try self.init(parts.0, parts.1, file)
  }

  private static func checkSystem(_ system: Pickle) throws {
    let items = system[system.value]?.items ?? []
    for index in stride(from: 0, to: items.count - 1, by: 2) {
      if case (.text("little_endian"), .truth(false)) = (items[index], items[index + 1]) {
        throw CompressError("has numbers with their highest byte first; little-endian ones are read", kind: .input)
      }
    }
  }

  private static func storages(
    _ reader: inout ByteReader, _ checkpoint: PyTorchCheckpoint, keys: Pickle
  ) throws -> [String: Range<Int>] {
    var known: [String: PyTorchCheckpoint.Storage] = [:]
    for storage in checkpoint.storages {
      guard known.updateValue(storage, forKey: storage.key) ?? storage == storage else {
        throw CompressError("has two storages called \(storage.key.escapedForTerminal.shortened(to: 80))", kind: .input)
      }
    }
    var ranges: [String: Range<Int>] = [:]
    for item in keys[keys.value]?.items ?? [] {
      guard case .text(let key) = item, let storage = known[key] else {
        throw CompressError("has a storage that nothing refers to", kind: .input)
      }
      let count = try reader.i64()
      guard count == storage.count else {
        throw CompressError(
          "at byte \(reader.offset - 8): a storage of \(count) elements, of which tensors say it has "
            + "\(storage.count)", kind: .input)
      }
      let start = reader.offset
      try reader.skip(storage.byteCount)
      ranges[key] = start..<reader.offset
    }
    for view in checkpoint.views where ranges[view.storage.key] == nil {
      throw CompressError(
        "tensor \"\(view.name.escapedForTerminal.shortened(to: 80))\" is in a storage that is not there", kind: .input)
    }
    return ranges
  }
}
