import CSource
import CompiledPlans
import Diagnostics
import Formats
import Kernels
import Network

/// Models written for others: as files of the formats, as C source, or compiled for libcompress.
public enum ModelExport {
  public struct Options {
    /// Of the formats, and what all writers share.
    public var file: ModelFile.WriteOptions
    /// Of a compiled plan; nil of its own where something is not said.
    public var instructionSets: [InstructionSet]?
    public var batch: Int?
    public var isExact = false
    /// Of C source; nil of its own.
    private(set) var patches: PatchOptions?

    public init(_ file: ModelFile.WriteOptions = ModelFile.WriteOptions()) { self.file = file }

    /// Whether C source may compute first layers patch by patch, and their work at most as a multiple of what it is
    /// without; nil of what is not said.
    public mutating func setPatches(_ isOn: Bool?, mostWork: Double?) {
      guard isOn != nil || mostWork != nil else { return }
      let standard = PatchOptions()
      patches = PatchOptions(isOn: isOn ?? standard.isOn, mostWork: mostWork ?? standard.mostWork)
    }

    /// The sets by their names.
    ///
    /// - Throws: `CompressError` when there is none of that name, or one comes twice.
    public static func instructionSets(_ names: [String]) throws -> [InstructionSet] {
      var sets: [InstructionSet] = []
      for name in names {
        guard let set = InstructionSet(rawValue: name) else {
          throw CompressError(
            "there is no instruction set \"\(name.escapedForTerminal.shortened(to: 40))\""
              + Suggestion.text(for: name, among: InstructionSet.allCases.map(\.rawValue)))
        }
        guard !sets.contains(set) else { throw CompressError("the instruction set \(name) is there twice") }
        sets.append(set)
      }
      guard !sets.isEmpty else { throw CompressError("no instruction set to compile for") }
      return sets
    }
  }

  /// The endings of what can be written.
  public static let extensions = ModelFile.extensions + others

  private static let others = [CSourceFile.fileExtension, CompiledPlanFile.fileExtension]

  /// - Throws: `CompressError` naming the endings there are, when the name has another one; when an option is not for
  ///   what is written.
  public static func checkName(_ name: String, _ options: Options) throws {
    try ModelFile.checkName(name, options.file, beside: others)
    guard CompiledPlanFile.isName(name) || (options.instructionSets == nil && options.batch == nil && !options.isExact)
    else {
      let given =
        options.instructionSets != nil ? "instruction sets are" : options.batch != nil ? "batch is" : "exact is"
      throw CompressError("\(given) for .\(CompiledPlanFile.fileExtension) files")
    }
    guard CSourceFile.isName(name) || options.patches == nil else {
      throw CompressError("patches are for .\(CSourceFile.fileExtension) files")
    }
  }

  /// What is written for a name, beside what it names.
  public static func others(of path: String) -> [String] {
    if CompiledPlanFile.isName(path) { return [] }
    return CSourceFile.isName(path) ? [CSourceFile.headerPath(path)] : [path + ".data"]
  }

  /// How many files are written for a name.
  public static func fileCount(_ path: String) -> Int { CSourceFile.isName(path) ? 2 : 1 }

  /// Writes a model as what the name's ending asks for.
  ///
  /// - Parameter tell: hears sentences on what was written, of C source and of compiled plans.
  /// - Returns: bytes of all that was written.
  /// - Throws: `CompressError` when the name has no such ending; what the writer throws.
  public static func write(
    _ model: Model, to path: String, _ options: Options, tell: (String) -> Void
  ) throws -> Int {
    try checkName(path, options)
    if CSourceFile.isName(path) {
      let file = try CSourceFile.of(model, path: path, patches: options.patches ?? PatchOptions())
      let written = try file.write(to: path, limit: options.file.limit)
      file.summary.forEach(tell)
      return written
    }
    guard CompiledPlanFile.isName(path) else { return try ModelFile.write(model, to: path, options.file) }
    do {
      let file = try CompiledPlanFile(
        model, for: (options.instructionSets ?? [.current]).map(Machine.init(like:)), maxBatch: options.batch ?? 1,
        isExact: options.isExact)
      let written = try file.write(to: path, limit: options.file.limit)
      tell(file.summary)
      return written
    } catch let error as CompressError {
      throw error.at(file: path)
    }
  }
}

extension Machine {
  /// This one where it is to be like it, else one as the instruction set suggests.
  fileprivate init(like isa: InstructionSet) { self = isa == .current ? .host : Machine(isa: isa) }
}
