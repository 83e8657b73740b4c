import Diagnostics
import Files
import Network
import Tensors

/// A model as one self-contained file of C99 and a header: its weights are constants, its memory is one arena whose
/// size is known, and what it computes are the bytes that a session computes (docs/c-source.md).
public struct CSourceFile {
  public static let fileExtension = "c"

  /// Whether a name asks for C source.
  public static func isName(_ name: String) -> Bool { name.hasSuffix("." + fileExtension) && name.utf8.count > 2 }

  /// The header's path, beside the source.
  public static func headerPath(_ path: String) -> String { String(path.dropLast(fileExtension.utf8.count)) + "h" }

  /// What all names in the file begin with.
  public let prefix: String
  /// Bytes of the arena: inputs, outputs, and all that lies between; nothing else is written to.
  public let arenaBytes: Int
  /// Bytes of weights and tables, which a linker puts into flash.
  public let constantBytes: Int
  public let macs: Int
  /// What the arena would be with each result apart from what is read for it, in the model's order of layers, and in
  /// the order that was found.
  public let bytesApart: Int
  public let bytesReordered: Int
  /// What it would be without patches; the layers that are computed patch by patch, and what they compute again.
  public let bytesWhole: Int
  public let patchedLayers: Int
  public let macsAgain: Int
  let source: [UInt8]
  let header: [UInt8]

  /// - Parameter name: of the file, without its folder and ending; the prefix is made of it.
  /// - Throws: `CompressError` naming the layer there is no C for, or where the header would be taken for one of C's own.
  public init(_ model: Model, name: String, patches: PatchOptions = PatchOptions()) throws {
    guard !Self.standardHeaders.contains(name.lowercased()) else {
      throw CompressError(
        "\(name).h is a header of C's own, which programs in that folder could not include any more",
        hint: "another name for the file")
    }
    let network = try CNetwork(model), layout = try Layout(network, patches)
    let writer = SourceWriter(network, layout, prefix: CText.identifier(name))
    prefix = writer.prefix
    arenaBytes = layout.plan.byteCount
    bytesApart = layout.bytesApart
    bytesReordered = layout.bytesReordered
    constantBytes = writer.constantBytes
    bytesWhole = layout.bytesWhole
    patchedLayers = layout.stage?.count ?? 0
    macsAgain = layout.stage?.macsAgain ?? 0
    macs = writer.macs
    (source, header) = writer.files(headerName: Self.plainFile(name) + ".h")
  }

  /// Of C99 and C11, and what else embedded projects commonly have on their path for headers.
  private static let standardHeaders: Set<String> = [
    "assert", "complex", "ctype", "errno", "fenv", "float", "inttypes", "iso646", "limits", "locale", "math", "setjmp",
    "signal", "stdalign", "stdarg", "stdatomic", "stdbool", "stddef", "stdint", "stdio", "stdlib", "stdnoreturn",
    "string", "strings", "tgmath", "threads", "time", "uchar", "unistd", "wchar", "wctype",
  ]

  /// A file's name that stands between quotes in C as it is.
  private static func plainFile(_ name: String) -> String {
    name.unicodeScalars.allSatisfy { $0.value >= 32 && !"\"\\?".unicodeScalars.contains($0) }
      ? name : CText.identifier(name)
  }

  /// Sentences on what it takes, for people.
  public var summary: [String] {
    func bytes(_ count: Int) -> String { CText.grouped(count) + " B" }
    var lines = [
      "RAM: \(bytes(arenaBytes)), inputs and outputs included; constants: \(bytes(constantBytes)); "
        + "\(CText.grouped(macs)) multiply-accumulates"
    ]
    if bytesReordered < bytesApart {
      lines.append("another order of the layers saves \(bytes(bytesApart - bytesReordered)) of \(bytes(bytesApart))")
    }
    if bytesWhole < bytesReordered {
      lines.append(
        "results written over what is read for the last time save \(bytes(bytesReordered - bytesWhole)) of "
          + bytes(bytesReordered))
    }
    if patchedLayers > 0 {
      lines.append(
        "the first \(patchedLayers) layers patch by patch save \(bytes(bytesWhole - arenaBytes)) of "
          + "\(bytes(bytesWhole)) and compute \(CText.grouped(macsAgain)) multiply-accumulates again")
    }
    return lines
  }

  /// Writes source and header; each appears whole or not at all, the header first.
  ///
  /// - Returns: bytes of both.
  /// - Throws: `CompressError` of kind `.limit` when they are more than `limit`; with the path when the system refuses.
  @discardableResult
  public func write(to path: String, limit: Int = .max) throws -> Int {
    let count = source.count + header.count
    guard count <= limit else {
      throw CompressError("it takes \(count) bytes, more than the \(limit) bytes there are for it", kind: .limit).at(
        file: path)
    }
    try AtomicFile.write(header, to: Self.headerPath(path))
    try AtomicFile.write(source, to: path)
    return count
  }

  /// The same of a model and a path; the file's name gives the prefix.
  public static func of(
    _ model: Model, path: String, patches: PatchOptions = PatchOptions()
  ) throws -> CSourceFile {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    do {
      return try CSourceFile(model, name: String(file.dropLast(fileExtension.utf8.count + 1)), patches: patches)
    } catch let error as CompressError {
      throw error.file == nil ? error.at(file: path) : error
    }
  }
}
